use super::bounded::Bounded;
use crate::secret::Fingerprint;
use std::time::Duration;

/// Auth0's lifetime of a pushed request.
pub(crate) const PUSHED_LIFETIME: Duration = Duration::from_secs(30);

const MAX_REQUESTS: usize = 1_000;

#[derive(Debug)]
struct Pushed {
    client_id: String,
    /// The parameters, as a query.
    query: String,
    expires: Duration,
}

/// The requests that clients pushed (RFC 9126), by the fingerprint of their `request_uri`.
#[derive(Debug)]
pub(crate) struct PushedRequests(Bounded<Fingerprint, Pushed>);

impl PushedRequests {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MAX_REQUESTS))
    }

    pub(crate) fn keep(&mut self, uri: &str, client_id: &str, query: String, expires: Duration) {
        let client_id = client_id.to_owned();
        self.0.insert(Fingerprint::of(uri), Pushed { client_id, query, expires });
    }

    /// Returns a request of this client, once.
    pub(crate) fn take(&mut self, uri: &str, client_id: &str, now: Duration) -> Option<String> {
        let fingerprint = Fingerprint::of(uri);
        self.0.get(&fingerprint).filter(|pushed| pushed.client_id == client_id)?;
        let pushed = self.0.remove(&fingerprint)?;
        (now < pushed.expires).then_some(pushed.query)
    }
}
