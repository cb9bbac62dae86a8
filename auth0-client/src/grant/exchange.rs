//! Custom token exchange: a token of another system for tokens of this tenant.
use super::{TOKEN_EXCHANGE, audience, delegation::check_subject};
use crate::{
    cache::KeyBuilder,
    client::Client,
    error::{Error, ErrorKind, Purpose},
    parameters::{Mistake, Parameters, Scopes, required},
    secret::Secret,
    server::{Call, Repeat},
    source::{Party, TokenRequest, TokenSource},
    token::{Tokens, expiry},
};
use auth0_core::{ConfigError, support::Escaped};
use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

/// The namespaces of subject token types that Auth0 reserves.
const RESERVED_TYPES: [&str; 7] = [
    "http://auth0.com",
    "https://auth0.com",
    "http://okta.com",
    "https://okta.com",
    "urn:ietf",
    "urn:auth0",
    "urn:okta",
];

/// The parameters that this grant sets, and those of other requests, which would change its meaning.
const RESERVED: [&str; 21] = [
    "actor_token",
    "actor_token_type",
    "assertion",
    "audience",
    "auth_req_id",
    "code",
    "code_verifier",
    "connection",
    "device_code",
    "login_hint",
    "mfa_token",
    "oob_code",
    "organization",
    "otp",
    "password",
    "redirect_uri",
    "refresh_token",
    "requested_token_type",
    "scope",
    "subject_token",
    "subject_token_type",
];

/// A custom token exchange: see [`Client::exchange`].
#[must_use = "`send` sends the request"]
pub struct Exchange {
    client: Client,
    subject_type: String,
    subject: Secret,
    actor: Option<(Secret, String)>,
    audience: Option<String>,
    organization: Option<String>,
    requested_type: Option<String>,
    scopes: Scopes,
    extra: Parameters,
    forwarded_for: Option<IpAddr>,
    deadline: Duration,
    mistake: Mistake,
}

impl Client {
    /// Starts an exchange of a token of another system, of this type, for tokens of this tenant: custom token exchange
    /// (RFC 8693). The type is that of a token exchange profile of the tenant.
    ///
    /// The tokens are kept as long as they are valid and the subject token is, unless a refresh token or a session
    /// transfer token is requested.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, api};
    /// # run(async {
    /// # let client = api();
    /// let tokens = client
    ///     .exchange("urn:acme:legacy", "a token of the legacy system")
    ///     .audience("https://orders.acme.com")
    ///     .scopes(["read:orders"])
    ///     .send()
    ///     .await?;
    /// assert!(tokens.access_token().has_scope("read:orders"));
    /// # Ok(())
    /// # });
    /// ```
    pub fn exchange(
        &self,
        subject_token_type: impl Into<String>,
        subject_token: impl AsRef<str>,
    ) -> Exchange {
        let subject_type = subject_token_type.into();
        let mut mistake = Mistake::default();
        mistake.note(check_type(&subject_type));
        Exchange {
            client: self.clone(),
            subject_type,
            subject: Secret::new(subject_token.as_ref()),
            actor: None,
            audience: None,
            organization: None,
            requested_type: None,
            scopes: Scopes::default(),
            extra: Parameters::default(),
            forwarded_for: None,
            deadline: self.0.deadline,
            mistake,
        }
    }
}

fn check_type(name: &str) -> Result<(), ConfigError> {
    let refused = |why: &str| {
        Err(ConfigError::new(format!(
            "the type of the subject token {} {why}. Write the type of the token exchange profile, for \
             example \"urn:acme:legacy-token\" (Dashboard > Authentication > Token Exchange)",
            Escaped(name)
        )))
    };
    let lower = name.to_ascii_lowercase();
    if url::Url::parse(name).is_err()
        || name.contains(|c: char| c.is_whitespace() || c.is_control())
    {
        return refused("is not a URI");
    }
    let is_below = |namespace: &&str| {
        let rest = lower.strip_prefix(*namespace);
        rest.is_some_and(|rest| {
            !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
        })
    };
    if RESERVED_TYPES.iter().any(is_below) {
        return refused("is reserved by Auth0");
    }
    Ok(())
}

