//! One-time passwords by time (RFC 6238), as authenticator apps show them.
use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};

/// The alphabet of base32 (RFC 4648 §6), in which apps read a secret.
pub(crate) const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The seconds for which a password is shown.
const STEP: u64 = 30;

/// The fewest bytes of a secret (RFC 4226 §4).
const MIN_BYTES: usize = 16;

/// Decodes a secret in base32, or returns `None` for other text.
pub(crate) fn secret(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes().filter(|byte| *byte != b' ') {
        let upper = byte.to_ascii_uppercase();
        let value = ALPHABET.iter().position(|known| *known == upper)?;
        bits = (bits << 5 | u32::try_from(value).ok()?) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    (bytes.len() >= MIN_BYTES).then_some(bytes)
}

/// Returns the number of the step at a time in seconds since 1970.
pub(crate) const fn step(unix_seconds: u64) -> u64 {
    unix_seconds / STEP
}

/// Returns the password of a step: six digits.
pub(crate) fn password(secret: &[u8], step: u64) -> String {
    let tag = sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret), &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = tag.last().map_or(0, |byte| usize::from(byte & 0xf));
    let word =
        tag.iter().skip(offset).take(4).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the last six of eight digits.
    #[test]
    fn vectors() {
        let secret = secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        assert_eq!(secret, b"12345678901234567890");
        for (time, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(password(&secret, step(time)), expected, "{time}");
        }
    }

    #[test]
    fn secrets_that_are_none() {
        for text in ["", "GEZDGNBVGY3TQOJQ", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ0", "é"] {
            assert_eq!(secret(text), None, "{text}");
        }
        assert!(secret("gezd gnbv gy3t qojq gezd gnbv gy3t qojq====").is_some());
    }
}
