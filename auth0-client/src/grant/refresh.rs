//! Refresh tokens (RFC 6749 §6).
use super::audience;
use crate::{
    client::Client,
    error::{Error, Purpose},
    parameters::{Mistake, Parameters, Scopes, required},
    secret::Secret,
    server::{Call, Repeat},
    token::Tokens,
};
use std::{fmt, net::IpAddr, time::Duration};

/// A refresh: see [`Client::refresh`].
#[must_use = "`send` sends the request"]
pub struct Refresh {
    client: Client,
    token: Secret,
    audience: Option<String>,
    scopes: Scopes,
    /// The scopes that this request has without naming them.
    implied_scope: String,
    extra: Parameters,
    forwarded_for: Option<IpAddr>,
    deadline: Duration,
    mistake: Mistake,
}

/// The parameters that this grant sets.
const RESERVED: [&str; 3] = ["audience", "refresh_token", "scope"];

impl Client {
    /// Starts the exchange of a refresh token for new tokens.
    ///
    /// Where the tenant rotates refresh tokens, the answer has another one, and a second use of the old one ends the
    /// session: use each once, store what [`Tokens::refresh_token`] returns, and do not drop the future of
    /// [`send`](Refresh::send). A request that the server may have seen is not repeated.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, refresh_token, web};
    /// # run(async {
    /// # let client = web();
    /// # let session_token = refresh_token().await;
    /// let tokens = client.refresh(&session_token).send().await?;
    /// let next = tokens.refresh_token().unwrap(); // the old one, if there is no other
    /// assert!(!next.is_empty());
    /// # Ok(())
    /// # });
    /// ```
    pub fn refresh(&self, refresh_token: impl AsRef<str>) -> Refresh {
        let mut mistake = Mistake::default();
        mistake.note(required("the refresh token", refresh_token.as_ref()));
        Refresh {
            client: self.clone(),
            token: Secret::new(refresh_token.as_ref()),
            audience: None,
            scopes: Scopes::default(),
            implied_scope: String::new(),
            extra: Parameters::default(),
            forwarded_for: None,
            deadline: self.0.deadline,
            mistake,
        }
    }
}

impl Refresh {
    /// Requests a token for another API, if the refresh token is one for several (MRRT).
    pub fn audience(mut self, api: impl AsRef<str>) -> Self {
        match audience(api.as_ref()) {
            Ok(audience) => self.audience = Some(audience),
            Err(error) => self.mistake.note(Err(error)),
        }
        self
    }

    /// Requests these scopes: fewer than those of the login or, for several APIs, those of the API.
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        let result = self.scopes.extend(scopes);
        self.mistake.note(result);
        self
    }

    /// Adds a parameter.
    pub fn parameter(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let result = self.extra.add(name.as_ref(), value.as_ref(), &RESERVED);
        self.mistake.note(result);
        self
    }

    /// Sets the address of the user (`auth0-forwarded-for`).
    pub const fn forwarded_for(mut self, address: IpAddr) -> Self {
        self.forwarded_for = Some(address);
        self
    }

    /// Sets the limit of the call: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Sets the scopes of an answer that names none, if the request names none either: they are not sent.
    pub(crate) fn implying(mut self, scope: String) -> Self {
        self.implied_scope = scope;
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// [`InvalidGrant`](crate::ErrorKind::InvalidGrant): the session has ended.
    /// [`MfaRequired`](crate::ErrorKind::MfaRequired): the user has to pass another factor. Others as for
    /// [`TokenSource::token`](crate::TokenSource::token).
    pub async fn send(self) -> Result<Tokens, Error> {
        self.mistake.check()?;
        let scope = self.scopes.text();
        let mut parameters =
            Parameters::of_grant("refresh_token").with("refresh_token", self.token.clone());
        parameters.set_some("audience", self.audience);
        parameters.set_some("scope", scope.clone());
        parameters.append(self.extra);
        let mut call = Call::token("refresh_token", parameters, Repeat::Unseen, Purpose::Other);
        call.forwarded_for = self.forwarded_for;
        let scope = scope.unwrap_or(self.implied_scope);
        self.client.0.tokens_once(call, scope, Some(self.token), self.deadline).await
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").field("audience", &self.audience).finish_non_exhaustive()
    }
}
