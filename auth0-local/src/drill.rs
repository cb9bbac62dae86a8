use crate::{
    error::LocalError,
    fault::{Fault, Kind},
    faults::{Changes, Faults},
    stats::Stats,
};
use auth0_core::{
    Algorithm,
    testing::{Document, ProofVerifier, SigningKey, Tenant},
};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::watch, task};

/// A running tenant as the library and its HTTP endpoints turn it: its keys, faults and counters,
/// and when it stops. Clones are the same drill.
#[derive(Clone, Debug)]
pub(crate) struct Drill(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tenant: Tenant,
    /// What the token endpoint makes of DPoP proofs.
    proofs: ProofVerifier,
    /// Where chance comes from.
    random: RandomState,
    state: Mutex<State>,
    /// Closed when the tenant stops.
    running: watch::Receiver<()>,
}

#[derive(Debug, Default)]
struct State {
    faults: Faults,
    stats: Stats,
    draws: u64,
}

impl Drill {
    pub(crate) fn new(tenant: Tenant, proofs: ProofVerifier, running: watch::Receiver<()>) -> Self {
        let (random, state) = (RandomState::new(), Mutex::default());
        Self(Arc::new(Inner { tenant, proofs, random, state, running }))
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    pub(crate) fn proofs(&self) -> &ProofVerifier {
        &self.0.proofs
    }

    /// Makes a key, on a thread where that holds up nobody, and rotates to it. The answer is its id.
    pub(crate) async fn rotate(&self) -> Result<String, LocalError> {
        let key = task::spawn_blocking(|| SigningKey::generate(Algorithm::RS256))
            .await
            .map_err(|_| LocalError::new("the runtime shut down while a key was being made"))??;
        let id = key.id().to_owned();
        self.tenant().add_key(key);
        Ok(id)
    }

    pub(crate) fn set_fault(&self, document: Document, fault: Fault) {
        self.state().faults.set(document, fault);
    }

    pub(crate) fn change_faults(&self, changes: &Changes) -> Result<Faults, LocalError> {
        let mut state = self.state();
        changes.apply_to(&mut state.faults)?;
        Ok(state.faults)
    }

    pub(crate) fn clear_faults(&self) -> Faults {
        let mut state = self.state();
        state.faults = Faults::default();
        state.faults
    }

    pub(crate) fn stats(&self) -> Stats {
        self.state().stats
    }

    /// Counts a request of a document. The answer is what goes wrong with it.
    pub(crate) fn document_asked_for(&self, document: Document) -> Option<Kind> {
        let mut state = self.state();
        state.draws += 1;
        let chance = unit_interval(self.0.random.hash_one(state.draws));
        let struck = state.faults.of(document).strikes(chance);
        let requests = state.stats.of(document);
        let counter = if struck.is_some() { &mut requests.faulted } else { &mut requests.served };
        *counter += 1;
        struck
    }

    pub(crate) fn token_asked_for(&self) {
        self.state().stats.token += 1;
    }

    pub(crate) fn redirect_followed(&self) {
        self.state().stats.redirect_target += 1;
    }

    /// Waits until the tenant stops.
    pub(crate) async fn stopped(&self) {
        let mut running = self.0.running.clone();
        while running.changed().await.is_ok() {}
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.0.running.has_changed().is_err()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From 0 to just below 1: the 53 bits that a float has, as a fraction.
#[allow(clippy::cast_precision_loss, reason = "both numbers have 53 bits and are exact")]
fn unit_interval(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
