//! How one issuer is trusted.
use crate::{
    builder::ConfigError,
    crypto::{Algorithm, AlgorithmSet},
    domain::{Audience, Domain, Issuer},
    dpop::DpopMode,
    jwks::{KeySet, KeySource},
    mapping::{ClaimPath, Mapping},
    policy::{Requirement, authenticated},
    verifier::Rules,
};
use std::{fmt, time::Duration};

/// More would lengthen the life of every token noticeably.
const MAX_LEEWAY: Duration = Duration::from_secs(60);

/// An issuer whose tokens are accepted, with rules of its own where they differ from the verifier's:
/// see [`Builder::issuer`](crate::Builder::issuer).
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
/// For a provider other than Auth0, say where its tokens carry what Auth0's carry elsewhere:
/// [`scope_claim`](Self::scope_claim), [`client_id_claim`](Self::client_id_claim),
/// [`permissions_claim`](Self::permissions_claim), [`client_ids`](Self::client_ids).
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct TrustedIssuer {
    name: Name,
    audiences: Vec<String>,
    client_ids: Vec<String>,
    algorithms: Option<Vec<Algorithm>>,
    leeway: Option<Duration>,
    rfc9068_only: Option<bool>,
    dpop: Option<DpopMode>,
    requirement: Requirement,
    keys: Keys,
    same_origin_keys: bool,
    mapping: Mapping,
}

#[derive(Clone, PartialEq)]
enum Name {
    Domain(String),
    Url(String),
}

#[derive(Clone, Default, PartialEq)]
enum Keys {
    #[default]
    Discovered,
    At(String),
    Fixed(String),
}

/// What a verifier says where its issuers do not.
#[derive(Clone)]
pub(crate) struct Defaults {
    pub(crate) audiences: Vec<String>,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) leeway: Duration,
    pub(crate) rfc9068_only: bool,
    pub(crate) dpop: DpopMode,
}

/// An issuer that can be trusted: checked, and ready to be asked for its keys.
pub(crate) struct Checked {
    pub(crate) rules: Rules,
    pub(crate) dpop: DpopMode,
    pub(crate) requirement: Option<Requirement>,
    pub(crate) key_source: KeySource,
}

impl TrustedIssuer {
    /// An issuer by its URL, as it stands in `iss`: see [`Issuer`].
    pub fn new(url: impl Into<String>) -> Self {
        Self::named(Name::Url(url.into()))
    }

