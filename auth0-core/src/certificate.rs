//! The certificate that a client holds, as a proxy in front tells of it: `Client-Cert` (RFC 9440) and
//! Envoy's `X-Forwarded-Client-Cert`.
use crate::{
    origin::Origin,
    request::{FieldLines, HttpParts},
    thumbprint::Thumbprint,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;

/// The thumbprint of the certificate that the client holds. A trusted proxy speaks for clients, so
/// that of its own connection is not theirs. The error is for the log.
pub(crate) fn presented(
    parts: &dyn HttpParts,
    origin: &Origin,
) -> Result<Option<Thumbprint>, &'static str> {
    if !origin.is_trusted_proxy(parts) {
        return Ok(parts.connection().certificate);
    }
    let standard = match parts.field("client-cert") {
        FieldLines::Absent => None,
        FieldLines::One(value) => Some(of_client_cert(value).ok_or("Client-Cert is malformed")?),
        FieldLines::Several => return Err("there are several Client-Cert fields"),
    };
    let envoy = match parts.field("x-forwarded-client-cert") {
        FieldLines::Absent => None,
        FieldLines::One(value) => {
            Some(of_forwarded(value).ok_or("X-Forwarded-Client-Cert is malformed")?)
        }
        FieldLines::Several => return Err("there are several X-Forwarded-Client-Cert fields"),
    };
    match (standard, envoy) {
        // If a proxy writes only the one, a client could write the other.
        (Some(standard), Some(envoy)) if !standard.is(&envoy) => {
            Err("Client-Cert and X-Forwarded-Client-Cert differ")
        }
        (standard, envoy) => Ok(standard.or(envoy)),
    }
}

/// A byte sequence of structured fields (RFC 8941 §3.3.5): base64 between colons, of the DER.
fn of_client_cert(value: &[u8]) -> Option<Thumbprint> {
    let base64 = value.trim_ascii().strip_prefix(b":")?.strip_suffix(b":")?;
    let der = STANDARD.decode(base64).ok().filter(|der| !der.is_empty())?;
    Some(Thumbprint::of_certificate(&der))
}

/// The last element, which the proxy next to us has written: `Cert`, the PEM percent-encoded, or
/// `Hash`, the SHA-256 in hexadecimal. Both must agree.
fn of_forwarded(value: &[u8]) -> Option<Thumbprint> {
    let (mut of_certificate, mut of_hash) = (None, None);
    for (name, value) in last_element(std::str::from_utf8(value).ok()?)? {
        if name.eq_ignore_ascii_case("cert") {
            of_certificate = Some(of_pem(&percent_decode_str(&value).decode_utf8().ok()?)?);
        } else if name.eq_ignore_ascii_case("hash") {
            of_hash = Some(of_hex(&value)?);
        }
    }
    match (of_certificate, of_hash) {
        (Some(certificate), Some(hash)) => certificate.is(&hash).then_some(certificate),
        (certificate, hash) => certificate.or(hash),
    }
}

/// The pairs of the last element. Values may be quoted, with `\"` for a quotation mark.
fn last_element(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let (mut name, mut value, mut in_value, mut quoted) =
        (String::new(), String::new(), false, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => value.push(chars.next()?),
            ';' | ',' if !quoted => {
                pairs.push((std::mem::take(&mut name), std::mem::take(&mut value)));
                in_value = false;
                if c == ',' {
                    pairs.clear();
                }
            }
            '=' if !in_value => in_value = true,
            c if in_value => value.push(c),
            ' ' => {}
            c => name.push(c),
        }
    }
    if quoted {
        return None;
    }
    pairs.push((name, value));
    Some(pairs)
}

fn of_pem(pem: &str) -> Option<Thumbprint> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (base64, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let base64: String = base64.split_ascii_whitespace().collect();
    let der = STANDARD.decode(base64).ok().filter(|der| !der.is_empty())?;
    Some(Thumbprint::of_certificate(&der))
}

fn of_hex(text: &str) -> Option<Thumbprint> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(Thumbprint::from_bytes(bytes))
}
