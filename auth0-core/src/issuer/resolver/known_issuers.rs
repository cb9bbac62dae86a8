//! The issuers that the answers of a resolver trust.
use crate::{
    issuer::{IssuerConfig, IssuerSettings, Trusted},
    keys::KeyTable,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// The issuers of all answers. Equal configurations in two answers share one issuer, so that a token that was
/// verified with one answer is recognized with the other.
pub(super) struct KnownIssuers {
    pub(super) keys: Arc<KeyTable>,
    known: Mutex<ByName>,
}

#[derive(Default)]
struct ByName {
    issuers: HashMap<Box<str>, Vec<Weak<Trusted>>>,
    /// The number of names at which those without an issuer are removed.
    sweep_at: usize,
}

impl KnownIssuers {
    pub(super) fn new(keys: Arc<KeyTable>) -> Self {
        Self { keys, known: Mutex::default() }
    }

    /// Returns the issuer of another answer if its configuration is the same, or a new one.
    pub(super) fn trusted(&self, config: IssuerConfig, settings: &IssuerSettings) -> Arc<Trusted> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.sweep();
        let name = config.validation.issuer.as_str().into();
        let known = known.issuers.entry(name).or_default();
        known.retain(|trusted| trusted.strong_count() > 0);
        let mut living = known.iter().filter_map(Weak::upgrade);
        if let Some(same) = living.find(|trusted| trusted.is(&config)) {
            return same;
        }
        let lease = self.keys.lease(&config.key_source);
        let trusted = Arc::new(settings.resolved(config, lease));
        known.push(Arc::downgrade(&trusted));
        trusted
    }
}

impl ByName {
    fn sweep(&mut self) {
        if self.issuers.len() < self.sweep_at {
            return;
        }
        self.issuers.retain(|_, known| {
            known.retain(|trusted| trusted.strong_count() > 0);
            !known.is_empty()
        });
        self.sweep_at = (self.issuers.len() * 2).max(64);
    }
}
