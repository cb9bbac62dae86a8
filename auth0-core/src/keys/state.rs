//! The state that decides about the next fetch of an issuer's keys, under the lock of the single flight.
use super::{
    bulkhead::Queue,
    fetch_error::FetchError,
    report::Condition,
    schedule::{FIRST_BACKOFF, Failure, Schedule, Spent},
    snapshot::Snapshot,
};
use std::{sync::Arc, time::Duration};

/// The reason why there are no keys to verify a token with.
#[derive(Clone, Debug)]
pub(crate) struct Unavailable {
    pub(crate) retry_in: Duration,
    pub(crate) cause: Arc<FetchError>,
}

/// The outcome of a fetch.
pub(super) type Outcome = Result<Arc<Snapshot>, Unavailable>;

pub(super) struct State {
    pub(super) schedule: Schedule,
    /// The part of the budget for unknown keys that the pending fetch has taken.
    pub(super) spent: Option<Spent>,
    /// Set if the last fetch had no turn.
    pub(super) late: Option<Failure>,
    /// Whether it was logged that the budget is used up.
    is_flood_reported: bool,
    pub(super) condition: Condition,
    /// The generation of the last keys, also if they were dropped: later keys have another one.
    pub(super) generation: Option<u64>,
}

/// The reason why a fetch does not start.
pub(super) enum NoFetch {
    Needless(Arc<Snapshot>),
    /// The budget is used up. `is_new`: this was not so before.
    OverBudget {
        is_new: bool,
    },
    BackingOff(Unavailable),
}

/// The result of looking for a key among newer ones.
pub(crate) enum Newer {
    Found(Arc<Snapshot>),
    /// The issuer publishes no such key.
    Absent,
    /// Other tokens have used up the fetches for unknown keys.
    OverBudget,
}

impl State {
    pub(super) const fn new(now: Duration) -> Self {
        Self {
            schedule: Schedule::new(now),
            spent: None,
            late: None,
            is_flood_reported: false,
            condition: Condition::Answering,
            generation: None,
        }
    }

    /// Returns the issuers with which the next fetch shares a bound.
    pub(super) const fn queue(&self) -> Queue {
        match &self.late {
            _ if !self.schedule.is_answering() => Queue::Failing,
            Some(_) => Queue::Late,
            None => Queue::Answering,
        }
    }

    /// Records a fetch that had no turn: the issuer was not asked, and the next one may start at once.
    pub(super) fn had_no_turn(&mut self, error: FetchError, now: Duration) -> Arc<FetchError> {
        let cause = Arc::new(error);
        self.late = Some(Failure::without_turn(Arc::clone(&cause), now));
        cause
    }

    pub(super) fn may_retry(&self, now: Duration) -> Result<(), NoFetch> {
        match self.schedule.backing_off(now) {
            None => Ok(()),
            Some(failure) => Err(NoFetch::BackingOff(Unavailable {
                retry_in: failure.retry_at.saturating_sub(now),
                cause: Arc::clone(&failure.cause),
            })),
        }
    }

    pub(super) fn may_ask_for_key(&mut self, now: Duration) -> Result<(), NoFetch> {
        self.may_retry(now)?;
        self.spent = self.schedule.spend_unknown_key_credit(now);
        match (&self.spent, self.schedule.failure()) {
            (Some(spent), _) => {
                self.is_flood_reported &= !spent.was_of_full();
                Ok(())
            }
            (None, None) => {
                let is_new = !std::mem::replace(&mut self.is_flood_reported, true);
                Err(NoFetch::OverBudget { is_new })
            }
            // The issuer may have rotated just before it began to fail.
            (None, Some(failure)) => Err(NoFetch::BackingOff(Unavailable {
                retry_in: FIRST_BACKOFF,
                cause: Arc::clone(&failure.cause),
            })),
        }
    }

    /// Returns the outcome of a fetch that was not completed. It is not a failure of the issuer: the next one
    /// may start at once.
    pub(super) fn abandoned(state: Option<&mut Self>) -> Outcome {
        if let Some(state) = state
            && let Some(spent) = state.spent.take()
        {
            state.schedule.was_in_vain(spent);
        }
        Err(abandoned())
    }
}

pub(crate) fn abandoned() -> Unavailable {
    Unavailable { retry_in: FIRST_BACKOFF, cause: Arc::new(FetchError::Abandoned) }
}