impl Exchange {
    /// Sets the token of the party that acts for the subject, and its type (RFC 8693 §2.1). Auth0 issues no refresh
    /// token then.
    pub fn actor(mut self, token: impl AsRef<str>, token_type: impl Into<String>) -> Self {
        let token_type = token_type.into();
        self.mistake.note(required("the actor token", token.as_ref()));
        self.mistake.note(required("the type of the actor token", &token_type));
        self.actor = Some((Secret::new(token.as_ref()), token_type));
        self
    }

    /// Sets the API that the token is for.
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

    /// Sets the organization of the user.
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        let organization = organization.into();
        self.mistake.note(required("the organization", &organization));
        self.organization = Some(organization);
        self
    }

    /// Sets the type of token that is requested (RFC 8693 §3).
    pub fn requested_token_type(mut self, name: impl Into<String>) -> Self {
        self.requested_type = Some(name.into());
        self
    }

    /// Adds a parameter, which an Action reads.
    pub fn parameter(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let result = self.extra.add(name.as_ref(), value.as_ref(), &RESERVED);
        self.mistake.note(result);
        self
    }

    /// Sets the address of the user (`auth0-forwarded-for`), for the tenant's protection from attacks. Auth0 believes
    /// it of confidential clients with this setting.
    pub const fn forwarded_for(mut self, address: IpAddr) -> Self {
        self.forwarded_for = Some(address);
        self
    }

    /// Sets the limit of the call: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Returns the tokens, from memory or from Auth0.
    ///
    /// # Errors
    /// As for [`TokenSource::token`]. A setting is not valid
    /// ([`Misconfigured`](crate::ErrorKind::Misconfigured)): nothing was sent then.
    pub async fn send(self) -> Result<Tokens, Error> {
        if !self.is_for_once() {
            return self.source()?.tokens().await;
        }
        let (client, limit) = (self.client.clone(), self.deadline);
        let (call, _, scope) = self.call()?;
        client.0.tokens_once(call, scope, None, limit).await
    }

    /// Returns the source of the access token, which can [forget](TokenSource::forget) it, and sends requests. Nothing is
    /// sent before.
    ///
    /// # Errors
    /// A setting is not valid, or the tokens are for one session only (`offline_access`, a session transfer):
    /// [`Misconfigured`](crate::ErrorKind::Misconfigured).
    pub fn source(self) -> Result<TokenSource, Error> {
        if self.is_for_once() {
            let cause = "These tokens are for one session: call send";
            return Err(Error::new(ErrorKind::Misconfigured, cause));
        }
        let (client, limit) = (self.client.clone(), self.deadline);
        let subject_ends_at = expiry(&self.subject);
        let (call, key, scope) = self.call()?;
        let request = TokenRequest {
            key,
            call,
            scope: scope.into(),
            party: Party::Caller,
            deadline: limit,
            mistake: None,
        };
        Ok(TokenSource::of_exchange(&client.0, &Arc::new(request), subject_ends_at))
    }

    /// Returns whether each call needs tokens of its own.
    fn is_for_once(&self) -> bool {
        let is_transfer =
            self.audience.as_deref().is_some_and(|name| name.ends_with(":session_transfer"));
        is_transfer || self.scopes.contains("offline_access")
    }

    fn call(self) -> Result<(Call, KeyBuilder, String), Error> {
        self.mistake.clone().check()?;
        check_subject(&self.subject)?;
        let scope = self.scopes.text();
        let mut parameters = Parameters::of_grant(TOKEN_EXCHANGE)
            .with("subject_token_type", self.subject_type)
            .with("subject_token", self.subject);
        if let Some((token, token_type)) = self.actor {
            parameters.set("actor_token", token);
            parameters.set("actor_token_type", token_type);
        }
        parameters.set_some("audience", self.audience);
        parameters.set_some("scope", scope.clone());
        parameters.set_some("organization", self.organization);
        parameters.set_some("requested_token_type", self.requested_type);
        parameters.append(self.extra);
        let key = KeyBuilder::of(&parameters);
        let mut call =
            Call::token("token_exchange", parameters, Repeat::UnseenNow, Purpose::Exchange);
        call.forwarded_for = self.forwarded_for;
        Ok((call, key, scope.unwrap_or_default()))
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("subject_token_type", &self.subject_type)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
