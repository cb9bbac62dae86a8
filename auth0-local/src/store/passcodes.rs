use super::bounded::Bounded;
use crate::secret::{Fingerprint, Hidden};
use std::time::Duration;

/// Auth0's default lifetime of a passwordless code.
const LIFETIME: Duration = Duration::from_secs(3 * 60);

/// Auth0's limit of wrong codes.
const MAX_ATTEMPTS: u32 = 3;

const MAX_CODES: usize = 1_000;

/// A one-time code that was sent to a recipient for a client.
#[derive(Debug)]
pub(crate) struct Passcode<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) realm: &'a str,
    pub(crate) recipient: &'a str,
}

#[derive(Debug)]
struct Kept {
    code: Hidden,
    issued: Duration,
    attempts: u32,
}

/// Whether a code was the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proved {
    Right,
    Wrong,
    TooOften,
}

/// The newest code of each recipient and client.
#[derive(Debug)]
pub(crate) struct Passcodes(Bounded<Fingerprint, Kept>);

impl Passcodes {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MAX_CODES))
    }

    /// Keeps a code, in the place of one that was sent before.
    pub(crate) fn keep(&mut self, of: &Passcode<'_>, code: &str, now: Duration) {
        let kept = Kept { code: Hidden::new(code), issued: now, attempts: 0 };
        self.0.insert(of.key(), kept);
    }

    /// Tries a code. The right one is used up.
    pub(crate) fn prove(&mut self, of: &Passcode<'_>, code: &str, now: Duration) -> Proved {
        let key = of.key();
        let Some(kept) = self.0.get_mut(&key).filter(|kept| now < kept.issued + LIFETIME) else {
            return Proved::Wrong;
        };
        if kept.attempts >= MAX_ATTEMPTS {
            return Proved::TooOften;
        }
        if !kept.code.is(code) {
            kept.attempts += 1;
            return Proved::Wrong;
        }
        self.0.remove(&key);
        Proved::Right
    }
}

impl Passcode<'_> {
    fn key(&self) -> Fingerprint {
        let Self { client_id, realm, recipient } = self;
        // The lengths separate the parts.
        Fingerprint::of(&format!(
            "{}:{client_id}{}:{realm}{recipient}",
            client_id.len(),
            realm.len()
        ))
    }
}
