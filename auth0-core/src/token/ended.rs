//! The end of a token, for connections that live longer than a request.
use super::VerifiedToken;
use crate::runtime::{
    Clock,
    fetch_thread::{passed, runtime},
};
use futures_core::Stream;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

/// A timer does not advance while the machine is suspended, and the wall clock may be corrected: after this long, the
/// clock is read again.
const LONGEST_TIMER: Duration = Duration::from_secs(30);

/// A future that is ready when a token has ended: see [`VerifiedToken::ended`].
#[must_use = "a future does nothing until it is awaited"]
pub struct Ended {
    /// Since 1970.
    moment: Duration,
    clock: Arc<dyn Clock>,
    timer: Option<Timer>,
}

/// A timer, which is never locked: the mutex makes it `Sync`, as some servers want the body of a response to be.
type Timer = Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>;

impl<C> VerifiedToken<C> {
    /// Returns whether the token has ended: `exp` and the leeway of its issuer are past, on the clock of the verifier.
    ///
    /// A token is valid when a handler gets it. A handler that works for long, or holds a connection open, asks again.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.accepted_by().clock.unix_time() >= self.moment_of_end()
    }

    /// Returns a future that is ready when the token has ended. It does not keep the verifier, and waits on any
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
        let clock = Arc::clone(&self.accepted_by().clock);
        Ended { moment: self.moment_of_end(), clock, timer: None }
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
    /// Returns whether the token has ended. It costs a look at the clock.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.clock.unix_time() >= self.moment
    }
}

impl Future for Ended {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = self.clock.unix_time();
            let Some(rest) = self.moment.checked_sub(now).filter(|rest| !rest.is_zero()) else {
                self.timer = None;
                return Poll::Ready(());
            };
            let timer = match &mut self.timer {
                Some(timer) => timer,
                // Without a timer it could not be known when the token ends.
                None if runtime().is_err() => return Poll::Ready(()),
                None => {
                    let timer = passed(&*self.clock, rest.min(LONGEST_TIMER));
                    self.timer.insert(Mutex::new(Box::pin(timer)))
                }
            };
            let timer = timer.get_mut().unwrap_or_else(PoisonError::into_inner);
            ready!(timer.as_mut().poll(context));
            self.timer = None;
        }
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
