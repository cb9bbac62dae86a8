use super::bounded::Bounded;
use crate::secret::Fingerprint;
use std::time::Duration;

/// Auth0's lifetime of a session transfer token.
pub(crate) const SESSION_TRANSFER_LIFETIME: Duration = Duration::from_secs(60);

const MAX_TOKENS: usize = 10_000;

/// The session transfer tokens. Each logs its user in once, in a browser.
#[derive(Debug)]
pub(crate) struct SessionTransfers(Bounded<Fingerprint, Kept>);

#[derive(Debug)]
struct Kept {
    subject: String,
    expires: Duration,
}

impl SessionTransfers {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MAX_TOKENS))
    }

    pub(crate) fn keep(&mut self, token: &str, subject: &str, now: Duration) {
        let kept = Kept { subject: subject.to_owned(), expires: now + SESSION_TRANSFER_LIFETIME };
        self.0.insert(Fingerprint::of(token), kept);
    }

    /// Uses a token. Returns its user.
    pub(crate) fn redeem(&mut self, token: &str, now: Duration) -> Option<String> {
        let kept = self.0.remove(&Fingerprint::of(token))?;
        (now < kept.expires).then_some(kept.subject)
    }
}
