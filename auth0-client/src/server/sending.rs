//! A request with its repetitions, within a deadline.
use super::{
    Call, Deadline, Endpoint, Server,
    attempt::{Attempt, Destination, attempt},
    call::Tries,
};
use crate::{
    error::{Error, ErrorKind},
    limits::Limits,
    metrics,
};
use auth0_core::{support::passed_while_running, transport::HttpResponse};
use aws_lc_rs::rand;
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::sync::SemaphorePermit;

/// The pause before a repetition is between these two: many instances must not repeat in step.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(300);

pub(super) async fn send(
    server: &Arc<Server>,
    call: &Call,
    deadline: &Deadline,
) -> Result<HttpResponse, Error> {
    let result = sent(server, call, deadline).await;
    let outcome = match &result {
        Ok(_) => "success",
        Err(error) => metrics::outcome(error.kind()),
    };
    metrics::request(call.label, outcome);
    if let Err(error) = &result {
        log(server, call, error);
    }
    result
}

/// Logs a failure that the operator can correct, or has to know of.
pub(super) fn log(server: &Server, call: &Call, error: &Error) {
    let (issuer, client_id, grant) = (&server.issuer, &server.client_id, call.label);
    if error.is_of_operator() {
        tracing::error!(target: "auth0", %issuer, client_id, grant, %error, "a request to Auth0 was refused");
    } else if error.is_temporary() || error.kind() == ErrorKind::Malformed {
        tracing::warn!(target: "auth0", %issuer, client_id, grant, %error, "a request to Auth0 failed");
    } else {
        tracing::debug!(target: "auth0", %issuer, client_id, grant, %error, "a request to Auth0 was refused");
    }
}

async fn sent(
    server: &Arc<Server>,
    call: &Call,
    deadline: &Deadline,
) -> Result<HttpResponse, Error> {
    let metadata = server.state.metadata.get(server, deadline).await?;
    let url = call.endpoint.url(&metadata, server.has_certificate(), server.is_auth0)?;
    let to = Destination { url: &url, issuer: metadata.issuer().as_str() };
    let mut tries = Tries::default();
    let mut last = None;
    loop {
        wait_for_endpoint(server, call, deadline).await?;
        if deadline.left(&*server.clock).is_zero() {
            return Err(last.unwrap_or_else(|| deadline.error()));
        }
        let restarts = deadline.restarts(&*server.clock);
        let attempt = {
            // Not while it waits for a repetition: others could be sent.
            let _permit = permit(server, deadline).await?;
            attempt(server, call, &to, deadline).await?
        };
        let starts_anew = deadline.restarts(&*server.clock) > restarts;
        let (error, pause) = match attempt {
            Attempt::Answer(answer) => match read(server, call, to.url, answer, &mut tries) {
                Read::Success(answer) => return Ok(answer),
                Read::Nonce => continue,
                Read::Failure(error, pause) => (error, pause),
            },
            Attempt::Unsent(cause) => {
                tries.unsent += 1;
                let pause = call.repeat.after_unsent(&tries).then(pause);
                (Error::new(ErrorKind::Unavailable, cause), pause)
            }
            Attempt::Lost(cause) => {
                // A failure of a process that was stopped is not the server's.
                tries.lost += u32::from(!starts_anew);
                let pause = call.repeat.after_lost(&tries).then(pause);
                let is_late = deadline.left(&*server.clock).is_zero();
                (
                    if is_late {
                        deadline.error()
                    } else {
                        Error::new(ErrorKind::Unavailable, cause)
                    },
                    pause,
                )
            }
        };
        match pause {
            Some(pause) if pause < deadline.left(&*server.clock) => {
                deadline.pause(&*server.clock, pause).await;
                last = Some(error);
            }
            _ => return Err(error),
        }
    }
}

/// Waits until a request may be sent.
async fn permit<'a>(server: &'a Server, deadline: &Deadline) -> Result<SemaphorePermit<'a>, Error> {
    let late = || {
        let cause = "Too many requests to Auth0 are pending in this process";
        Error::new(ErrorKind::DeadlineExceeded, cause)
    };
    tokio::select! {
        biased;
        permit = server.state.permits.acquire() => permit.map_err(|_| late()),
        () = passed_while_running(&server.clock, deadline.left(&*server.clock)) => Err(late()),
    }
}

