//! PEM (RFC 7468), as far as keys and certificates in files need it.
use base64::{Engine, engine::general_purpose::STANDARD};
use std::borrow::Cow;

/// The line length of RFC 7468 §2.
const LINE_LENGTH: usize = 64;

/// Returns the DER in the bytes of a file, which are PEM with this label or DER. Text before and
/// after the PEM is skipped, as openssl does.
pub(super) fn der<'a>(bytes: &'a [u8], label: &str) -> Option<Cow<'a, [u8]>> {
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.contains("-----BEGIN "))
    else {
        return Some(bytes.into());
    };
    let (_, rest) = text.split_once(&begin(label))?;
    let (body, _) = rest.split_once(&end(label))?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok().map(Cow::Owned)
}

/// Returns the DER of a public key in PEM.
pub(crate) fn public_key_der(pem: &str) -> Option<Vec<u8>> {
    ["PUBLIC KEY", "RSA PUBLIC KEY"].into_iter().find_map(|label| in_text(pem, label))
}

/// Returns the DER of the first certificate in PEM.
pub(crate) fn certificate_der(pem: &str) -> Option<Vec<u8>> {
    in_text(pem, "CERTIFICATE")
}

fn in_text(pem: &str, label: &str) -> Option<Vec<u8>> {
    pem.contains(&begin(label)).then(|| der(pem.as_bytes(), label).map(Cow::into_owned))?
}

/// Encodes DER as PEM with this label.
pub(super) fn pem(der: &[u8], label: &str) -> String {
    let mut pem = begin(label) + "\n";
    for (index, character) in STANDARD.encode(der).chars().enumerate() {
        if index > 0 && index % LINE_LENGTH == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem + "\n" + &end(label) + "\n"
}

fn begin(label: &str) -> String {
    format!("-----BEGIN {label}-----")
}

fn end(label: &str) -> String {
    format!("-----END {label}-----")
}
