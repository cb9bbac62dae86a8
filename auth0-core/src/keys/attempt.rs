//! A fetch for which a request waits.
use super::state::{Outcome, abandoned};
use crate::runtime::single_flight::Waiter;

/// A fetch that a request has started or joined.
pub(super) struct Attempt {
    pub(super) waiter: Waiter<Outcome>,
    pub(super) is_own: bool,
}

impl Attempt {
    pub(super) async fn outcome(self) -> Outcome {
        self.waiter.outcome().await.unwrap_or_else(|| Err(abandoned()))
    }
}
