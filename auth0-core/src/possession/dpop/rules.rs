//! The checked settings for proofs.
use super::{DpopNonces, ProofKeys, Replay};
use crate::jose::AlgorithmSet;
use std::{fmt, time::Duration};

/// The settings of [`Dpop`](super::Dpop) after their checks.
pub(crate) struct DpopRules {
    pub(crate) algorithms: AlgorithmSet,
    /// The names of the algorithms, separated by spaces.
    pub(crate) algorithm_names: String,
    pub(crate) max_age: Duration,
    pub(crate) max_ahead: Duration,
    pub(crate) replay: Replay,
    pub(crate) nonces: Option<DpopNonces>,
    pub(super) proof_keys: ProofKeys,
}

impl fmt::Debug for DpopRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopRules")
            .field("algorithms", &self.algorithm_names)
            .finish_non_exhaustive()
    }
}
