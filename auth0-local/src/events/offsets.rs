use crate::error::LocalError;
use aws_lc_rs::{hmac, rand::SystemRandom};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Writes positions in the log as offsets, and reads those that it wrote: each ends with a MAC of its position, so
/// that other text, and an offset of another tenant, is recognized.
#[derive(Debug)]
pub(super) struct Offsets(hmac::Key);

impl Offsets {
    pub(super) fn new() -> Result<Self, LocalError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        key.map(Self).map_err(|_| LocalError::new("the system has no randomness"))
    }

    pub(super) fn write(&self, position: u64) -> String {
        let position = position.to_be_bytes();
        let mac = hmac::sign(&self.0, &position);
        URL_SAFE_NO_PAD.encode([&position, mac.as_ref()].concat())
    }

    pub(super) fn read(&self, text: &str) -> Option<u64> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (position, mac) = bytes.split_first_chunk()?;
        hmac::verify(&self.0, position, mac).ok()?;
        Some(u64::from_be_bytes(*position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_offsets() {
        let offsets = Offsets::new().unwrap();
        let text = offsets.write(7);
        assert_eq!(offsets.read(&text), Some(7));
        assert_ne!(offsets.write(8), text);
        assert_eq!(Offsets::new().unwrap().read(&text), None);
        for other in ["", "7", "AAAAAAAAAAc", &text.to_uppercase(), &format!("{text}AAAA")] {
            assert_eq!(offsets.read(other), None, "{other}");
        }
    }
}
