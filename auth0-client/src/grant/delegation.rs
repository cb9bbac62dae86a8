//! On-behalf-of token exchange (RFC 8693): the caller's token for another API.
use super::{ACCESS_TOKEN, TOKEN_EXCHANGE, audience};
use crate::{
    cache::KeyBuilder,
    client::{Client, Shared},
    error::{Error, ErrorKind, Purpose},
    parameters::{Mistake, Parameters, Scopes},
    secret::Secret,
    server::{Call, Repeat},
    source::{Party, Subject, TokenRequest, TokenSource},
    token::Caller,
};
use auth0_core::ConfigError;
use std::{fmt, sync::Arc, time::Duration};

/// The settings of a delegation: see [`Client::delegation`].
#[must_use = "`build` creates the delegation"]
pub struct DelegationBuilder {
    client: Client,
    audience: Result<String, ConfigError>,
    scopes: Scopes,
    extra: Parameters,
    deadline: Duration,
    mistake: Mistake,
}

/// Exchanges the tokens of callers for tokens of another API: see [`Client::delegation`]. Clones are cheap.
#[derive(Clone)]
pub struct Delegation {
    shared: Arc<Shared>,
    request: Arc<TokenRequest>,
}

/// The parameters that this grant sets.
const RESERVED: [&str; 8] = [
    "actor_token",
    "actor_token_type",
    "audience",
    "organization",
    "requested_token_type",
    "scope",
    "subject_token",
    "subject_token_type",
];

impl Client {
    /// Starts an exchange of callers' tokens for tokens of the API with this identifier, so that this API calls it on
    /// behalf of each caller.
    ///
    /// The application is a *Custom API client* of Auth0, linked to this API. The new token has the same `sub`, and
    /// names this application in `act`. It is kept for the caller's token, and ends with it.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, api, token_of};
    /// # run(async {
    /// # let client = api();
    /// let billing = client.delegation("https://billing.acme.com").scopes(["read:invoices"]).build()?;
    ///
    /// let (ann, bob) = (token_of("auth0|ann"), token_of("auth0|bob")); // extractors, in a handler
    /// let of_ann = billing.on_behalf_of(&ann).await?;
    /// let of_bob = billing.on_behalf_of(&bob).await?;
    /// assert_ne!(of_ann.encoded(), of_bob.encoded());
    /// # Ok(())
    /// # });
    /// ```
    pub fn delegation(&self, api: impl AsRef<str>) -> DelegationBuilder {
        DelegationBuilder {
            client: self.clone(),
            audience: audience(api.as_ref()),
            scopes: Scopes::default(),
            extra: Parameters::default(),
            deadline: self.0.deadline,
            mistake: Mistake::default(),
        }
    }
}

impl DelegationBuilder {
    /// Requests these scopes: otherwise, all that the caller and this application may have.
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

    /// Sets the limit of each call: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Creates the delegation. Nothing is sent.
    ///
    /// # Errors
    /// The audience or a scope is not valid, or the client is public.
    pub fn build(self) -> Result<Delegation, ConfigError> {
        let audience = self.audience?;
        self.mistake.config()?;
        if !self.client.0.server.authentication.is_confidential() {
            return Err(ConfigError::new(
                "a public client cannot exchange tokens on behalf of callers. Use a Custom API client with a \
                 secret, a signing key or a certificate",
            ));
        }
        let scope = self.scopes.text();
        let mut parameters = Parameters::of_grant(TOKEN_EXCHANGE)
            .with("subject_token_type", ACCESS_TOKEN)
            .with("requested_token_type", ACCESS_TOKEN)
            .with("audience", audience);
        parameters.set_some("scope", scope.clone());
        parameters.append(self.extra);
        let request = TokenRequest {
            key: KeyBuilder::of(&parameters),
            call: Call::token("on_behalf_of", parameters, Repeat::Always, Purpose::Exchange),
            scope: scope.unwrap_or_default().into(),
            party: Party::Caller,
            deadline: self.deadline,
            mistake: None,
        };
        Ok(Delegation { shared: self.client.0, request: Arc::new(request) })
    }
}

impl Delegation {
    /// Returns the source of the token for one caller. `delegation.on_behalf_of(&caller).await` is the token.
    pub fn on_behalf_of<'a>(&self, caller: impl Into<Caller<'a>>) -> TokenSource {
        source(&self.shared, &self.request, caller.into())
    }
}

/// Returns the source of a token in exchange for that of a caller.
pub(super) fn source(
    shared: &Arc<Shared>,
    request: &Arc<TokenRequest>,
    caller: Caller<'_>,
) -> TokenSource {
    let subject = Subject {
        token: Some(Secret::new(caller.encoded())),
        ends_at: caller.ends_at(),
        challenge: caller.challenge(),
    };
    match check_subject(caller.encoded()) {
        Ok(()) => TokenSource::new(shared, request, Some(subject)),
        Err(mistake) => {
            let mut request = TokenRequest::clone(request);
            request.mistake.get_or_insert(mistake);
            TokenSource::new(shared, &Arc::new(request), Some(subject))
        }
    }
}

/// Checks a subject token before it is sent.
pub(super) fn check_subject(token: &str) -> Result<(), Error> {
    let why = match token {
        "" => {
            "The subject token is empty. Take it from the extractor of the request; a token that a verifier \
             returned without a request has no text"
        }
        token if token.trim() != token => "The subject token has spaces around it",
        token if token.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) => {
            "The subject token begins with \"Bearer \", which belongs to the header. Pass what follows it"
        }
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Misconfigured, why))
}

impl fmt::Debug for Delegation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delegation").field("scope", &self.request.scope).finish_non_exhaustive()
    }
}

impl fmt::Debug for DelegationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelegationBuilder")
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
