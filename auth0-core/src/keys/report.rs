//! What a fetch has changed, for the log and the metrics: collected under a lock, published after it.
use super::{fetch_error::FetchError, key_set::KeySet};
use crate::{identifier::Issuer, telemetry::metrics};
use std::{sync::Arc, time::Duration};

/// The report of a fetch.
#[derive(Debug, Default)]
pub(crate) struct Report {
    fetched: Option<Fetched>,
    failed: Option<(Arc<FetchError>, Option<Duration>)>,
    condition: Option<Condition>,
}

#[derive(Debug)]
struct Fetched {
    keys: usize,
    change: Change,
    /// The entries that cannot be used, and whether each is for another purpose, as in many key sets.
    unusable: Vec<(String, bool)>,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    First,
    Rotation,
    None,
}

/// The condition of the issuer that was last reported to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Answering,
    /// It fails, and its keys are fresh.
    Failing,
    /// It fails, and old keys are served.
    Stale,
    /// It fails, and there are no keys that may be served.
    Unavailable,
}

impl Report {
    pub(crate) fn fetched(&mut self, previous: Option<&KeySet>, current: &KeySet) {
        let change = match previous {
            None => Change::First,
            Some(previous) if previous.ids() != current.ids() || !current.has_all_of(previous) => {
                Change::Rotation
            }
            Some(_) => Change::None,
        };
        let is_changed = !matches!(change, Change::None);
        let unusable = current.unusable().filter(|_| is_changed);
        let unusable = unusable.map(|entry| (entry.to_string(), entry.is_expected())).collect();
        self.fetched = Some(Fetched { keys: current.len(), change, unusable });
    }

    /// Returns whether other keys than before were fetched, or the first ones.
    pub(crate) fn has_new_keys(&self) -> bool {
        self.fetched.as_ref().is_some_and(|fetched| !matches!(fetched.change, Change::None))
    }

    pub(crate) fn failed(&mut self, cause: &Arc<FetchError>, age: Option<Duration>) {
        self.failed = Some((Arc::clone(cause), age));
    }

    /// Reports a condition once, when it changes, and not with every fetch.
    pub(crate) fn condition(&mut self, reported: &mut Condition, now: Condition) {
        if *reported != now {
            *reported = now;
            self.condition = Some(now);
        }
    }

    /// Writes to the log and the metrics, in which `label` is the name of the issuer.
    pub(crate) fn publish(self, issuer: &Issuer, label: &str, stale: Duration) {
        if let Some((cause, age)) = &self.failed {
            metrics::fetch(label, cause.outcome(), *age);
            tracing::debug!(target: "auth0", %issuer, %cause, "a fetch failed");
        }
        let cause = self.failed.map(|(cause, _)| tracing::field::display(cause));
        match self.condition {
            None => {}
            Some(Condition::Answering) => {
                tracing::info!(target: "auth0", %issuer, "the issuer's keys can be fetched again");
            }
            Some(Condition::Failing) => tracing::warn!(
                target: "auth0", %issuer, cause,
                "the issuer's keys cannot be fetched; the cached ones are fresh"
            ),
            Some(Condition::Stale) => tracing::warn!(
                target: "auth0", %issuer, cause, serve_for = ?stale,
                "the issuer's keys cannot be fetched; old ones are served"
            ),
            Some(Condition::Unavailable) => tracing::error!(
                target: "auth0", %issuer, cause,
                "the issuer's keys cannot be fetched, and no cached ones may be served: requests \
                 with a token get 503"
            ),
        }
        let Some(Fetched { keys, change, unusable }) = self.fetched else { return };
        for (entry, is_expected) in unusable {
            if is_expected {
                tracing::debug!(target: "auth0", %issuer, "not used from the issuer's key set: {entry}");
            } else {
                tracing::warn!(
                    target: "auth0", %issuer,
                    "a key of the issuer's key set cannot be used: {entry}. Tokens that name it are refused"
                );
            }
        }
        metrics::fetch(label, "success", Some(Duration::ZERO));
        match change {
            Change::First => {
                tracing::info!(target: "auth0", %issuer, keys, "fetched the issuer's keys");
            }
            Change::Rotation => {
                tracing::info!(target: "auth0", %issuer, keys, "the issuer has rotated its keys");
            }
            Change::None => {
                tracing::debug!(target: "auth0", %issuer, keys, "refreshed the issuer's keys");
            }
        }
    }
}
