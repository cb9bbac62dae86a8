//! The configuration of one issuer by the application.
use crate::{
    error::DpopMode,
    identifier::{Domain, Issuer},
    jose::Algorithm,
    policy::{Requirement, authenticated},
    token::{
        SubjectKind, SubjectKinds, VerifiedToken,
        claim_mapping::{ClaimMapping, ClaimPath},
    },
};
use std::{fmt, time::Duration};

/// An issuer whose tokens are accepted: see [`Builder::issuer`](crate::Builder::issuer). Unset options
/// inherit the verifier's values.
///
/// ```
/// use auth0_core::{Algorithm, Auth0, TrustedIssuer, policy::organization};
///
/// let auth = Auth0::builder()
///     .domains(["acme.eu.auth0.com", "login.acme.com"]) // a tenant and its custom domain
///     .audience("https://api.acme.com")
///     .issuer(
///         TrustedIssuer::new("https://partner.us.auth0.com/")
///             .audience("https://api.partner.com")
///             .algorithms([Algorithm::RS256])
///             .require(organization("org_a1")),
///     )
///     .build()?;
/// # let _ = auth;
///
/// let twice = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .issuer(TrustedIssuer::domain("acme.eu.auth0.com").audience("https://other.com"))
///     .audience("https://api.acme.com");
/// assert!(twice.build().unwrap_err().to_string().contains("twice"));
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
///
/// For a provider other than Auth0, set the names of the claims that differ:
/// [`scope_claim`](Self::scope_claim), [`client_id_claim`](Self::client_id_claim),
/// [`permissions_claim`](Self::permissions_claim), [`client_ids`](Self::client_ids).
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct TrustedIssuer {
    pub(super) name: Name,
    pub(super) audiences: Vec<String>,
    pub(super) client_ids: Vec<String>,
    pub(super) algorithms: Option<Vec<Algorithm>>,
    pub(super) leeway: Option<Duration>,
    pub(super) rfc9068_only: Option<bool>,
    pub(super) dpop: Option<DpopMode>,
    pub(super) requirement: Requirement,
    pub(super) keys: Keys,
    pub(super) same_origin_keys: bool,
    pub(super) mapping: ClaimMapping,
    pub(super) refuses_likely_id_tokens: Option<bool>,
    pub(super) subject_kinds: Option<SubjectKinds>,
}

#[derive(Clone, PartialEq)]
pub(super) enum Name {
    Domain(String),
    Url(String),
}

#[derive(Clone, Default, PartialEq)]
pub(super) enum Keys {
    #[default]
    Discovered,
    At(String),
    Fixed(String),
}

impl TrustedIssuer {
    /// Creates an issuer from its URL, as `iss` has it: see [`Issuer`]. With
    /// [`key_set_url`](Self::key_set_url) or [`key_set`](Self::key_set), the name may be any text.
    pub fn new(url: impl Into<String>) -> Self {
        Self::named(Name::Url(url.into()))
    }

    /// Creates an issuer from the domain of a tenant, as the dashboard shows it, or from a custom domain: see
    /// [`Domain`].
    pub fn domain(domain: impl Into<String>) -> Self {
        Self::named(Name::Domain(domain.into()))
    }

    /// Returns the name as it was written.
    pub(super) fn text(&self) -> &str {
        match &self.name {
            Name::Domain(text) | Name::Url(text) => text,
        }
    }

    fn named(name: Name) -> Self {
        Self {
            name,
            audiences: Vec::new(),
            client_ids: Vec::new(),
            algorithms: None,
            leeway: None,
            rfc9068_only: None,
            dpop: None,
            requirement: authenticated(),
            keys: Keys::default(),
            same_origin_keys: false,
            mapping: ClaimMapping::default(),
            refuses_likely_id_tokens: None,
            subject_kinds: None,
        }
    }

    /// Adds an identifier of this API at this issuer. It replaces the audiences of the verifier.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Adds identifiers of this API at this issuer. They replace the audiences of the verifier.
    pub fn audiences<A: Into<String>>(mut self, audiences: impl IntoIterator<Item = A>) -> Self {
        self.audiences.extend(audiences.into_iter().map(Into::into));
        self
    }

    /// Adds clients whose tokens are accepted *without* an audience, as Amazon Cognito issues them. A token
    /// that has an audience must still have one of this API.
    ///
    /// If neither the verifier nor this issuer has an audience, only such tokens are accepted.
    pub fn client_ids<I: Into<String>>(mut self, clients: impl IntoIterator<Item = I>) -> Self {
        self.client_ids.extend(clients.into_iter().map(Into::into));
        self
    }

