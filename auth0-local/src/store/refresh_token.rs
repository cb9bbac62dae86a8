//! The text of a refresh token.
use crate::error::LocalError;
use aws_lc_rs::{hmac, rand::SystemRandom};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The length of the two numbers.
const NUMBERS: usize = 16;

/// What a refresh token says: its family, and its number in it. A token that the tenant no longer keeps is
/// recognized by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub(super) family: u64,
    pub(super) number: u64,
}

/// Writes refresh tokens, and reads those that it wrote: each ends with a MAC of its numbers.
#[derive(Debug)]
pub(super) struct Scribe(hmac::Key);

impl Scribe {
    pub(super) fn new() -> Result<Self, LocalError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        key.map(Self).map_err(|_| LocalError::new("the system has no randomness"))
    }

    pub(super) fn write(&self, token: RefreshToken) -> String {
        let numbers = [token.family.to_be_bytes(), token.number.to_be_bytes()].concat();
        let mac = hmac::sign(&self.0, &numbers);
        URL_SAFE_NO_PAD.encode([&numbers, mac.as_ref()].concat())
    }

    pub(super) fn read(&self, text: &str) -> Option<RefreshToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (numbers, mac) = bytes.split_at_checked(NUMBERS)?;
        hmac::verify(&self.0, numbers, mac).ok()?;
        let (family, number) = numbers.split_first_chunk()?;
        Some(RefreshToken {
            family: u64::from_be_bytes(*family),
            number: u64::from_be_bytes(number.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_tokens() {
        let scribe = Scribe::new().unwrap();
        let token = RefreshToken { family: 7, number: u64::MAX };
        let text = scribe.write(token);
        assert_eq!((text.len(), scribe.read(&text)), (64, Some(token)));
        assert_eq!(Scribe::new().unwrap().read(&text), None);
        let (_, mac) = text.split_at(22);
        for other in
            ["", "AAAA", mac, &format!("{text}A"), &format!("{text}AAAA"), &text.to_uppercase()]
        {
            assert_eq!(scribe.read(other), None, "{other}");
        }
    }
}