    /// The tenant of a domain, as the dashboard shows it, or a custom domain: see [`Domain`].
    pub fn domain(domain: impl Into<String>) -> Self {
        Self::named(Name::Domain(domain.into()))
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
            mapping: Mapping::default(),
        }
    }

    /// The identifier of this API at this issuer, instead of the verifier's. Called again, it adds
    /// another.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The identifiers of this API at this issuer, instead of the verifier's.
    pub fn audiences<A: Into<String>>(mut self, audiences: impl IntoIterator<Item = A>) -> Self {
        self.audiences.extend(audiences.into_iter().map(Into::into));
        self
    }

    /// The clients whose tokens are accepted *without* an audience, as Amazon Cognito issues them. A
    /// token that has an audience must have one of this API's all the same.
    ///
    /// Without any audience at all, of the verifier or of this issuer, only such tokens are accepted.
    pub fn client_ids<I: Into<String>>(mut self, clients: impl IntoIterator<Item = I>) -> Self {
        self.client_ids.extend(clients.into_iter().map(Into::into));
        self
    }

    /// The signature algorithms that are accepted of it, instead of the verifier's.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// How far its clock may differ, instead of the verifier's leeway: 60 s at the most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = Some(leeway);
        self
    }

    /// Accepts of it only tokens of the profile of RFC 9068: see
    /// [`Builder::rfc9068_only`](crate::Builder::rfc9068_only).
    pub fn rfc9068_only(mut self, only: bool) -> Self {
        self.rfc9068_only = Some(only);
        self
    }

    /// Whether its tokens have to be bound to a key, instead of what the verifier's
    /// [`Dpop`](crate::Dpop) says.
    pub fn dpop(mut self, mode: DpopMode) -> Self {
        self.dpop = Some(mode);
        self
    }

    /// What every token of it must meet, on every route: an organization, say. Called again, it adds
    /// another. A token that does not is refused as it would be by a route that requires the same.
    pub fn require(mut self, requirement: Requirement) -> Self {
        self.requirement = self.requirement.and(requirement);
        self
    }

    /// Where its key set is, for a provider without discovery. No metadata is fetched then.
    pub fn key_set_url(mut self, url: impl Into<String>) -> Self {
        self.keys = Keys::At(url.into());
        self
    }

    /// Its key set as JSON (RFC 7517 §5), for a provider whose keys are handed over by other means.
    /// Nothing is fetched then.
    pub fn key_set(mut self, json: impl Into<String>) -> Self {
        self.keys = Keys::Fixed(json.into());
        self
    }

    /// Demands that the `jwks_uri` in its metadata has the origin (scheme, host and port) of the issuer.
    /// Off by default: large providers keep their keys elsewhere.
    pub fn same_origin_keys(mut self, demanded: bool) -> Self {
        self.same_origin_keys = demanded;
        self
    }

    /// Where its tokens have the scopes, instead of in `scope`: a string with spaces, or an array of
    /// strings. The names lead from claim to member: `["scp"]`.
    pub fn scope_claim<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.mapping.scope = ClaimPath::new(path);
        self
    }

    /// Where its tokens have the client, instead of in `client_id` or `azp`: `["appid"]`.
    pub fn client_id_claim<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.mapping.client_id = ClaimPath::new(path);
        self
    }

    /// Where its tokens have what [`permission`](crate::policy::permission()) asks for, instead of in
    /// `permissions`: an array of strings, such as roles: `["realm_access", "roles"]`.
    pub fn permissions_claim<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.mapping.permissions = ClaimPath::new(path);
        self
    }

    pub(crate) fn check(self, defaults: &Defaults) -> Result<Checked, ConfigError> {
        let issuer = match &self.name {
            Name::Domain(domain) => domain.parse::<Domain>()?.issuer(),
            Name::Url(url) => url.parse::<Issuer>()?,
        };
        let audiences =
            if self.audiences.is_empty() { &defaults.audiences } else { &self.audiences };
        if audiences.is_empty() && self.client_ids.is_empty() {
            return Err(ConfigError::new(
                "no audience is set. Add .audience(\"https://api.acme.com\"), with the identifier \
                 of your API (Dashboard > Applications > APIs > Identifier)",
            ));
        }
        if self.client_ids.iter().any(|client| client.trim().is_empty()) {
            return Err(ConfigError::new(format!(
                "a client id of {issuer} is empty. Leave it out, or write the client's id"
            )));
        }
        let algorithms = match self.algorithms {
            Some(algorithms) => algorithms.into_iter().collect(),
            None => defaults.algorithms,
        };
        if algorithms.is_empty() {
            return Err(ConfigError::new(
                "no signature algorithm is accepted. Leave .algorithms(…) out for Auth0's, RS256 \
                 and PS256",
            ));
        }
        let leeway = self.leeway.unwrap_or(defaults.leeway);
        if leeway > MAX_LEEWAY {
            return Err(ConfigError::new(format!(
                "the leeway of {leeway:?} is more than 60 s, which would keep expired tokens alive. \
                 Correct the clocks instead"
            )));
        }
        if self.requirement.needs_request() {
            return Err(ConfigError::new(format!(
                "what is required of every token of {issuer} asks the request for something. Put \
                 that on the routes that have it"
            )));
        }
        let key_source = match self.keys {
            Keys::Discovered => KeySource::Discovery { same_origin: self.same_origin_keys },
            Keys::At(url) => KeySource::at(&url, &issuer)?,
            Keys::Fixed(json) => {
                if KeySet::parse(json.as_bytes(), algorithms).is_none_or(|set| set.is_unusable()) {
                    return Err(ConfigError::new(format!(
                        "the key set of {issuer} has no key that can be used. Write the JSON of a \
                         key set (RFC 7517 §5), with a public key for an accepted algorithm"
                    )));
                }
                KeySource::Fixed(json.into())
            }
        };
        let is_plain = self.requirement == authenticated();
        Ok(Checked {
            rules: Rules {
                audiences: audiences
                    .iter()
                    .map(|audience| audience.parse())
                    .collect::<Result<Vec<Audience>, _>>()?,
                client_ids: self.client_ids,
                algorithms,
                leeway,
                rfc9068_only: self.rfc9068_only.unwrap_or(defaults.rfc9068_only),
                mapping: (!self.mapping.is_default()).then(|| Box::new(self.mapping)),
                issuer,
            },
            dpop: self.dpop.unwrap_or(defaults.dpop),
            requirement: (!is_plain).then_some(self.requirement),
            key_source,
        })
    }
}

impl Checked {
    /// Whether both say the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.rules == other.rules
            && self.dpop == other.dpop
            && same_requirement(self.requirement.as_ref(), other.requirement.as_ref())
            && self.key_source == other.key_source
    }
}

pub(crate) fn same_requirement(one: Option<&Requirement>, other: Option<&Requirement>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// A URL, or what has no scheme: a domain, as other SDKs' resolvers return it.
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

/// What is not parsed yet may have a password in it.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovered => "Discovered",
            Self::At(_) => "At(…)",
            Self::Fixed(_) => "Fixed(…)",
        })
    }
}

/// The same.
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => write!(f, "{:?}", domain.parse::<Domain>().ok()),
            Self::Url(url) => write!(f, "{:?}", url.parse::<Issuer>().ok()),
        }
    }
}
