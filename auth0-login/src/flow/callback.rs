//! The callback: the browser comes back from Auth0.
use super::start::LoginOptions;
use crate::{
    error::{ErrorKind, RETRY},
    login::{CompletedLogin, LoggedIn, Login},
    page::Notice,
    record::{Purpose, Record, TokenSet, of_user, session_expiry},
    reply::Reply,
    request::Request,
    session::Live,
    transaction::{Transaction, is_repeated, random},
};
use auth0_client::{ErrorKind as ClientErrorKind, Tokens, support::code_of_login};
use auth0_core::{
    ErrorCode,
    support::{Escaped, IdTokenExpectations, fetch_thread, verify_id_token},
};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use url::form_urlencoded;

/// The limit for the refresh token of a login that the application refuses.
const REVOCATION_LIMIT: Duration = Duration::from_secs(1);

/// The parameters of a callback that are read.
#[derive(Default)]
struct Parameters {
    state: Option<String>,
    code: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

/// Why a login does not succeed: what the person reads, and what the log has.
struct Refused {
    notice: Notice,
    /// The code that Auth0 has sent.
    code: Option<String>,
}

impl From<Notice> for Refused {
    fn from(notice: Notice) -> Self {
        Self { notice, code: None }
    }
}

impl Parameters {
    fn of(request: &Request) -> Self {
        let mut found = Self::default();
        for (name, value) in request.query() {
            let place = match name.as_str() {
                "state" => &mut found.state,
                "code" => &mut found.code,
                "iss" => &mut found.issuer,
                "error" => &mut found.error,
                "error_description" => &mut found.description,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        found
    }
}

impl Login {
    /// Answers the callback (`GET /auth/callback`): exchanges the code, verifies the ID token, and begins a session.
    pub async fn callback(&self, request: &Request) -> Reply {
        match self.at(request).await {
            Ok(this) => this.called_back(request).await,
            Err(error) => error.reply(),
        }
    }

    async fn called_back(&self, request: &Request) -> Reply {
        if request.method() != "GET" {
            return Reply::json(405, "invalid_request", "method_not_allowed", "Use GET.")
                .with("allow", "GET");
        }
        if request.is_prefetch() {
            return Reply::new(204);
        }
        let shared = &self.site;
        let parameters = Parameters::of(request);
        let Some(state) = parameters.state.as_deref().filter(|state| !state.is_empty()) else {
            return self.notice(&WITHOUT_STATE, request);
        };
        let (transaction, closing) = shared.take_transaction(state, &shared.cookies(request));
        let Some(transaction) = transaction else {
            return self.unknown(request, state).await.cookies(closing);
        };
        if transaction.issuer != shared.client.issuer() {
            tracing::warn!(target: "auth0", "a login came back to another site than it began at");
            return self.notice(&NOT_VALID, request).cookies(closing);
        }
        // The session of before: it ends, and the same user keeps the data of the application.
        let session = self.session(request.clone());
        if let Err(error) = session.read().await {
            return error.reply().cookies(closing);
        }
        if let Some(connecting) = &transaction.connecting {
            let outcome = self.connected(&session, &transaction, connecting, request).await;
            let reply = match outcome {
                Ok(()) => Reply::redirect(&transaction.return_to),
                Err(notice) => self.refused(notice.into(), request),
            };
            return match session.finish().await {
                Ok(headers) => headers
                    .into_iter()
                    .filter(|(name, _)| *name == "set-cookie")
                    .fold(reply.cookies(closing), |reply, (_, line)| reply.cookie(line)),
                Err(error) => error.reply().cookies(closing),
            };
        }
        let previous = session.live();
        match self.logged_in(state, &parameters, &transaction, previous.as_ref()).await {
            Ok((return_to, cookies)) => {
                Reply::redirect(&return_to).cookies(closing).cookies(cookies)
            }
            Err(refused) => self.refused(refused, request).cookies(closing),
        }
    }

    /// Answers a callback whose login this browser has not begun, or has ended already.
    async fn unknown(&self, request: &Request, state: &str) -> Reply {
        match self.session(request.clone()).user().await {
            // The button "back", or a second click.
            Ok(Some(_)) => return Reply::redirect(&self.site.path("/")),
            Ok(None) => {}
            Err(error) => return error.reply(),
        }
        if is_repeated(state) {
            return self.notice(&WITHOUT_COOKIES, request);
        }
        let options = LoginOptions { is_repeated: true, ..LoginOptions::new() };
        self.start_with(request, options).await
    }

    fn refused(&self, refused: Refused, request: &Request) -> Reply {
        let Refused { notice, code } = refused;
        match &self.site.settings.after_error {
            Some(path) if notice.status < 500 && request.shows_pages() => {
                let code = code.as_deref().unwrap_or(notice.code);
                let query: String = form_urlencoded::Serializer::new(String::new())
                    .append_pair("error", code)
                    .finish();
                let separator = if path.contains('?') { '&' } else { '?' };
                Reply::redirect(&format!("{}{separator}{query}", self.site.path(path)))
            }
            _ => self.notice(&notice, request),
        }
    }

    /// Returns where the browser goes, and the cookies of the new session.
    async fn logged_in(
        &self,
        state: &str,
        parameters: &Parameters,
        transaction: &Transaction,
        previous: Option<&Live>,
    ) -> Result<(String, Vec<String>), Refused> {
        let shared = &self.site;
        if parameters.issuer.as_ref().is_some_and(|issuer| {
            issuer.trim_end_matches('/') != transaction.issuer.trim_end_matches('/')
        }) {
            tracing::warn!(
                target: "auth0", "a login came back from another issuer than it began at (RFC 9207)"
            );
            return Err(NOT_VALID.into());
        }
        if let Some(code) = &parameters.error {
            let description = parameters.description.as_deref().unwrap_or_default();
            tracing::warn!(
                target: "auth0", error = %Escaped(code), description = %Escaped(description), "a login was refused"
            );
            let notice = match code.as_str() {
                "temporarily_unavailable" | "server_error" => AUTH0_FAILS,
                _ => DENIED,
            };
            return Err(Refused { notice, code: Some(code.clone()) });
        }
        let code = parameters.code.as_deref().filter(|code| !code.is_empty()).ok_or(NOT_VALID)?;
        let of_previous = previous.map(|live| &live.record);
        let logged_in = self.exchanged(state, code, transaction, of_previous).await?;
        let LoggedIn { claims, tokens, previous: first } = logged_in;
        let record = self.record(transaction, claims, &tokens, of_previous.or(first.as_ref()))?;
        let (record, return_to) = self.completed(transaction, record, &tokens).await?;
        let cookies = shared.begin(record, previous).await.map_err(|failure| {
            tracing::error!(target: "auth0", cause = failure.cause, "a session cannot be kept");
            Refused::from(failure.kind.notice())
        })?;
        Ok((return_to, cookies))
    }

    /// Exchanges the code once, also for a browser that sends the callback twice.
    async fn exchanged(
        &self,
        state: &str,
        code: &str,
        transaction: &Transaction,
        previous: Option<&Record>,
    ) -> Result<LoggedIn, Refused> {
        let shared = &self.site;
        let outcome = shared.exchanges.of(state, shared.clock.monotonic());
        let (this, code, transaction) = (self.clone(), code.to_owned(), transaction.clone());
        let previous = previous.cloned();
        // It goes on if the request ends, as it does with a second click: the code is good for one exchange.
        let exchange = async move {
            let exchange = || this.exchange(&code, &transaction, previous);
            outcome.get_or_try_init(exchange).await.cloned()
        };
        match fetch_thread::spawn(exchange) {
            Ok(task) => {
                task.await.unwrap_or_else(|_| Err(ErrorKind::Misconfigured.notice().into()))
            }
            Err(error) => {
                tracing::error!(target: "auth0", %error, "the code of a login was not exchanged");
                Err(AUTH0_FAILS.into())
            }
        }
    }

    async fn exchange(
        &self,
        code: &str,
        transaction: &Transaction,
        previous: Option<Record>,
    ) -> Result<LoggedIn, Refused> {
        let exchange = self
            .site
            .client
            .grant("authorization_code")
            .parameter("code", code)
            .parameter("redirect_uri", &transaction.redirect_uri)
            .parameter("code_verifier", transaction.verifier.text());
        let exchange = code_of_login(exchange, &self.site.settings.scopes);
        let tokens = exchange.send().await.map_err(|error| {
            tracing::warn!(target: "auth0", %error, "the code of a login was not exchanged");
            Refused::from(match error.kind() {
                ClientErrorKind::InvalidGrant => NOT_VALID,
                ClientErrorKind::Denied => DENIED,
                ClientErrorKind::Throttled
                | ClientErrorKind::Unavailable
                | ClientErrorKind::DeadlineExceeded => {
                    AUTH0_FAILS.retry_after(error.retry_after().unwrap_or(RETRY))
                }
                _ => ErrorKind::Misconfigured.notice(),
            })
        })?;
        let claims = self.verified(transaction, &tokens).await?;
        Ok(LoggedIn { claims, tokens, previous })
    }

    /// Asks the application about the login. Returns the session, and where the browser goes.
    async fn completed(
        &self,
        transaction: &Transaction,
        record: Record,
        tokens: &Tokens,
    ) -> Result<(Record, String), Refused> {
        let shared = &self.site;
        let return_to = transaction.return_to.clone();
        let Some(hook) = &shared.after_login else { return Ok((record, return_to)) };
        let user = shared.user_of(&record).await.map_err(|error| {
            tracing::warn!(target: "auth0", %error, "a login has ended before it was complete");
            Refused::from(match error.code() {
                ErrorCode::RevocationsUnavailable => ErrorKind::StoreUnavailable.notice(),
                _ => NOT_VALID,
            })
        })?;
        let site = Arc::clone(shared);
        let access_token = tokens.access_token().clone();
        let mut login = CompletedLogin { user, record, return_to, access_token, site };
        let Err(rejected) = hook(&mut login).await else {
            return Ok((login.record, login.return_to));
        };
        tracing::warn!(target: "auth0", cause = %rejected, "the application has refused a login");
        if let Some(token) = &login.record.tokens.refresh_token {
            drop(shared.client.revoke(token.text()).deadline(REVOCATION_LIMIT).send().await);
        }
        Err(match rejected.is_temporary {
            true => AUTH0_FAILS.into(),
            false => Refused { notice: DENIED, code: Some("access_denied".to_owned()) },
        })
    }

    async fn verified(
        &self,
        transaction: &Transaction,
        tokens: &Tokens,
    ) -> Result<Map<String, Value>, Refused> {
        let Some(id_token) = tokens.id_token() else {
            tracing::error!(target: "auth0", "the answer of the token endpoint has no ID token");
            return Err(ErrorKind::Misconfigured.notice().into());
        };
        let access_token = tokens.access_token();
        let expected = IdTokenExpectations {
            issuer: &transaction.issuer,
            client_id: self.site.client.client_id(),
            nonce: Some(&transaction.nonce),
            access_token: Some(access_token.encoded()),
            max_age: transaction.max_age.map(Duration::from_secs),
            organization: transaction.organization.as_deref(),
        };
        verify_id_token(&self.site.auth, id_token, &expected).await.map_err(|error| {
            if error.is_temporary() {
                tracing::error!(target: "auth0", %error, "an ID token cannot be verified");
                return AUTH0_FAILS.into();
            }
            tracing::warn!(target: "auth0", %error, "refused an ID token");
            NOT_VALID.into()
        })
    }

    fn record(
        &self,
        transaction: &Transaction,
        claims: Map<String, Value>,
        tokens: &Tokens,
        previous: Option<&Record>,
    ) -> Result<Record, Refused> {
        let shared = &self.site;
        let now = shared.now();
        let mut ends_at = now.saturating_add(shared.times.absolute);
        if let Some(expiry) = session_expiry(&claims, now) {
            if expiry <= now {
                tracing::warn!(target: "auth0", "the session of an ID token has ended (session_expiry)");
                return Err(NOT_VALID.into());
            }
            ends_at = ends_at.min(expiry);
        }
        let issued_at = claims.get("iat").and_then(Value::as_f64).unwrap_or_default();
        let issued_at = Duration::try_from_secs_f64(issued_at).unwrap_or_default().as_secs();
        let subject = claims.get("sub").and_then(Value::as_str).map(str::to_owned);
        let of_same_user = previous.filter(|record| {
            record.issuer == transaction.issuer
                && subject.is_some()
                && subject == record.claim("sub")
        });
        let mut kept = TokenSet::default();
        let settings = &shared.settings;
        if settings.audience.is_some() {
            let purpose = Purpose::Api { audience: settings.audience.clone() };
            kept.keep(&shared.client, purpose, tokens, settings.keeps_id_token, now);
        } else {
            kept.keep_user_tokens(tokens, settings.keeps_id_token);
        }
        let misconfigured = || Refused::from(ErrorKind::Misconfigured.notice());
        Ok(Record {
            id: random().ok_or_else(misconfigured)?,
            issuer: transaction.issuer.clone(),
            claims: of_user(claims).ok_or_else(misconfigured)?,
            issued_at,
            began_at: now.as_secs(),
            touched_at: now.as_secs(),
            ends_at: ends_at.as_secs(),
            stepped_up_for: transaction.step_up.clone(),
            tokens: kept,
            data: of_same_user.map(|record| record.data.clone()).unwrap_or_default(),
        })
    }
}

const WITHOUT_STATE: Notice = Notice::new(
    400,
    "invalid_state",
    "This is not a login",
    "The address of this page is not complete. Log in from the start page of the application.",
);

const WITHOUT_COOKIES: Notice = Notice::new(
    400,
    "invalid_state",
    "The login cannot be completed",
    "The browser has not sent the cookie of this login. Allow cookies for this site, and use one address for it: the same \
     host, and https throughout.",
);

pub(super) const NOT_VALID: Notice = Notice::new(
    400,
    "invalid_login",
    "The login is not valid",
    "The login has expired, was used before, or does not belong to this application.",
);

const DENIED: Notice = Notice::new(
    403,
    "access_denied",
    "The login was refused",
    "The login was cancelled, or your account has no access to this application.",
);

const AUTH0_FAILS: Notice = Notice::new(
    503,
    "temporarily_unavailable",
    "Login is not available",
    "The login does not answer at the moment. Try again soon.",
)
.retry_after(RETRY);
