//! Bounds the fetches of all issuers in the process, with separate bounds for failing issuers and for those that had no
//! turn: any number of hanging issuers does not delay fetches from the others for longer than a fetch takes.
use tokio::sync::{Semaphore, SemaphorePermit};

/// Fetches at once from issuers that answer. Each takes a connection or two, for at most five seconds.
const ANSWERING: usize = 48;
/// Fetches at once from issuers whose last fetch failed.
const FAILING: usize = 16;
/// Fetches at once from issuers whose last fetch had no turn. If most of these hang, others have the first bound.
const LATE: usize = 16;

static FOR_ANSWERING: Semaphore = Semaphore::const_new(ANSWERING);
static FOR_FAILING: Semaphore = Semaphore::const_new(FAILING);
static FOR_LATE: Semaphore = Semaphore::const_new(LATE);

/// The issuers with which an issuer shares a bound, by its last fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// It was answered, or there was none.
    Answering,
    Failing,
    /// It had no turn.
    Late,
}

/// Waits for a permit, within the deadline of the fetch. The semaphores are never closed.
pub(super) async fn permit(queue: Queue) -> Option<SemaphorePermit<'static>> {
    let permits = match queue {
        Queue::Answering => &FOR_ANSWERING,
        Queue::Failing => &FOR_FAILING,
        Queue::Late => &FOR_LATE,
    };
    permits.acquire().await.ok()
}
