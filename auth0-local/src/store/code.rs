use super::{Grant, bounded::Bounded};
use crate::secret::Fingerprint;
use std::{sync::Arc, time::Duration};

/// The lifetime of a code.
const LIFETIME: Duration = Duration::from_secs(60);

/// How long a used code is recognized, so that its second use revokes the tokens of the first.
const REUSE_DETECTION: Duration = Duration::from_secs(60 * 60);

const MAX_CODES: usize = 10_000;

/// An authorization code and what its exchange must repeat.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) grant: Arc<Grant>,
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: Option<String>,
    /// The thumbprint of the DPoP key that the request named (`dpop_jkt`).
    pub(crate) key: Option<String>,
}

#[derive(Debug)]
struct Kept {
    code: Code,
    issued: Duration,
    is_used: bool,
}

/// The result of an exchange.
#[derive(Debug)]
pub(crate) enum Redeemed {
    First,
    /// The code was used before: the tokens of its grant must be revoked.
    Again {
        grant: u64,
    },
    Unknown,
}

#[derive(Debug)]
pub(crate) struct Codes(Bounded<Fingerprint, Kept>);

impl Codes {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MAX_CODES))
    }

    pub(crate) fn keep(&mut self, secret: &str, code: Code, now: Duration) {
        self.0.insert(Fingerprint::of(secret), Kept { code, issued: now, is_used: false });
    }

    /// Returns a code that is known and not expired. A used one is returned, too.
    pub(crate) fn presented(&self, fingerprint: &Fingerprint, now: Duration) -> Option<Code> {
        let kept = self.0.get(fingerprint)?;
        let lifetime = if kept.is_used { REUSE_DETECTION } else { LIFETIME };
        (now < kept.issued + lifetime).then(|| kept.code.clone())
    }

    /// Uses a code, which was presented correctly.
    pub(crate) fn redeem(&mut self, fingerprint: &Fingerprint) -> Redeemed {
        let Some(kept) = self.0.get_mut(fingerprint) else { return Redeemed::Unknown };
        if kept.is_used {
            return Redeemed::Again { grant: kept.code.grant.number };
        }
        kept.is_used = true;
        Redeemed::First
    }
}
