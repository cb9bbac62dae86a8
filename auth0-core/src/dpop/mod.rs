//! Proof of possession: RFC 9449, the part of a resource server.
mod known_keys;
mod nonce;
mod proof;
#[cfg(feature = "redis")]
mod redis_link;
mod replay;
#[cfg(feature = "redis")]
mod replay_redis;

use crate::{
    builder::ConfigError,
    crypto::{Algorithm, AlgorithmSet},
};
use known_keys::KnownKeys;
pub use nonce::DpopNonces;
pub(crate) use nonce::Freshness;
pub(crate) use proof::{Expected, Proof};
pub use replay::{
    InMemoryReplayStore, Insertion, ProofId, ReplayEntry, ReplayStore, ReplayStoreError,
};
#[cfg(feature = "redis")]
pub use replay_redis::{OnUnreachable, RedisReplayStore};
use std::{fmt, str::FromStr, sync::Arc, time::Duration};

/// How long ago a proof may have been made (RFC 9449 §11.1): time for slow networks, and not much to
/// remember.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(300);
/// A proof has to be remembered for as long as it is good.
const LONGEST_MAX_AGE: Duration = Duration::from_secs(3600);

/// How far the client's clock may be ahead: phones are not as exact as servers.
const DEFAULT_MAX_AHEAD: Duration = Duration::from_secs(30);
const LONGEST_MAX_AHEAD: Duration = Duration::from_secs(300);

/// How tokens that are bound to a client's key are treated (RFC 9449): see
/// [`Builder::dpop`](crate::Builder::dpop).
///
/// A token that is bound to a key (`cnf.jkt`) is never accepted without a proof of that key, in
/// whatever mode. What the modes differ in:
///
/// | mode | `Authorization: Bearer` | `Authorization: DPoP` |
/// |---|---|---|
/// | [`allowed`](Self::allowed), the default | tokens that are not bound to a key | tokens that are bound, with a proof |
/// | [`required`](Self::required) | refused | tokens that are bound, with a proof |
/// | [`disabled`](Self::disabled) | tokens that are not bound to a key | refused |
///
/// ```
/// use auth0_core::{Algorithm, Auth0, Dpop};
///
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audience("https://api.acme.com")
///     .public_url("https://api.acme.com")
///     .dpop(Dpop::required().algorithms([Algorithm::ES256, Algorithm::EdDSA]))
///     .build()?;
/// # let _ = auth;
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Dpop {
    pub(crate) mode: DpopMode,
    algorithms: Vec<Algorithm>,
    max_age: Duration,
    max_ahead: Duration,
    replay_capacity: usize,
    replay: Option<Arc<dyn ReplayStore>>,
    nonces: Option<DpopNonces>,
}

/// Which schemes tokens may come with: see [`Dpop`], and [`TrustedIssuer::dpop`](crate::TrustedIssuer::dpop)
/// for the tokens of one issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are two schemes")]
pub enum DpopMode {
    /// `DPoP` for tokens that are bound, `Bearer` for others.
    #[default]
    Allowed,
    /// `DPoP` only.
    Required,
    /// `Bearer` only.
    Disabled,
}

impl DpopMode {
    /// What one of both allows.
    pub(crate) const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Required, Self::Required) => Self::Required,
            (Self::Disabled, Self::Disabled) => Self::Disabled,
            _ => Self::Allowed,
        }
    }
}

impl Dpop {
    /// Tokens that are bound to a key come with the scheme `DPoP` and a proof, others as `Bearer`.
    pub fn allowed() -> Self {
        Self {
            mode: DpopMode::Allowed,
            algorithms: vec![Algorithm::ES256],
            max_age: DEFAULT_MAX_AGE,
            max_ahead: DEFAULT_MAX_AHEAD,
            replay_capacity: replay::DEFAULT_CAPACITY,
            replay: None,
            nonces: None,
        }
    }

    /// Only tokens that are bound are accepted, with the scheme `DPoP`: to a key, with its proof, or
    /// to a certificate, which is a proof as good.
    pub fn required() -> Self {
        Self { mode: DpopMode::Required, ..Self::allowed() }
    }

    /// The scheme `DPoP` is not known, and a `DPoP` field is nobody's business. Tokens that are bound
    /// to a key are refused all the same.
    pub fn disabled() -> Self {
        Self { mode: DpopMode::Disabled, ..Self::allowed() }
    }

