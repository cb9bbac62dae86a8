//! What a token or a proof is checked against.
use super::kind::Kind;
use auth0_core::{Algorithm, Requirement, time::Clock};
use std::{sync::Arc, time::Duration};

/// The issuer, as the caller names it.
#[derive(Clone, Debug)]
pub(crate) enum IssuerName {
    #[cfg(feature = "cli")]
    Domain(String),
    Url(String),
}

/// The request that a token or a proof belongs to.
#[derive(Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: Option<String>,
    pub(crate) url: Option<String>,
    /// The proof that comes with a token.
    pub(crate) proof: Option<String>,
    /// The access token that comes with a proof.
    pub(crate) token: Option<String>,
    /// The certificate of the client, in DER.
    pub(crate) certificate: Option<Vec<u8>>,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) issuer: Option<IssuerName>,
    /// The key set of the issuer, in JSON. Without it, the keys are fetched from the issuer that is named.
    pub(crate) key_set: Option<String>,
    pub(crate) audiences: Vec<String>,
    /// The application that an ID token or a logout token is for.
    pub(crate) client_id: Option<String>,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) proof_algorithms: Vec<Algorithm>,
    pub(crate) leeway: Option<Duration>,
    pub(crate) rfc9068_only: bool,
    pub(crate) http_hosts: Vec<String>,
    /// What it is checked as, if that is not what it is.
    pub(crate) kind: Option<Kind>,
    pub(crate) request: Request,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Settings {
    pub(crate) fn new(clock: impl Clock) -> Self {
        Self {
            issuer: None,
            key_set: None,
            audiences: Vec::new(),
            client_id: None,
            requirements: Vec::new(),
            algorithms: Vec::new(),
            proof_algorithms: Vec::new(),
            leeway: None,
            rfc9068_only: false,
            http_hosts: Vec::new(),
            kind: None,
            request: Request::default(),
            clock: Arc::new(clock),
        }
    }

    /// Returns what a token of this kind is checked as: where an API is named, as the token of a request to it.
    pub(super) fn checked_as(&self, kind: Kind) -> Kind {
        let has_api = !self.audiences.is_empty() || !self.requirements.is_empty();
        match (self.kind, kind) {
            (Some(kind), _) => kind,
            (None, Kind::IdToken | Kind::LogoutToken) if has_api && self.client_id.is_none() => {
                Kind::AccessToken
            }
            (None, kind) => kind,
        }
    }

    /// Returns the time since 1970.
    pub(super) fn now(&self) -> Duration {
        self.clock.unix_time()
    }
}