    /// Sets the signature algorithms that are accepted, instead of the verifier's.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// Sets how far the issuer's clock may differ, instead of the verifier's leeway: at most 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = Some(leeway);
        self
    }

    /// Accepts only tokens of the profile of RFC 9068 from this issuer: see
    /// [`Builder::rfc9068_only`](crate::Builder::rfc9068_only).
    pub fn rfc9068_only(mut self, only: bool) -> Self {
        self.rfc9068_only = Some(only);
        self
    }

    /// Sets the schemes for tokens of this issuer, instead of the mode of the verifier's
    /// [`Dpop`](crate::Dpop).
    pub fn dpop(mut self, mode: DpopMode) -> Self {
        self.dpop = Some(mode);
        self
    }

    /// Adds a requirement for all tokens of this issuer, on every route, for example an organization. A token
    /// that does not meet it is refused as by a route that requires the same.
    pub fn require(mut self, requirement: Requirement) -> Self {
        self.requirement = self.requirement.and(requirement);
        self
    }

    /// Sets the URL of the key set, for a provider without discovery. No metadata is fetched then, and the
    /// issuer may be any text (`acme.teleport.sh`), as `iss` has it.
    pub fn key_set_url(mut self, url: impl Into<String>) -> Self {
        self.keys = Keys::At(url.into());
        self
    }

    /// Sets the key set as JSON (RFC 7517 §5), for a provider whose keys are exchanged by other means.
    /// Nothing is fetched then.
    pub fn key_set(mut self, json: impl Into<String>) -> Self {
        self.keys = Keys::Fixed(json.into());
        self
    }

    /// Requires that the `jwks_uri` in the metadata has the origin (scheme, host and port) of the issuer.
    /// Off by default, because large providers publish their keys at other origins.
    pub fn same_origin_keys(mut self, demanded: bool) -> Self {
        self.same_origin_keys = demanded;
        self
    }

    /// Sets the claim that contains the scopes, instead of `scope`: a string with spaces, or an array of
    /// strings. The path is the name of the claim, and names of members in it: `["scp"]`.
    pub fn scope_claim<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.mapping.scope = ClaimPath::new(path);
        self
    }

    /// Sets the path of the claim that contains the client, instead of `client_id` or `azp`: `["appid"]`.
    pub fn client_id_claim<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.mapping.client_id = ClaimPath::new(path);
        self
    }

    /// Sets the path of the claim that contains the permissions (see
    /// [`permission`](crate::policy::permission())), instead of `permissions`: an array of strings, or one
    /// string, such as roles: `["realm_access", "roles"]`.
    pub fn permissions_claim<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.mapping.permissions = ClaimPath::new(path);
        self.mapping.permissions_are_members = false;
        self
    }

    /// Sets the path of a claim that is an object whose members are named as the permissions, instead of
    /// `permissions`: `["urn:zitadel:iam:org:project:roles"]`.
    pub fn permissions_from_members<N: Into<String>>(
        mut self,
        path: impl IntoIterator<Item = N>,
    ) -> Self {
        self.mapping.permissions = ClaimPath::new(path);
        self.mapping.permissions_are_members = true;
        self
    }

    /// Adds a claim for the subject, by its path, instead of `sub`. With several calls, the first of the
    /// claims that is there and not empty counts. A token with none of them is refused.
    ///
    /// Tokens for machines have no `sub` at some providers: `.subject_claim(["sub"])`
    /// `.subject_claim(["client_id"])`. Name only claims that a client cannot choose, and that no two
    /// subjects of the issuer share.
    pub fn subject_claim<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.mapping.subject.push(ClaimPath::new(path));
        self
    }

    /// Sets the path of the claim that names the login session, instead of `sid`, which Auth0's access tokens do not have:
    /// `["https://acme.com/sid"]`, for a claim that an Action copies from `event.session.id`. Only then a session can be
    /// [revoked](crate::revocation::Revocation::session).
    pub fn session_claim<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.mapping.session = ClaimPath::new(path);
        self
    }

    /// Sets how its tokens tell persons from machines, for [`policy::user`](crate::policy::user()),
    /// [`policy::machine`](crate::policy::machine()) and
    /// [`VerifiedToken::subject_kind`](crate::VerifiedToken::subject_kind): a function that returns `None`
    /// where it is not known. By default, Auth0's tokens are known, and those of other providers by the signs
    /// that they document.
    ///
    /// ```
    /// use auth0_core::{SubjectKind, TrustedIssuer};
    ///
    /// let issuer = TrustedIssuer::new("https://id.acme.com/")
    ///     .subject_kind(|token| match token.claim::<String>("kind").ok()??.as_str() {
    ///         "employee" => Some(SubjectKind::User),
    ///         "service" => Some(SubjectKind::Machine),
    ///         _ => None,
    ///     });
    /// # let _ = issuer;
    /// ```
    pub fn subject_kind(mut self, of: fn(&VerifiedToken) -> Option<SubjectKind>) -> Self {
        self.subject_kinds = Some(SubjectKinds::Custom(of));
        self
    }

    /// Sets whether tokens that look like ID tokens are refused: those with a `nonce` or a hash (`at_hash`),
    /// and those whose only audience is their client (`azp`). On by default for Auth0's issuers, whose access
    /// tokens never look so; off for others, because access tokens of several providers do.
    ///
    /// Tokens that name another kind (`typ` or `token_use` is `ID`, `events` of a logout token) are always
    /// refused. If a client of another provider is registered together with the API, so that both have one
    /// audience, turn this on, or require a claim that ID tokens lack.
    pub fn refuse_likely_id_tokens(mut self, refuse: bool) -> Self {
        self.refuses_likely_id_tokens = Some(refuse);
        self
    }
}

/// Converts from a URL or, if there is no scheme, from a domain, as resolvers of other SDKs return it.
impl From<&str> for TrustedIssuer {
    fn from(name: &str) -> Self {
        if name.contains("://") { Self::new(name) } else { Self::domain(name) }
    }
}

impl From<String> for TrustedIssuer {
    fn from(name: String) -> Self {
        name.as_str().into()
    }
}

impl From<&String> for TrustedIssuer {
    fn from(name: &String) -> Self {
        name.as_str().into()
    }
}

impl From<Issuer> for TrustedIssuer {
    fn from(issuer: Issuer) -> Self {
        Self::new(issuer.as_str())
    }
}

/// Omits text that was not parsed, which may contain a password.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovered => "Discovered",
            Self::At(_) => "At(…)",
            Self::Fixed(_) => "Fixed(…)",
        })
    }
}

/// Omits text that was not parsed, which may contain a password.
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => write!(f, "{:?}", domain.parse::<Domain>().ok()),
            Self::Url(url) => write!(f, "{:?}", Issuer::named(url).ok()),
        }
    }
}