    /// The algorithms that a proof may be signed with, instead of ES256. They are told to clients in
    /// the challenge (`algs`).
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How long ago a proof may have been made, by its `iat`: 300 s by default, an hour at the most.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// How far the `iat` of a proof may lie ahead, because clocks differ: 30 s by default, 300 s at
    /// the most.
    pub fn max_ahead(mut self, time: Duration) -> Self {
        self.max_ahead = time;
        self
    }

    /// How many proofs are remembered in this process at the most: 100,000 by default. Proofs beyond
    /// are refused with `503` until others have become too old. Write the number of requests with a
    /// proof that come in 330 s (`max_age` and `max_ahead`), and some more; each takes about 60 bytes.
    pub fn replay_capacity(mut self, proofs: usize) -> Self {
        self.replay_capacity = proofs;
        self
    }

    /// Where proofs are remembered, instead of in this process: several instances of a service have
    /// to share it, or a proof can be used once on each. See `RedisReplayStore`, feature `redis`.
    pub fn replay_store(mut self, store: impl ReplayStore) -> Self {
        self.replay = Some(Arc::new(store));
        self
    }

    /// Demands that proofs have a nonce of this service's (RFC 9449 §9), so that none can be made
    /// long before it is used.
    pub fn nonces(mut self, nonces: DpopNonces) -> Self {
        self.nonces = Some(nonces);
        self
    }

    pub(crate) fn rules(self) -> Result<DpopRules, ConfigError> {
        let refuse = |sentence: String| Err(ConfigError::new(sentence));
        let Self { mode: _, algorithms, max_age, max_ahead, replay_capacity, replay, nonces } =
            self;
        if algorithms.is_empty() {
            return refuse(
                "no algorithm is accepted for DPoP proofs. Leave .algorithms(…) out for ES256, or \
                 write Dpop::disabled()"
                    .into(),
            );
        }
        if max_age < Duration::from_secs(1) || max_age > LONGEST_MAX_AGE {
            return refuse(format!(
                "DPoP proofs cannot be good for {max_age:?}. Write 1 s to 3600 s"
            ));
        }
        if max_ahead > LONGEST_MAX_AHEAD {
            return refuse(format!(
                "DPoP proofs cannot be {max_ahead:?} ahead. Write 300 s or less, and correct the clocks"
            ));
        }
        if replay_capacity == 0 || replay_capacity > replay::LARGEST_CAPACITY {
            return refuse(format!(
                "{replay_capacity} DPoP proofs cannot be remembered. Write 1 to {}",
                replay::LARGEST_CAPACITY
            ));
        }
        let mut names: Vec<&str> = Vec::new();
        for algorithm in &algorithms {
            if !names.contains(&algorithm.as_str()) {
                names.push(algorithm.as_str());
            }
        }
        Ok(DpopRules {
            algorithm_names: names.join(" "),
            algorithms: algorithms.into_iter().collect(),
            max_age,
            max_ahead,
            replay: replay.unwrap_or_else(|| Arc::new(InMemoryReplayStore::new(replay_capacity))),
            nonces: nonces.map(DpopNonces::checked).transpose()?,
            known_keys: KnownKeys::default(),
        })
    }
}

impl Default for Dpop {
    fn default() -> Self {
        Self::allowed()
    }
}

/// A mode by its name, as in `AUTH0_DPOP`: `allowed`, `required` or `disabled`.
impl FromStr for Dpop {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.trim() {
            "allowed" => Ok(Self::allowed()),
            "required" => Ok(Self::required()),
            "disabled" => Ok(Self::disabled()),
            other => Err(ConfigError::new(format!(
                "{other:?} is not a mode of DPoP. Write allowed, required or disabled"
            ))),
        }
    }
}

/// [`Dpop`], checked.
pub(crate) struct DpopRules {
    pub(crate) algorithms: AlgorithmSet,
    /// With spaces between them.
    pub(crate) algorithm_names: String,
    pub(crate) max_age: Duration,
    pub(crate) max_ahead: Duration,
    pub(crate) replay: Arc<dyn ReplayStore>,
    pub(crate) nonces: Option<DpopNonces>,
    known_keys: KnownKeys,
}

impl fmt::Debug for DpopRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopRules")
            .field("algorithms", &self.algorithm_names)
            .field("replay", &self.replay)
            .finish_non_exhaustive()
    }
}
