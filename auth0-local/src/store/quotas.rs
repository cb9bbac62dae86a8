use crate::directory::Quota;
use std::{collections::BTreeMap, time::Duration};

/// Who has a quota.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum QuotaOf {
    Client(String),
    Organization(String),
}

/// The tokens that clients and organizations got. There are as many entries as quotas are configured.
#[derive(Debug, Default)]
pub(crate) struct Quotas(BTreeMap<(QuotaOf, &'static str), Window>);

/// The current hour or day.
#[derive(Clone, Copy, Debug)]
struct Window {
    began: Duration,
    used: u32,
}

/// A quota after a request.
#[derive(Debug)]
pub(crate) struct QuotaState {
    pub(crate) of: QuotaOf,
    pub(crate) buckets: Vec<Bucket>,
    pub(crate) is_exhausted: bool,
}

/// One limit of a quota.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    name: &'static str,
    limit: u32,
    remaining: u32,
    /// In seconds.
    ends_in: u64,
}

impl Quotas {
    /// Counts a token against all quotas, unless one of them is exhausted.
    pub(crate) fn take(&mut self, quotas: Vec<(QuotaOf, Quota)>, now: Duration) -> Vec<QuotaState> {
        let state = |(of, quota)| self.state(of, quota, now);
        let mut states: Vec<QuotaState> = quotas.into_iter().map(state).collect();
        if states.iter().any(|state| state.is_exhausted) {
            return states;
        }
        for state in &mut states {
            for bucket in &mut state.buckets {
                bucket.remaining = bucket.remaining.saturating_sub(1);
                if let Some(window) = self.0.get_mut(&(state.of.clone(), bucket.name)) {
                    window.used += 1;
                }
            }
        }
        states
    }

    fn state(&mut self, of: QuotaOf, quota: Quota, now: Duration) -> QuotaState {
        let bucket = |(name, length, limit): (&'static str, u64, u32)| {
            let first = Window { began: now, used: 0 };
            let window = self.0.entry((of.clone(), name)).or_insert(first);
            if now >= window.began + Duration::from_secs(length) {
                *window = first;
            }
            let ends_in = length.saturating_sub(now.saturating_sub(window.began).as_secs());
            Bucket { name, limit, remaining: limit.saturating_sub(window.used), ends_in }
        };
        let buckets: Vec<Bucket> = quota.limits().map(bucket).collect();
        let is_exhausted = buckets.iter().any(|bucket| bucket.remaining == 0);
        QuotaState { of, buckets, is_exhausted }
    }
}

/// Writes a quota as its header has it.
impl std::fmt::Display for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, limit, remaining, ends_in } = self;
        write!(f, "b={name};q={limit};r={remaining};t={ends_in}")
    }
}
