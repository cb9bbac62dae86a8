//! The end of a token, for connections that live longer than a request.
use super::VerifiedToken;
use crate::{
    revocation::Revocations,
    runtime::{
        Clock,
        fetch_thread::{Reached, reached},
    },
};
use futures_core::Stream;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

/// A future that is ready when a token has ended: see [`VerifiedToken::ended`].
#[must_use = "a future does nothing until it is awaited"]
pub struct Ended {
    /// Since 1970.
    moment: Duration,
    clock: Arc<dyn Clock>,
    timer: Option<Reached>,
    revocation: Option<AwaitedRevocation>,
}

/// The revocation of a token, for which a future waits.
struct AwaitedRevocation {
    token: VerifiedToken,
    /// Ready after a change of the revocations.
    change: Change,
}

impl<C> VerifiedToken<C> {
    /// Returns whether the token has ended: `exp` and the leeway of its issuer are past, on the clock of the verifier, or
    /// it was [revoked](Self::is_revoked).
    ///
    /// A token is valid when a handler gets it. A handler that works for long, or holds a connection open, asks again.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.accepted_by().clock.unix_time() >= self.moment_of_end() || self.is_revoked()
    }

    /// Returns a future that is ready when the token has ended: it has expired, or was revoked. It does not keep the verifier, and waits on any
    /// runtime, also on one without timers. If the system has no thread for the timer, it is ready at once.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// # use std::time::Duration;
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let tenant = Tenant::new();
    /// let token = tenant.auth0().verify(&tenant.token().mint()).await?;
    /// assert!(!token.has_ended());
    ///
    /// let ended = token.ended();
    /// tenant.clock().advance(Duration::from_secs(2 * 24 * 60 * 60));
    /// ended.await;
    /// assert!(token.has_ended());
    /// # Ok::<(), auth0_core::Error>(())
    /// # }).unwrap()
    /// ```
    pub fn ended(&self) -> Ended {
        let token = self.without_claims();
        let revocation =
            self.revocations().map(|revocations| AwaitedRevocation::new(token, &revocations));
        Ended { revocation, ..self.ending_in(Duration::ZERO) }
    }

    /// Returns a future that is ready this long before the token expires.
    pub(crate) fn ending_in(&self, time: Duration) -> Ended {
        let clock = Arc::clone(&self.accepted_by().clock);
        Ended {
            moment: self.moment_of_end().saturating_sub(time),
            clock,
            timer: None,
            revocation: None,
        }
    }

    /// Returns a stream that ends with the token: after it has ended, no item is returned. Use it for server-sent
    /// events, for the body of a response, and for any other stream that a client reads for long.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// # use std::{pin::Pin, task::{Context, Poll}, time::Duration};
    /// # use futures_core::Stream;
    /// # struct Ticks;
    /// # impl Stream for Ticks {
    /// #     type Item = u8;
    /// #     fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> { Poll::Ready(Some(1)) }
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # async fn next<S: Stream>(mut stream: Pin<&mut S>) -> Option<S::Item> {
    /// #     std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
    /// # }
    /// let tenant = Tenant::new();
    /// let token = tenant.auth0().verify(&tenant.token().mint()).await?;
    /// let mut events = std::pin::pin!(token.until_ended(Ticks));
    /// assert_eq!(next(events.as_mut()).await, Some(1));
    ///
    /// tenant.clock().advance(Duration::from_secs(2 * 24 * 60 * 60));
    /// assert_eq!(next(events.as_mut()).await, None);
    /// # Ok::<(), auth0_core::Error>(())
    /// # }).unwrap()
    /// ```
    pub fn until_ended<S: Stream>(&self, stream: S) -> UntilEnded<S> {
        UntilEnded { stream: Some(Box::pin(stream)), ended: self.ended() }
    }

    fn moment_of_end(&self) -> Duration {
        self.times().expires_at.saturating_add(self.accepted_by().leeway)
    }
}

impl Ended {
    /// Returns whether the token has ended. It costs a look at the clock, and at the revocations if there are any.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let is_revoked = self.revocation.as_ref().is_some_and(|awaited| awaited.token.is_revoked());
        self.has_expired() || is_revoked
    }

    fn has_expired(&self) -> bool {
        self.clock.unix_time() >= self.moment
    }
}

impl AwaitedRevocation {
    fn new(token: VerifiedToken, revocations: &Revocations) -> Self {
        Self { token, change: next_change(revocations) }
    }

    /// Returns whether the token was revoked, and otherwise wakes the task after the next change.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let has_changed = self.change.as_mut().poll(context).is_ready();
            // After the poll, so that no change is missed.
            let Some(revocations) = self.token.revocations() else { return Poll::Pending };
            if self.token.found_among(&revocations).is_some() {
                return Poll::Ready(());
            }
            if !has_changed {
                return Poll::Pending;
            }
            self.change = next_change(&revocations);
        }
    }
}

/// A stream that ends with its token is `Sync` if its content is.
type Change = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

fn next_change(revocations: &Revocations) -> Change {
    let changed = revocations.changed();
    Box::pin(async move { changed.notified().await })
}

impl Future for Ended {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.revocation.as_mut().is_some_and(|awaited| awaited.poll(context).is_ready()) {
            return Poll::Ready(());
        }
        while !self.has_expired() {
            let timer = match self.timer.take() {
                Some(timer) => timer,
                // Without a timer it could not be known when the token ends.
                None => match reached(&self.clock, self.moment) {
                    Ok(timer) => timer,
                    Err(_) => return Poll::Ready(()),
                },
            };
            // If it is ready early, its thread has ended, as after a fork.
            ready!(Pin::new(self.timer.insert(timer)).poll(context));
            self.timer = None;
        }
        self.timer = None;
        Poll::Ready(())
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended").field("moment", &self.moment).finish_non_exhaustive()
    }
}

/// A stream that ends with a token: see [`VerifiedToken::until_ended`].
#[must_use = "a stream does nothing until it is read"]
pub struct UntilEnded<S> {
    /// Dropped at the end, so that what it holds is free then, also if nothing reads on.
    stream: Option<Pin<Box<S>>>,
    ended: Ended,
}

impl<S: Stream> Stream for UntilEnded<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if Pin::new(&mut self.ended).poll(context).is_ready() {
            self.stream = None;
        }
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        let item = ready!(stream.as_mut().poll_next(context));
        if item.is_none() {
            self.stream = None;
        }
        Poll::Ready(item)
    }
}

impl<S> fmt::Debug for UntilEnded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntilEnded").field("ended", &self.ended).finish_non_exhaustive()
    }
}
