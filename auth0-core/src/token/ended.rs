//! The end of a token, for connections that live longer than a request.
use super::VerifiedToken;
use crate::{
    error::ErrorCode,
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
use tokio::sync::Notify;

/// A future that is ready when a token has ended: see [`VerifiedToken::ended`].
#[must_use = "a future does nothing until it is awaited"]
pub struct Ended {
    /// Since 1970.
    moment: Duration,
    clock: Arc<dyn Clock>,
    timer: Option<Reached>,
    sooner: Option<SoonerEnd>,
}

/// The end of a token before it expires, for which a future waits.
struct SoonerEnd {
    token: VerifiedToken,
    causes: [(Cause, Option<Change>); 2],
}

/// Why a token can end before it expires.
#[derive(Clone, Copy)]
enum Cause {
    Revocation,
    KeyWithdrawal,
}

/// Ready after a change of what a cause depends on. A stream that ends with its token is `Sync` if its content is.
type Change = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

impl<C> VerifiedToken<C> {
    /// Returns whether the token has ended: `exp` and the leeway of its issuer are past, on the clock of the verifier, or
    /// it was [revoked](Self::is_revoked), or its key was [withdrawn](Self::is_key_withdrawn).
    ///
    /// A token is valid when a handler gets it. A handler that works for long, or holds a connection open, asks again.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.accepted_by().clock.unix_time() >= self.moment_of_end()
            || self.is_revoked()
            || self.is_key_withdrawn()
    }

    /// Returns a future that is ready when the token [has ended](Self::has_ended). It does not keep the verifier, and waits
    /// on any runtime, also on one without timers. If the system has no thread for the timer, it is ready at once.
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
        let accepted_by = self.accepted_by();
        let can_end_sooner =
            accepted_by.revocable.is_some() || accepted_by.published_keys.is_some();
        let sooner = can_end_sooner.then(|| SoonerEnd {
            token: self.without_claims(),
            causes: [(Cause::Revocation, None), (Cause::KeyWithdrawal, None)],
        });
        Ended { sooner, ..self.ending_in(Duration::ZERO) }
    }

    /// Returns a future that is ready this long before the token expires.
    pub(crate) fn ending_in(&self, time: Duration) -> Ended {
        let clock = Arc::clone(&self.accepted_by().clock);
        let moment = self.moment_of_end().saturating_sub(time);
        Ended { moment, clock, timer: None, sooner: None }
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
        self.times().ends_at
    }
}

impl Ended {
    /// Returns whether the token has ended. It costs a look at the clock, and at revocations and keys if they can end it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.reason().is_some()
    }

    /// Returns why the token has ended: `token_expired`, `token_revoked`, or `key_unknown` if its key was withdrawn.
    /// `None` if it has not.
    #[must_use]
    pub fn reason(&self) -> Option<ErrorCode> {
        if self.has_expired() {
            return Some(ErrorCode::TokenExpired);
        }
        let SoonerEnd { token, causes } = self.sooner.as_ref()?;
        let is_over = |cause: &Cause| cause.look(token).is_some_and(|(is_over, _)| is_over);
        causes.iter().map(|(cause, _)| *cause).find(is_over).map(Cause::code)
    }

    fn has_expired(&self) -> bool {
        self.clock.unix_time() >= self.moment
    }
}

impl Cause {
    /// Returns the code with which a new request is refused.
    const fn code(self) -> ErrorCode {
        match self {
            Self::Revocation => ErrorCode::TokenRevoked,
            Self::KeyWithdrawal => ErrorCode::KeyUnknown,
        }
    }

    /// Returns whether the token has ended, and what the next change wakes. `None` if what can end it does not exist.
    fn look(self, token: &VerifiedToken) -> Option<(bool, Arc<Notify>)> {
        match self {
            Self::Revocation => {
                let revocations = token.revocations()?;
                Some((token.found_among(&revocations).is_some(), revocations.changed()))
            }
            Self::KeyWithdrawal => {
                let keys = token.published_keys()?;
                Some((token.is_withdrawn_from(&*keys), keys.changed()))
            }
        }
    }
}

impl SoonerEnd {
    /// Returns whether the token has ended, and otherwise wakes the task after the next change.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for (cause, change) in &mut self.causes {
            while let Some((is_over, changed)) = cause.look(&self.token) {
                if is_over {
                    return Poll::Ready(());
                }
                let was_waiting = change.is_some();
                let waiting =
                    change.get_or_insert_with(|| Box::pin(async move { changed.notified().await }));
                if waiting.as_mut().poll(context).is_ready() {
                    *change = None;
                } else if was_waiting {
                    break; // what changes from now on wakes the task
                }
            }
        }
        Poll::Pending
    }
}

impl Future for Ended {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.sooner.as_mut().is_some_and(|sooner| sooner.poll(context).is_ready()) {
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
