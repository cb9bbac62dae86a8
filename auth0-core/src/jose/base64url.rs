//! Base64url without padding and without stray bits (RFC 7515 §2). Each content has exactly one encoding;
//! otherwise a token could be altered without breaking its signature.
use base64::{Engine, engine::general_purpose::NO_PAD};
use std::{borrow::Cow, sync::LazyLock};

/// Decodes with the processor's vector instructions where it has them: a token is mostly base64.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: LazyLock<base64::engine::Simd> =
    LazyLock::new(|| base64::engine::Simd::url_safe(NO_PAD));

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static ENGINE: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD));

pub(crate) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    let text = text.as_ref();
    let mut bytes = vec![0; text.len() / 4 * 3 + text.len() % 4 * 3 / 4];
    let written = ENGINE.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(written);
    Some(bytes)
}

/// The size of a signature with an RSA key of 4096 bits.
pub(crate) type Buffer = [u8; 512];

/// Decodes into the buffer if it is large enough, which saves an allocation.
pub(crate) fn decode_into<'a>(buffer: &'a mut Buffer, text: &[u8]) -> Option<Cow<'a, [u8]>> {
    if text.len() / 4 * 3 + 2 > buffer.len() {
        return decode(text).map(Cow::Owned);
    }
    let written = ENGINE.decode_slice(text, buffer).ok()?;
    buffer.get(..written).map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decodes_what_the_scalar_engine_decodes(text in "[A-Za-z0-9_-]{0,400}") {
            prop_assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok());
        }

        #[test]
        fn refuses_what_it_refuses(text in "[A-Za-z0-9_-]{0,200}([^A-Za-z0-9_-]|[+/=.])?[A-Za-z0-9_-]{0,200}") {
            prop_assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok());
        }

        #[test]
        fn there_is_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
            let text = URL_SAFE_NO_PAD.encode(&bytes);
            prop_assert_eq!(decode(&text), Some(bytes.clone()));
            let mut buffer = [0; _];
            prop_assert_eq!(decode_into(&mut buffer, text.as_bytes()).unwrap(), bytes);
        }
    }
}
