//! The state of a running tenant, shared by its handle and its HTTP endpoints.
use crate::{
    error::LocalError,
    fault::{Fault, FaultChanges, FaultKind, Faults},
    stats::Stats,
};
use auth0_core::Algorithm;
use auth0_core::dpop::ProofVerifier;
use auth0_testing::{Document, SigningKey, Tenant};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::watch, task};

/// A running tenant: its keys, faults and counters, and the signal that it stops. Clones share the
/// state.
#[derive(Clone, Debug)]
pub(crate) struct RunningTenant(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tenant: Tenant,
    /// Verifies the DPoP proofs at the token endpoint.
    proofs: ProofVerifier,
    /// The source of random numbers.
    random: RandomState,
    control: Mutex<Control>,
    /// Closed when the tenant stops.
    running: watch::Receiver<()>,
}

/// What the drill commands change and read.
#[derive(Debug, Default)]
struct Control {
    faults: Faults,
    stats: Stats,
    /// The number of random numbers drawn so far.
    draws: u64,
}

impl RunningTenant {
    pub(crate) fn new(tenant: Tenant, proofs: ProofVerifier, running: watch::Receiver<()>) -> Self {
        let (random, control) = (RandomState::new(), Mutex::default());
        Self(Arc::new(Inner { tenant, proofs, random, control, running }))
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    pub(crate) fn proofs(&self) -> &ProofVerifier {
        &self.0.proofs
    }

    /// Generates a key and rotates to it. Returns the id of the key. A thread for blocking work
    /// generates it, so that other tasks are not delayed.
    pub(crate) async fn rotate(&self) -> Result<String, LocalError> {
        let key = task::spawn_blocking(|| SigningKey::generate(Algorithm::RS256)).await.map_err(
            |_| LocalError::new("the runtime shut down while a key was being generated"),
        )??;
        let id = key.id().to_owned();
        self.tenant().add_key(key);
        Ok(id)
    }

    pub(crate) fn set_fault(&self, document: Document, fault: Fault) {
        self.control().faults.set(document, fault);
    }

    pub(crate) fn change_faults(&self, changes: &FaultChanges) -> Result<Faults, LocalError> {
        let mut control = self.control();
        changes.apply_to(&mut control.faults)?;
        Ok(control.faults)
    }

    pub(crate) fn clear_faults(&self) -> Faults {
        let mut control = self.control();
        control.faults = Faults::default();
        control.faults
    }

    pub(crate) fn stats(&self) -> Stats {
        self.control().stats
    }

    /// Counts a request for a document. Returns the fault that it meets, if any.
    pub(crate) fn count_document_request(&self, document: Document) -> Option<FaultKind> {
        let mut control = self.control();
        control.draws += 1;
        let chance = unit_interval(self.0.random.hash_one(control.draws));
        let fault = control.faults.fault(document).sample(chance);
        let requests = control.stats.requests_mut(document);
        let counter = if fault.is_some() { &mut requests.faulted } else { &mut requests.served };
        *counter += 1;
        fault
    }

    pub(crate) fn count_token_request(&self) {
        self.control().stats.token += 1;
    }

    pub(crate) fn count_redirect(&self) {
        self.control().stats.redirect_target += 1;
    }

    /// Waits until the tenant stops.
    pub(crate) async fn stopped(&self) {
        let mut running = self.0.running.clone();
        while running.changed().await.is_ok() {}
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.0.running.has_changed().is_err()
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.0.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Maps random bits to a number from 0 to just below 1: the 53 bits of a float's precision, as a
/// fraction.
#[allow(clippy::cast_precision_loss, reason = "both numbers have 53 bits and are exact")]
fn unit_interval(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
