//! Proof of possession (RFC 9449) in a resource server.
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
pub use replay::{
    InMemoryReplayStore, Insertion, ProofId, ReplayEntry, ReplayStore, ReplayStoreError,
};
pub(crate) use replay::{Replay, Use};
pub(crate) use rules::DpopRules;

use crate::{config_error::ConfigError, error::DpopMode, jose::Algorithm};
use proof_keys::ProofKeys;
use std::{str::FromStr, sync::Arc, time::Duration};

/// The cause of a refusal, for the log.
pub(crate) const USED_BEFORE: &str = "the DPoP proof (its key, jti and htu) was used before";

/// The default for the age of a proof (RFC 9449 §11.1): enough for slow networks, and little memory.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(300);
/// The limit of that: a proof is remembered for as long as it is valid.
const LONGEST_MAX_AGE: Duration = Duration::from_secs(3600);

/// The default for how far the client's clock may be ahead: phones are not as exact as servers.
const DEFAULT_MAX_AHEAD: Duration = Duration::from_secs(30);
const LONGEST_MAX_AHEAD: Duration = Duration::from_secs(300);

/// The settings for tokens that are bound to a client's key (RFC 9449): see
/// [`Builder::dpop`](crate::Builder::dpop).
///
/// In every mode, a token that is bound to a key (`cnf.jkt`) is refused without a proof of that key. The
/// modes differ in the schemes that they accept:
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
///
/// let nothing = Dpop::required().algorithms([]);
/// let builder = Auth0::builder().domain("acme.eu.auth0.com").audience("https://api.acme.com");
/// assert!(builder.dpop(nothing).build().is_err());
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
    replay_share: Option<usize>,
    replay: Option<Arc<dyn ReplayStore>>,
    nonces: Option<DpopNonces>,
}

impl Dpop {
    /// Accepts tokens that are bound to a key with the scheme `DPoP` and a proof, and others as `Bearer`.
    pub fn allowed() -> Self {
        Self {
            mode: DpopMode::Allowed,
            algorithms: vec![Algorithm::ES256],
            max_age: DEFAULT_MAX_AGE,
            max_ahead: DEFAULT_MAX_AHEAD,
            replay_capacity: replay::DEFAULT_CAPACITY,
            replay_share: None,
            replay: None,
            nonces: None,
        }
    }

    /// Accepts only bound tokens, with the scheme `DPoP`: those bound to a key with its proof, and those
    /// bound to a certificate with the certificate.
    pub fn required() -> Self {
        Self { mode: DpopMode::Required, ..Self::allowed() }
    }

    /// Disables the scheme `DPoP`, and ignores the header `DPoP`. Tokens that are bound to a key are still
    /// refused.
    pub fn disabled() -> Self {
        Self { mode: DpopMode::Disabled, ..Self::allowed() }
    }

    /// Sets the algorithms that a proof may be signed with: ES256 by default. The challenge lists them as
    /// `algs`.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Limits the age of a proof, by its `iat`: 300 s by default, 1 s to an hour.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Limits how far the `iat` of a proof may be in the future, because clocks differ: 30 s by default, at
    /// most 300 s.
    pub fn max_ahead(mut self, time: Duration) -> Self {
        self.max_ahead = time;
        self
    }

    /// Limits how many proofs are remembered in this process: 100,000 by default. Proofs beyond that are
    /// refused with `503` until others have expired. Set it above the number of requests with a proof in
    /// 330 s (`max_age` plus `max_ahead`). Each takes about 60 bytes.
    pub fn replay_capacity(mut self, proofs: usize) -> Self {
        self.replay_capacity = proofs;
        self
    }

    /// Limits how many proofs with the same key are accepted in each period of `max_age` (300 s), so that
    /// one client cannot fill the store for all others: a tenth of `replay_capacity` by default (10,000), and
    /// 10,000 with another store, for each instance of the service. Further proofs of that key get `503`
    /// until the period has ended. Set it higher if one client sends more than 30 requests in a second.
    pub fn replay_share(mut self, proofs: usize) -> Self {
        self.replay_share = Some(proofs);
        self
    }

    /// Sets the store that remembers used proofs, instead of the memory of this process. Several instances
    /// of a service must share a store; otherwise a proof can be used once on each. The crate `auth0-redis`
    /// has a store for Redis.
    pub fn replay_store(mut self, store: impl ReplayStore) -> Self {
        self.replay = Some(Arc::new(store));
        self
    }

    /// Requires that proofs have a nonce of this service (RFC 9449 §9), so that a client cannot create proofs
    /// long before it uses them.
    pub fn nonces(mut self, nonces: DpopNonces) -> Self {
        self.nonces = Some(nonces);
        self
    }

    pub(crate) fn rules(self) -> Result<DpopRules, ConfigError> {
        let refuse = |sentence: String| Err(ConfigError::new(sentence));
        let Self {
            mode: _,
            algorithms,
            max_age,
            max_ahead,
            replay_capacity,
            replay_share,
            replay,
            nonces,
        } = self;
        if algorithms.is_empty() {
            return refuse(
                "no algorithm is accepted for DPoP proofs. Leave .algorithms(…) out for ES256, or \
                 write Dpop::disabled()"
                    .into(),
            );
        }
        if max_age < Duration::from_secs(1) || max_age > LONGEST_MAX_AGE {
            return refuse(format!(
                "DPoP proofs cannot be valid for {max_age:?}. Write 1 s to 3600 s"
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
        if replay_share == Some(0) {
            return refuse(
                "the share of a key is 0 DPoP proofs, which refuses all. Write Dpop::disabled(), or \
                 leave .replay_share(…) out"
                    .into(),
            );
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
                Some(store) => Replay::shared(store, replay_share, max_age),
                None => Replay::in_process(replay_capacity, replay_share, max_age),
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
