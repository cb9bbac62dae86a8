//! What a verifier says of a token, and what it costs the issuer.
use super::HOUR;
use auth0_core::{Auth0, ErrorCode};
use auth0_testing::Tenant;
use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};
use tokio::task::JoinHandle;

/// Returns the code with which a token is refused, or `None` if it is accepted.
pub(crate) async fn verdict(auth: &Auth0, token: &str) -> Option<ErrorCode> {
    auth.verify(token).await.err().map(|error| error.code())
}

/// Asks for the verdict in a task of its own.
pub(crate) fn spawn_verdict(auth: &Auth0, token: &str) -> JoinHandle<Option<ErrorCode>> {
    let (auth, token) = (auth.clone(), token.to_owned());
    tokio::spawn(async move { verdict(&auth, &token).await })
}

/// Returns the verdict if it comes without waiting for anything.
pub(crate) fn verdict_at_once(auth: &Auth0, token: &str) -> Option<Result<(), ErrorCode>> {
    match poll_once(auth.verify(token)) {
        Poll::Ready(result) => Some(result.map(drop).map_err(|error| error.code())),
        Poll::Pending => None,
    }
}

/// Waits for a future on this thread, without a runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls a future once, and drops it.
pub(crate) fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Returns a good token that outlives every test.
pub(crate) fn long_lived(tenant: &Tenant) -> String {
    tenant.token().expires_in(100 * HOUR).mint()
}

/// Returns a token that names a key which the issuer does not have.
pub(crate) fn with_unknown_key(tenant: &Tenant) -> String {
    tenant.token().header("kid", "made-up").mint()
}

/// Returns how often the metadata and the key set were fetched.
pub(crate) fn fetches(tenant: &Tenant) -> (usize, usize) {
    (tenant.fetches().metadata, tenant.fetches().key_set)
}