/// What an answer means for the request.
enum Read {
    Success(HttpResponse),
    /// The server requires the nonce that it has sent along.
    Nonce,
    /// With the pause before a repetition, if the rules permit one.
    Failure(Error, Option<Duration>),
}

fn read(server: &Server, call: &Call, url: &str, answer: HttpResponse, tries: &mut Tries) -> Read {
    let prover = server.prover.as_ref().filter(|_| call.is_proven);
    let nonce = answer.header("dpop-nonce").zip(prover);
    let has_nonce = nonce.is_some();
    if let Some((nonce, prover)) = nonce {
        prover.keep_nonce(url, nonce);
    }
    let now = server.clock.unix_time();
    let limits = Limits::read(&answer, now);
    metrics::limits(&limits);
    if (200..300).contains(&answer.status()) {
        return Read::Success(answer);
    }
    let (wait, retry_after) = (limits.wait(now), limits.retry_after);
    let is_of_endpoint = limits.is_of_endpoint();
    let secrets = call.secrets().chain(server.authentication.secret());
    let mut error = Error::of_answer(&answer, limits, call.purpose).without(secrets);
    if error.code() == Some("use_dpop_nonce") && has_nonce {
        tries.nonces += 1;
        if tries.nonces == 1 {
            return Read::Nonce;
        }
    }
    let pause = match error.kind() {
        ErrorKind::Throttled => {
            let wait = wait.unwrap_or(Duration::from_secs(1));
            error = error.retry_in(wait, now);
            if is_of_endpoint {
                server.stop(call.endpoint, wait);
            }
            tries.throttled += 1;
            call.repeat.after_throttled(tries).then(|| wait + pause())
        }
        ErrorKind::SlowDown => {
            // The rate limit, which each answer has, is another matter.
            error = error.retry_in(retry_after.unwrap_or_default(), now);
            None
        }
        ErrorKind::Unavailable => {
            tries.failed += 1;
            if let Some(wait) = retry_after {
                error = error.retry_in(wait, now);
            }
            call.repeat.after_failure(tries).then(|| retry_after.unwrap_or_default() + pause())
        }
        _ => None,
    };
    Read::Failure(error, pause)
}

/// Waits until a limit of the endpoint has ended, if that is before the deadline.
async fn wait_for_endpoint(
    server: &Arc<Server>,
    call: &Call,
    deadline: &Deadline,
) -> Result<(), Error> {
    let Some(wait) = server.stopped_for(call.endpoint) else { return Ok(()) };
    if call.repeat.waits() && wait < deadline.left(&*server.clock) {
        deadline.pause(&*server.clock, wait).await;
        return Ok(());
    }
    let cause = "The rate limit of this endpoint is reached";
    Err(Error::new(ErrorKind::Throttled, cause).retry_in(wait, server.clock.unix_time()))
}

impl Server {
    /// Holds back all requests to an endpoint. Those to others go on: their limits differ, and a user can reach that of
    /// one, such as the sending of codes.
    fn stop(&self, endpoint: Endpoint, wait: Duration) {
        let until = self.clock.monotonic().saturating_add(wait);
        let mut stops = self.state.stopped_until.lock().unwrap_or_else(PoisonError::into_inner);
        let stop = stops.entry(endpoint).or_default();
        *stop = until.max(*stop);
    }

    /// Returns for how long requests to an endpoint are still held back.
    fn stopped_for(&self, endpoint: Endpoint) -> Option<Duration> {
        let mut stops = self.state.stopped_until.lock().unwrap_or_else(PoisonError::into_inner);
        let left = stops
            .get(&endpoint)?
            .checked_sub(self.clock.monotonic())
            .filter(|left| !left.is_zero());
        if left.is_none() {
            stops.remove(&endpoint);
        }
        left
    }
}

/// Returns a random pause.
pub(super) fn pause() -> Duration {
    let mut random = [0; 2];
    // Without randomness, the shortest pause is as good.
    let _ = rand::fill(&mut random);
    let part = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
    SHORTEST_PAUSE + (LONGEST_PAUSE - SHORTEST_PAUSE).mul_f64(part)
}
