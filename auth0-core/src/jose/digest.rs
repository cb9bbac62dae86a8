//! SHA-256 of messages and of tokens.
use super::Algorithm;
use aws_lc_rs::digest;

/// The message that a signature covers, hashed once for all its uses.
pub(crate) struct Message<'a> {
    bytes: &'a [u8],
    digest: Option<digest::Digest>,
    /// The state of the digest, from which the hash of the whole token continues.
    state: Option<digest::Context>,
}

impl<'a> Message<'a> {
    pub(super) const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) const fn digest(&self) -> Option<&digest::Digest> {
        self.digest.as_ref()
    }

    /// Hashes a message. `has_token_hash` is whether [`token_hash`](Self::token_hash) will be called.
    pub(crate) fn new(bytes: &'a [u8], algorithm: Algorithm, has_token_hash: bool) -> Self {
        if !algorithm.signs_sha256() {
            return Self { bytes, digest: None, state: None };
        }
        let mut state = digest::Context::new(&digest::SHA256);
        state.update(bytes);
        if has_token_hash {
            Self { bytes, digest: Some(state.clone().finish()), state: Some(state) }
        } else {
            Self { bytes, digest: Some(state.finish()), state: None }
        }
    }

    /// Returns the hash of `token`, which begins with this message.
    pub(crate) fn token_hash(self, token: &[u8]) -> TokenHash {
        match (self.state, token.get(self.bytes.len()..)) {
            (Some(mut state), Some(rest)) => {
                state.update(rest);
                state.finish().into()
            }
            _ => TokenHash::of(token),
        }
    }
}

/// The SHA-256 of a whole token as it was sent, which a proof contains as `ath` (RFC 9449 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenHash([u8; digest::SHA256_OUTPUT_LEN]);

impl TokenHash {
    pub(crate) fn of(token: &[u8]) -> Self {
        digest::digest(&digest::SHA256, token).into()
    }

    pub(crate) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) const fn into_bytes(self) -> [u8; digest::SHA256_OUTPUT_LEN] {
        self.0
    }
}

impl From<digest::Digest> for TokenHash {
    fn from(sha256: digest::Digest) -> Self {
        let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(sha256.as_ref());
        Self(bytes)
    }
}
