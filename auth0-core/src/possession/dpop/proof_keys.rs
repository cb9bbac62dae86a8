//! Keys of valid proofs, so that the key of a client's next proof is not parsed again: a client keeps its
//! key for longer than any token.
//!
//! A table of fixed size, in which each key has one slot, and the last key of a slot stays. Reading takes no
//! lock. Only a key of a bound token with a valid proof is kept.
use crate::jose::{Thumbprint, VerifyingKey};
use arc_swap::ArcSwapOption;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// At most 12 MiB, if all are RSA keys of 2048 bits.
const SLOTS: usize = 4096;

/// Twice what an RSA key of 2048 bits takes as JSON.
const MAX_JWK_BYTES: usize = 1024;

#[derive(Default)]
pub(crate) struct ProofKeys(OnceLock<Box<[Slot]>>);

type Slot = ArcSwapOption<ProofKey>;

#[derive(Debug)]
pub(super) struct ProofKey {
    /// The JWK as it was sent. The thumbprint is not enough: it does not cover the members that restrict the
    /// use of the key.
    jwk: Box<str>,
    pub(super) key: VerifyingKey,
}

impl ProofKeys {
    pub(super) fn get(&self, thumbprint: &Thumbprint, jwk: &str) -> Option<Arc<ProofKey>> {
        let known = slot(self.0.get()?, thumbprint)?.load();
        known.as_ref().filter(|known| *known.jwk == *jwk).map(Arc::clone)
    }

    pub(super) fn learn(&self, thumbprint: &Thumbprint, jwk: &str, key: VerifyingKey) {
        if jwk.len() > MAX_JWK_BYTES {
            return;
        }
        let slots = self.0.get_or_init(|| (0..SLOTS).map(|_| Slot::empty()).collect());
        if let Some(slot) = slot(slots, thumbprint) {
            slot.store(Some(Arc::new(ProofKey { jwk: jwk.into(), key })));
        }
    }
}

fn slot<'a>(slots: &'a [Slot], thumbprint: &Thumbprint) -> Option<&'a Slot> {
    let (start, _) = thumbprint.as_bytes().split_first_chunk()?;
    slots.get(u64::from_le_bytes(*start) as usize % slots.len())
}

impl fmt::Debug for ProofKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofKeys").finish_non_exhaustive()
    }
}
