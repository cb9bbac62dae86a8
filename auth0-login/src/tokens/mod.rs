//! Tokens of the user for calling APIs.
mod renewal;

use crate::{
    error::{Error, ErrorKind},
    record::Purpose,
    session::{Live, Session},
};
use auth0_client::Token;
use auth0_core::support::fetch_thread;
use renewal::{Failure, Wanted};
use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

/// How often a request renews the tokens of its session, if they end before it sees them.
const RENEWALS: usize = 2;

/// A request for a token of the user: see [`Session::access_token`] and [`Session::connection_token`]. Await it.
#[must_use = "a request does nothing until it is awaited"]
pub struct TokenRequest {
    session: Session,
    purpose: Purpose,
    scopes: Vec<String>,
}

impl Session {
    /// Requests an access token of the user for an API, to call it on behalf of the user. It comes from the session while it
    /// is good for a minute, and is renewed otherwise: once, however many requests of the user wait for it. A token whose
    /// answer has no `expires_in` is not kept, but used once.
    ///
    /// The API is that of the login ([`LoginBuilder::audience`](crate::LoginBuilder::audience)), or another one if the
    /// refresh token is one for several (MRRT).
    ///
    /// The future has these errors: [`LoginRequired`](ErrorKind::LoginRequired) if there is no session, or its tokens
    /// cannot be renewed; [`MissingScope`](ErrorKind::MissingScope); [`MfaRequired`](ErrorKind::MfaRequired);
    /// [`Unavailable`](ErrorKind::Unavailable); [`StoreUnavailable`](ErrorKind::StoreUnavailable);
    /// [`Misconfigured`](ErrorKind::Misconfigured).
    pub fn access_token(&self, audience: impl Into<String>) -> TokenRequest {
        let purpose = Purpose::Api { audience: Some(audience.into()) };
        TokenRequest { session: self.clone(), purpose, scopes: Vec::new() }
    }

    /// Requests an access token of the user's own account at another provider, from Token Vault: `google-oauth2`, for
    /// example. It has the errors of [`access_token`](Self::access_token), and [`Forbidden`](ErrorKind::Forbidden) if no such
    /// account is connected.
    pub fn connection_token(&self, connection: impl Into<String>) -> TokenRequest {
        let purpose = Purpose::Account { connection: connection.into(), login_hint: None };
        TokenRequest { session: self.clone(), purpose, scopes: Vec::new() }
    }
}

impl TokenRequest {
    /// Requires these scopes.
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        let scopes = scopes.into_iter().map(Into::into);
        self.scopes = scopes.filter(|scope: &String| !scope.is_empty()).collect();
        self
    }

    /// Names one of several accounts of the user at the provider. Without it, Auth0 chooses one.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        if let Purpose::Account { login_hint, .. } = &mut self.purpose {
            *login_hint = Some(hint.into());
        }
        self
    }

    async fn send(self) -> Result<Token, Error> {
        let Self { session, purpose, scopes } = self;
        session.read().await?;
        let Some(live) = session.live() else {
            return Err(session.login_required("there is no session"));
        };
        let shared = Arc::clone(&session.login().site);
        let now = shared.clock.moment();
        if let Some(token) = live.record.tokens.find(&purpose, &scopes, &shared.client, now, false)
        {
            return Ok(token);
        }
        let wanted = Wanted { purpose, scopes };
        let failure = match renew(&session, live.clone(), &wanted).await {
            Ok(token) => return Ok(token),
            Err(failure) => failure,
        };
        if let Some(renewed) = failure.renewed {
            session.adopt(*renewed);
        }
        // The one that is there is good for some seconds more.
        let Wanted { purpose, scopes } = wanted;
        let now = shared.clock.moment();
        if let Some(token) = live.record.tokens.find(&purpose, &scopes, &shared.client, now, true) {
            return Ok(token);
        }
        let kind = failure.kind;
        Err(match (kind, failure.client_error) {
            (ErrorKind::LoginRequired, _)
                if session.request().is_navigation() && session.has_just_begun() =>
            {
                // Another login would bring the same.
                let cause = format!(
                    "{}. The login has just brought no token for this. Request offline_access, allow offline access for the \
                     API (Dashboard > Applications > APIs > Settings), and add the API to the refresh token policies of the \
                     application",
                    failure.cause
                );
                tracing::error!(target: "auth0", cause, "no token of a user is available");
                session.error(ErrorKind::Misconfigured, cause)
            }
            (ErrorKind::LoginRequired, _) => session.login_required(&failure.cause),
            (_, Some(error)) => {
                let reply = session.error(kind, "").reply();
                let reply = match error.retry_after() {
                    Some(time) if reply.status() == 503 => reply.retry_after(time),
                    _ => reply,
                };
                Error::of_client(error, kind, reply)
            }
            (_, None) => session.error(kind, failure.cause),
        })
    }
}

/// Renews the tokens of a session, which adopts them, and returns the one that is wanted.
async fn renew(session: &Session, mut live: Live, wanted: &Wanted) -> Result<Token, Failure> {
    let shared = Arc::clone(&session.login().site);
    let Wanted { purpose, scopes } = wanted;
    for _ in 0..RENEWALS {
        // It goes on if the request ends: the answer may have the only refresh token.
        let renewal = renewal::renewed(Arc::clone(&shared), live, wanted.clone());
        let task = fetch_thread::spawn(renewal);
        let task = task.map_err(|error| Failure::unavailable(error.to_string()))?;
        let renewed = task.await.unwrap_or_else(|_| Err(Failure::panicked()))?;
        live = renewed.live;
        let now = shared.clock.moment();
        let found = live.record.tokens.find(purpose, scopes, &shared.client, now, true);
        session.adopt(live.clone());
        match (found, renewed.token) {
            (Some(token), _) => return Ok(token),
            (None, Some(token)) if !has(&token, scopes) => {
                return Err(Failure::missing_scope(scopes));
            }
            // It was not kept: how long it is good for is not known.
            (None, Some(token)) if token.expires_at().is_none() => return Ok(token),
            // It ended before this request saw it: its task, or the process, did not run.
            _ => {}
        }
    }
    Err(Failure::unavailable("each token has ended before it could be used"))
}

fn has(token: &Token, scopes: &[String]) -> bool {
    scopes.iter().all(|scope| token.scopes().any(|granted| granted == scope))
}

impl IntoFuture for TokenRequest {
    type Output = Result<Token, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("purpose", &self.purpose)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
