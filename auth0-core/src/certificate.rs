//! The certificate that a client holds, as a proxy in front tells of it: `Client-Cert` (RFC 9440) and
//! Envoy's `X-Forwarded-Client-Cert`.
use crate::{
    forwarded_element,
    origin::Origin,
    request::{FieldLines, HttpParts},
    thumbprint::Thumbprint,
};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use percent_encoding::percent_decode_str;

/// Padding and the bits after the end are not for the reader to insist on (RFC 8941 §4.2.7): a
/// certificate with one bit changed has another thumbprint anyway.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What one field tells of the client.
#[derive(Clone, Copy)]
enum Told {
    /// It is not there.
    Nothing,
    /// It is there, and empty: the client has shown none.
    NoCertificate,
    Certificate(Thumbprint),
}

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
        FieldLines::Absent => Told::Nothing,
        FieldLines::One(value) => of_client_cert(value).ok_or("Client-Cert is malformed")?,
        FieldLines::Several => return Err("there are several Client-Cert fields"),
    };
    let envoy = match parts.field("x-forwarded-client-cert") {
        FieldLines::Absent => Told::Nothing,
        FieldLines::One(value) => {
            of_forwarded(value).ok_or("X-Forwarded-Client-Cert is malformed")?
        }
        FieldLines::Several => return Err("there are several X-Forwarded-Client-Cert fields"),
    };
    // If a proxy writes only the one, a client could write the other.
    let told = standard
        .and(envoy)
        .ok_or("Client-Cert and X-Forwarded-Client-Cert contradict each other")?;
    Ok(match told {
        Told::Nothing | Told::NoCertificate => None,
        Told::Certificate(thumbprint) => Some(thumbprint),
    })
}

impl Told {
    /// What both tell, unless they contradict each other.
    fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Nothing, told) | (told, Self::Nothing) => Some(told),
            (Self::NoCertificate, Self::NoCertificate) => Some(self),
            (Self::Certificate(one), Self::Certificate(two)) => one.is(&two).then_some(self),
            (Self::NoCertificate, Self::Certificate(_))
            | (Self::Certificate(_), Self::NoCertificate) => None,
        }
    }

    fn of_certificate(der: &[u8]) -> Self {
        if der.is_empty() {
            return Self::NoCertificate;
        }
        Self::Certificate(Thumbprint::of_certificate(der))
    }
}

/// A byte sequence of structured fields (RFC 8941 §3.3.5): base64 between colons, of the DER.
fn of_client_cert(value: &[u8]) -> Option<Told> {
    let value = value.trim_ascii();
    if value.is_empty() {
        return Some(Told::NoCertificate);
    }
    let base64 = value.strip_prefix(b":")?.strip_suffix(b":")?;
    Some(Told::of_certificate(&BASE64.decode(base64).ok()?))
}

/// Of the last element: `Cert`, the PEM percent-encoded, or `Hash`, the SHA-256 in hexadecimal. Both
/// must agree. Proxies that fill in variables leave them empty without a certificate.
fn of_forwarded(value: &[u8]) -> Option<Told> {
    let (mut certificate, mut hash) = (Told::Nothing, Told::Nothing);
    for (name, value) in forwarded_element::last(std::str::from_utf8(value).ok()?)? {
        let (told, read): (_, fn(&str) -> Option<Told>) = match name {
            name if name.eq_ignore_ascii_case("cert") => (&mut certificate, of_pem),
            name if name.eq_ignore_ascii_case("hash") => (&mut hash, of_hex),
            _ => continue,
        };
        if !matches!(told, Told::Nothing) {
            return None; // it stands there twice
        }
        *told = if value.is_empty() { Told::NoCertificate } else { read(&value)? };
    }
    match certificate.and(hash)? {
        Told::Nothing => Some(Told::NoCertificate),
        told => Some(told),
    }
}

/// The first of the certificates of a PEM (RFC 7468), which is percent-encoded: a chain begins with the
/// client's. The lines may end in any way, or be folded into one; nothing else may be there, such as the
/// comma with which a proxy joins what a client sent to its own.
fn of_pem(encoded: &str) -> Option<Told> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let pem = percent_decode_str(encoded).decode_utf8().ok()?;
    let mut rest = pem.trim_ascii();
    let mut first = None;
    while !rest.is_empty() {
        let (base64, after) = rest.strip_prefix(BEGIN)?.split_once(END)?;
        first.get_or_insert(base64);
        rest = after.trim_ascii_start();
    }
    let base64: String = first?.split_ascii_whitespace().collect();
    let der = BASE64.decode(base64).ok().filter(|der| !der.is_empty())?;
    Some(Told::of_certificate(&der))
}

fn of_hex(text: &str) -> Option<Told> {
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
    Some(Told::Certificate(Thumbprint::from_bytes(bytes)))
}
