//! Tags by which the token cache recognizes a token.
//!
//! AES-GCM-SIV (RFC 8452) with the token as additional data, nothing to encrypt, and always the same nonce is a
//! message authentication code: it is made for nonces that repeat, and its tag is then a pseudorandom function of
//! the token. On a processor with instructions for AES, a tag takes half the time of a SHA-256.
//!
//! Its key is random, and nothing outside of the process sees a tag, so that a client cannot choose a token with the
//! tag of another one: with a token of n blocks of 16 bytes, an attempt succeeds with a probability of about
//! n / 2^127 for each cached token (RFC 8452 §9).
use aws_lc_rs::{
    aead::{AES_128_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey},
    error::Unspecified,
    rand,
};

const KEY_LEN: usize = 16;

/// The key of the tags of one cache.
pub(crate) struct TagKey(LessSafeKey);

/// The tag of a whole token as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenTag([u8; 16]);

impl TagKey {
    /// Creates a random key. Fails if the operating system has no random bytes.
    pub(crate) fn random() -> Result<Self, Unspecified> {
        let mut bytes = [0; KEY_LEN];
        rand::fill(&mut bytes)?;
        Ok(Self(LessSafeKey::new(UnboundKey::new(&AES_128_GCM_SIV, &bytes)?)))
    }

    /// Returns the tag of a token; `None` if it has more bytes than the algorithm allows (2^36).
    #[inline]
    pub(crate) fn tag(&self, token: &[u8]) -> Option<TokenTag> {
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(token), &mut []);
        tag.as_ref().map(Tag::as_ref).ok()?.try_into().ok().map(TokenTag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_the_length_decide() {
        let key = TagKey::random().unwrap();
        let token: Vec<u8> = (0..100).collect();
        let tag = |token: &[u8]| key.tag(token).unwrap();
        assert_eq!(tag(&token), tag(&token));
        let mut tags = vec![tag(&token)];
        for at in 0..token.len() {
            let mut other = token.clone();
            other[at] ^= 1;
            tags.extend([tag(&other), tag(&token[..at])]);
        }
        tags.push(tag(&[&*token, &[0]].concat()));
        for (at, one) in tags.iter().enumerate() {
            assert!(!tags[at + 1..].contains(one), "{at}");
        }
    }

    #[test]
    fn two_caches_have_two_keys() {
        let [one, other] = [TagKey::random().unwrap(), TagKey::random().unwrap()];
        assert_ne!(one.tag(b"token"), other.tag(b"token"));
    }
}
