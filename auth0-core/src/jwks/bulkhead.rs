//! Fetches of all issuers in the process at once are bounded, and those that fail are kept apart: however
//! many issuers hang, others are asked.
use tokio::sync::{Semaphore, SemaphorePermit};

/// Each is a connection or two, for five seconds at the most.
const ANSWERING: usize = 48;
/// For issuers whose last fetch failed.
const FAILING: usize = 16;

static FOR_ANSWERING: Semaphore = Semaphore::const_new(ANSWERING);
static FOR_FAILING: Semaphore = Semaphore::const_new(FAILING);

/// Waits for a place, within the deadline of the fetch. The semaphores are never closed, so there is
/// always one to come.
pub(super) async fn place(is_answering: bool) -> Option<SemaphorePermit<'static>> {
    let places = if is_answering { &FOR_ANSWERING } else { &FOR_FAILING };
    places.acquire().await.ok()
}
