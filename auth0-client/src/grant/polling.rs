//! Polls for the tokens of a user who answers on another device.
use crate::{
    client::Shared,
    error::{Error, ErrorKind},
    server::Call,
    token::Tokens,
};
use auth0_core::support::passed;
use std::{sync::Arc, time::Duration};

/// The interval if the server names none (RFC 8628 §3.2).
const INTERVAL: Duration = Duration::from_secs(5);

/// A poll that is too early makes the interval longer by this (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// The life of a request if the server names none.
const LIFE: Duration = Duration::from_secs(300);

/// Longer than any request of this kind lives.
const MAX_LIFE: Duration = Duration::from_secs(259_200);

/// The failures in a row after which the polls end.
const MAX_FAILURES: u32 = 10;

/// A request that a user has to answer.
pub(super) struct Polling {
    shared: Arc<Shared>,
    call: Call,
    scope: String,
    interval: Duration,
    /// The end of the request, on the monotonic clock.
    ends_at: Duration,
    limit: Duration,
}

impl Polling {
    pub(super) fn new(
        shared: Arc<Shared>,
        call: Call,
        scope: String,
        (interval, life): (Option<Duration>, Option<Duration>),
        limit: Duration,
    ) -> Self {
        let life = life.unwrap_or(LIFE).min(MAX_LIFE);
        let ends_at = shared.server.clock.monotonic().saturating_add(life);
        let interval = interval.unwrap_or(INTERVAL).max(Duration::from_secs(1));
        Self { shared, call, scope, interval, ends_at, limit }
    }

    pub(super) fn left(&self) -> Duration {
        self.ends_at.saturating_sub(self.shared.server.clock.monotonic())
    }

    pub(super) const fn interval(&self) -> Duration {
        self.interval
    }

    /// Polls once.
    pub(super) async fn poll(&mut self) -> Result<Tokens, Error> {
        let (call, scope) = (self.call.clone(), self.scope.clone());
        let result = self.shared.tokens_once(call, scope, None, self.limit).await;
        if let Err(error) = &result
            && error.kind() == ErrorKind::SlowDown
        {
            let asked = error.interval().into_iter().chain(error.retry_after()).max();
            self.interval = (self.interval + SLOWER).max(asked.unwrap_or_default());
        }
        result
    }

    /// Polls until the user has answered, or the request has ended.
    pub(super) async fn wait(mut self) -> Result<Tokens, Error> {
        let mut failures = 0;
        let mut pause = self.interval;
        loop {
            let left = self.left();
            passed(&*self.shared.server.clock, pause.min(left)).await;
            if pause >= left {
                return Err(Error::new(ErrorKind::Expired, "The request has ended"));
            }
            match self.poll().await {
                Ok(tokens) => return Ok(tokens),
                Err(error) if matches!(error.kind(), ErrorKind::Pending | ErrorKind::SlowDown) => {
                    failures = 0;
                    pause = self.interval;
                }
                Err(error) if error.is_temporary() && failures < MAX_FAILURES => {
                    failures += 1;
                    let doubled = self.interval.saturating_mul(2);
                    pause = error.retry_after().unwrap_or_default().max(doubled);
                }
                Err(error) => return Err(error),
            }
        }
    }
}
