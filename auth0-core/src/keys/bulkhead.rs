//! Bounds the fetches of all issuers in the process, with a separate bound for failing issuers: any number of
//! hanging issuers does not delay fetches from the others.
use tokio::sync::{Semaphore, SemaphorePermit};

/// Fetches at once from issuers that answer. Each takes a connection or two, for at most five seconds.
const ANSWERING: usize = 48;
/// Fetches at once from issuers whose last fetch failed.
const FAILING: usize = 16;

static FOR_ANSWERING: Semaphore = Semaphore::const_new(ANSWERING);
static FOR_FAILING: Semaphore = Semaphore::const_new(FAILING);

/// Waits for a permit, within the deadline of the fetch. The semaphores are never closed.
pub(super) async fn permit(is_answering: bool) -> Option<SemaphorePermit<'static>> {
    let permits = if is_answering { &FOR_ANSWERING } else { &FOR_FAILING };
    permits.acquire().await.ok()
}
