//! Proof of possession: RFC 9449, the part of a resource server.
mod nonce;
mod proof;
mod proof_keys;
mod proof_verifier;
mod replay;
mod rules;

pub use nonce::DpopNonces;
pub(crate) use nonce::Freshness;
pub(crate) use proof::{Expected, Proof};
pub use proof_verifier::ProofVerifier;
pub(crate) use replay::Replay;
pub use replay::{
    InMemoryReplayStore, Insertion, ProofId, ReplayEntry, ReplayStore, ReplayStoreError,
};
pub(crate) use rules::DpopRules;

use crate::{config_error::ConfigError, error::DpopMode, jose::Algorithm};
use proof_keys::ProofKeys;
use std::{str::FromStr, sync::Arc, time::Duration};

/// How long ago a proof may have been made (RFC 9449 §11.1): time for slow networks, and little memory.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(300);
/// A proof is remembered for as long as it is good.
const LONGEST_MAX_AGE: Duration = Duration::from_secs(3600);

/// How far the client's clock may be ahead: phones are not as exact as servers.
const DEFAULT_MAX_AHEAD: Duration = Duration::from_secs(30);
const LONGEST_MAX_AHEAD: Duration = Duration::from_secs(300);

/// Sets how tokens that are bound to a client's key are treated (RFC 9449): see
/// [`Builder::dpop`](crate::Builder::dpop).
///
/// A token that is bound to a key (`cnf.jkt`) is never accepted without a proof of that key, in any mode.
/// The modes differ in this:
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

impl Dpop {
    /// Accepts tokens that are bound to a key with the scheme `DPoP` and a proof, others as `Bearer`.
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

    /// Accepts only tokens that are bound, with the scheme `DPoP`: to a key, with its proof, or to a
    /// certificate, which is as good a proof.
    pub fn required() -> Self {
        Self { mode: DpopMode::Required, ..Self::allowed() }
    }

    /// Does not support the scheme `DPoP`, and ignores a `DPoP` header. Tokens that are bound to a key are
    /// refused all the same.
    pub fn disabled() -> Self {
        Self { mode: DpopMode::Disabled, ..Self::allowed() }
    }

    /// Sets the algorithms that a proof may be signed with, instead of ES256. The challenge lists them
    /// (`algs`).
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Sets how long ago a proof may have been made, by its `iat`: 300 s by default, at most an hour.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets how far the `iat` of a proof may lie ahead, because clocks differ: 30 s by default, at most
    /// 300 s.
    pub fn max_ahead(mut self, time: Duration) -> Self {
        self.max_ahead = time;
        self
    }

    /// Limits how many proofs are remembered in this process: 100,000 by default. Proofs beyond that are
    /// refused with `503` until others have become too old. Write the number of requests with a
    /// proof that come in 330 s (`max_age` and `max_ahead`), and some more; each takes about 60 bytes.
    pub fn replay_capacity(mut self, proofs: usize) -> Self {
        self.replay_capacity = proofs;
        self
    }

    /// Sets where proofs are remembered, instead of in this process: several instances of a service must
    /// share a store, or a proof can be used once on each. The crate `auth0-redis` has one for Redis.
    pub fn replay_store(mut self, store: impl ReplayStore) -> Self {
        self.replay = Some(Arc::new(store));
        self
    }

    /// Requires that proofs have a nonce of this service (RFC 9449 §9), so that none can be made long before
    /// it is used.
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
            replay: match replay {
                Some(store) => Replay::Store(store),
                None => Replay::InProcess(InMemoryReplayStore::new(replay_capacity)),
            },
            nonces: nonces.map(DpopNonces::checked).transpose()?,
            proof_keys: ProofKeys::default(),
        })
    }
}

impl Default for Dpop {
    fn default() -> Self {
        Self::allowed()
    }
}

/// Parses a mode by its name, as in `AUTH0_DPOP`: `allowed`, `required` or `disabled`.
impl FromStr for Dpop {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Ok(Self { mode: text.parse()?, ..Self::allowed() })
    }
}
