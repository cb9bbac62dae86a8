//! Requests that wait for the decision of a user, while their clients poll.
use super::bounded::Bounded;
use crate::secret::Fingerprint;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

const MAX_REQUESTS: usize = 1_000;

/// The interval of polls that clients are given.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);

/// The longest interval to which polls that are too fast lead.
const MAX_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How a client asks a user who is not in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestKind {
    /// The device flow: the user enters a code at `/activate`.
    Device,
    /// CIBA: the user's phone asks.
    Backchannel,
    /// A second factor: the user's app asks.
    Mfa,
}

/// A request, which is kept under the fingerprint of the secret that its client polls with.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) kind: RequestKind,
    /// How the user refers to it: the user code, or a number of the tenant.
    pub(crate) id: String,
    pub(crate) client_id: String,
    /// The user who is asked, if the client names one.
    pub(crate) subject: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) audience: Option<String>,
    pub(crate) binding_message: Option<String>,
    pub(crate) authorization_details: Option<Value>,
    pub(crate) expires: Duration,
    pub(crate) decision: Decision,
    pub(crate) pace: Pace,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Decision {
    #[default]
    Waiting,
    /// The user with this `sub` approved it.
    Approved(String),
    Denied,
}

/// When the client may poll.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    interval: Duration,
    polled: Option<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { interval: INTERVAL, polled: None }
    }
}

/// The answer to a poll.
#[derive(Debug)]
pub(crate) enum Poll {
    Unknown,
    Waiting,
    /// The client must wait for this interval between two polls.
    TooFast(Duration),
    Denied,
    Expired,
    /// The user with this `sub` approved it. It is removed.
    Approved(Box<Pending>, String),
}

#[derive(Debug)]
pub(crate) struct PendingRequests {
    requests: Bounded<Fingerprint, Pending>,
    numbers: u64,
}

impl PendingRequests {
    pub(super) fn new() -> Self {
        Self { requests: Bounded::new(MAX_REQUESTS), numbers: 0 }
    }

    /// Returns an id for a request whose client shows none.
    pub(crate) fn next_id(&mut self) -> String {
        self.numbers += 1;
        self.numbers.to_string()
    }

    pub(crate) fn keep(&mut self, secret: &str, request: Pending) {
        self.requests.insert(Fingerprint::of(secret), request);
    }

    /// Returns the requests that wait for a decision, the oldest first.
    pub(crate) fn waiting(&self, now: Duration) -> impl Iterator<Item = &Pending> {
        self.requests.values().filter(move |request| request.waits(now))
    }

    /// Decides a request. Returns whether it waited.
    pub(crate) fn decide(&mut self, id: &str, decision: Decision, now: Duration) -> bool {
        let request =
            self.requests.values_mut().find(|request| request.id == id && request.waits(now));
        request.map(|request| request.decision = decision).is_some()
    }

    /// Answers a poll of this client. An approved request is removed, because it is redeemed once. So is an
    /// expired one of the device flow, because its client learns of that once.
    pub(crate) fn poll(
        &mut self,
        secret: &str,
        kind: RequestKind,
        client_id: &str,
        now: Duration,
    ) -> Poll {
        let fingerprint = Fingerprint::of(secret);
        let Some(request) = self.requests.get_mut(&fingerprint) else { return Poll::Unknown };
        if request.kind != kind || request.client_id != client_id {
            return Poll::Unknown;
        }
        if now >= request.expires {
            if kind == RequestKind::Device {
                self.requests.remove(&fingerprint);
            }
            return Poll::Expired;
        }
        match &request.decision {
            Decision::Denied => Poll::Denied,
            Decision::Waiting => request.pace.poll(kind, now),
            Decision::Approved(subject) => {
                let subject = subject.clone();
                let request = self.requests.remove(&fingerprint);
                request.map_or(Poll::Unknown, |it| Poll::Approved(Box::new(it), subject))
            }
        }
    }
}

impl Pending {
    fn waits(&self, now: Duration) -> bool {
        self.decision == Decision::Waiting && now < self.expires
    }
}

impl Pace {
    /// Notes a poll. One that is too fast makes the interval of CIBA longer, as with Auth0.
    fn poll(&mut self, kind: RequestKind, now: Duration) -> Poll {
        let since = self.polled.map(|polled| now.saturating_sub(polled));
        self.polled = Some(now);
        if since.is_none_or(|since| since >= self.interval) {
            return Poll::Waiting;
        }
        if kind == RequestKind::Backchannel {
            self.interval = (self.interval + INTERVAL).min(MAX_INTERVAL);
        }
        Poll::TooFast(self.interval)
    }
}
