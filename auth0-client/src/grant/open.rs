//! Any other grant.
use super::audience;
use crate::{
    client::Client,
    error::{Error, Purpose},
    parameters::{Mistake, Parameters, Scopes, required},
    server::{Call, Repeat},
    token::Tokens,
};
use std::{fmt, net::IpAddr, time::Duration};

/// A request for tokens with a grant of your choice: see [`Client::grant`].
#[must_use = "`send` sends the request"]
pub struct OpenGrant {
    client: Client,
    grant_type: String,
    parameters: Parameters,
    audience: Option<String>,
    scopes: Scopes,
    /// The scopes that this request has without naming them.
    implied_scope: String,
    forwarded_for: Option<IpAddr>,
    deadline: Duration,
    mistake: Mistake,
}

/// The parameters with a method of their own.
const RESERVED: [&str; 2] = ["audience", "scope"];

impl Client {
    /// Starts a request for tokens with any grant, such as one that Auth0 adds later, or the code of a login. The client
    /// authenticates, proves its DPoP key and reads errors as in every other request. Nothing is kept in memory, and a
    /// request that the server may have seen is not repeated.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, code, web};
    /// # run(async {
    /// # let client = web();
    /// # let code = code().await;
    /// let request = client
    ///     .grant("authorization_code")
    ///     .parameter("code", code)
    ///     .parameter("redirect_uri", "https://app.acme.com/callback");
    /// let tokens = request.send().await?;
    /// assert!(tokens.access_token().expires_at().is_some());
    ///
    /// let other = client.grant("authorization_code").parameter("client_secret", "x");
    /// assert!(other.send().await.is_err()); // it is the client's
    /// # Ok(())
    /// # });
    /// ```
    pub fn grant(&self, grant_type: impl Into<String>) -> OpenGrant {
        let grant_type = grant_type.into();
        let mut mistake = Mistake::default();
        mistake.note(required("the grant type", &grant_type));
        OpenGrant {
            client: self.clone(),
            grant_type,
            parameters: Parameters::default(),
            audience: None,
            scopes: Scopes::default(),
            implied_scope: String::new(),
            forwarded_for: None,
            deadline: self.0.deadline,
            mistake,
        }
    }
}

impl OpenGrant {
    /// Adds a parameter. Those of the client itself (`grant_type`, `client_id`, `client_secret`, `client_assertion`,
    /// `client_assertion_type`, `dpop_jkt`) are refused.
    pub fn parameter(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let result = self.parameters.add(name.as_ref(), value.as_ref(), &RESERVED);
        self.mistake.note(result);
        self
    }

    /// Sets the API that the access token is for.
    pub fn audience(mut self, api: impl AsRef<str>) -> Self {
        match audience(api.as_ref()) {
            Ok(audience) => self.audience = Some(audience),
            Err(error) => self.mistake.note(Err(error)),
        }
        self
    }

    /// Requests these scopes.
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        let result = self.scopes.extend(scopes);
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
    /// As for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn send(self) -> Result<Tokens, Error> {
        self.mistake.check()?;
        let scope = self.scopes.text();
        let mut parameters = Parameters::of_grant(self.grant_type);
        parameters.set_some("audience", self.audience);
        parameters.set_some("scope", scope.clone());
        parameters.append(self.parameters);
        let mut call = Call::token("other", parameters, Repeat::UnseenNow, Purpose::Other);
        call.forwarded_for = self.forwarded_for;
        let scope = scope.unwrap_or(self.implied_scope);
        self.client.0.tokens_once(call, scope, None, self.deadline).await
    }
}

impl fmt::Debug for OpenGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenGrant").field("grant_type", &self.grant_type).finish_non_exhaustive()
    }
}
