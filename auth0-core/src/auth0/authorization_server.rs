//! The issuers of a verifier as clients see them: for documents.
use super::Auth0;
use crate::{
    error::{DpopMode, RefusalBody},
    issuer::Trusted,
    policy::Requirement,
};

/// A configured issuer, as a client that needs a token sees it: see [`Auth0::authorization_servers`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationServer {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    metadata_url: Option<String>,
    dpop: DpopMode,
    audiences: Vec<String>,
    requirement: Option<Requirement>,
}

impl AuthorizationServer {
    fn of(trusted: &Trusted) -> Self {
        let issuer = trusted.keys.issuer_name();
        let known = trusted.keys.fetcher().endpoints();
        // The endpoints of a tenant are the same at each of its domains.
        let by_rule = || {
            let base = issuer.trim_end_matches('/');
            (Some(format!("{base}/authorize")), Some(format!("{base}/oauth/token")))
        };
        let (authorization_endpoint, token_endpoint) = match known {
            Some(known) => (known.authorization.map(String::from), known.token.map(String::from)),
            None if trusted.accepted_by.is_auth0 => by_rule(),
            None => (None, None),
        };
        Self {
            authorization_endpoint,
            token_endpoint,
            metadata_url: trusted.keys.source().metadata_url(),
            dpop: trusted.dpop,
            audiences: trusted.validation.audiences.iter().map(ToString::to_string).collect(),
            requirement: trusted.requirement.clone(),
            issuer,
        }
    }

    /// Returns the issuer, as `iss` has it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the URL at which users log in. It comes from the issuer's metadata. Before that was read, it is known
    /// for a tenant of Auth0 that is configured by its domain.
    #[must_use]
    pub fn authorization_endpoint(&self) -> Option<&str> {
        self.authorization_endpoint.as_deref()
    }

    /// Returns the URL at which clients get tokens; known as the
    /// [`authorization_endpoint`](Self::authorization_endpoint) is.
    #[must_use]
    pub fn token_endpoint(&self) -> Option<&str> {
        self.token_endpoint.as_deref()
    }

    /// Returns the URL of the metadata (OpenID Connect Discovery §4). `None` if the keys of the issuer are configured,
    /// so that it may have none.
    #[must_use]
    pub fn metadata_url(&self) -> Option<&str> {
        self.metadata_url.as_deref()
    }

    /// Returns the schemes that its tokens may be sent with.
    #[must_use]
    pub const fn dpop(&self) -> DpopMode {
        self.dpop
    }

    /// Returns the audiences that its tokens may have: a client names one when it requests a token.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.audiences.iter().map(|audience| &**audience)
    }

    /// Returns the requirement that each of its tokens must meet
    /// ([`TrustedIssuer::require`](crate::TrustedIssuer::require)).
    #[must_use]
    pub const fn requirement(&self) -> Option<&Requirement> {
        self.requirement.as_ref()
    }
}

impl Auth0 {
    /// Returns the configured issuers with the endpoints at which clients get tokens, in the order of the
    /// configuration: for documents such as `OpenAPI`. Nothing is fetched; [`warm_up`](Self::warm_up) reads the
    /// metadata of every issuer whose keys are discovered.
    ///
    /// ```
    /// use auth0_core::Auth0;
    ///
    /// let auth = Auth0::builder()
    ///     .domain("acme.eu.auth0.com")
    ///     .audience("https://api.acme.com")
    ///     .build()?;
    /// let acme = auth.authorization_servers().next().unwrap();
    /// assert_eq!(acme.authorization_endpoint(), Some("https://acme.eu.auth0.com/authorize"));
    /// assert_eq!(acme.token_endpoint(), Some("https://acme.eu.auth0.com/oauth/token"));
    /// # Ok::<(), auth0_core::ConfigError>(())
    /// ```
    pub fn authorization_servers(&self) -> impl Iterator<Item = AuthorizationServer> {
        self.0.issuers.iter().map(|trusted| AuthorizationServer::of(trusted))
    }

    /// Returns whether issuers are found for each request, so that those of
    /// [`authorization_servers`](Self::authorization_servers) are not all.
    #[must_use]
    pub fn resolves_issuers(&self) -> bool {
        self.0.issuers.resolver.is_some()
    }

    /// Returns the schemes that are enabled for any issuer.
    #[must_use]
    pub fn dpop_mode(&self) -> DpopMode {
        self.0.schemes
    }

    /// Returns the media type of the body of refusals, if it is the application's own
    /// ([`Builder::refusal_body`](crate::Builder::refusal_body)).
    #[must_use]
    pub fn own_refusal_media_type(&self) -> Option<&'static str> {
        self.0.challenge.body.as_ref().map(RefusalBody::media_type)
    }
}
