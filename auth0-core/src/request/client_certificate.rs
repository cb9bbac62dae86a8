//! The certificate that a client has presented: on the connection, or to a proxy in front, which reports it
//! in `Client-Cert` (RFC 9440) or Envoy's `X-Forwarded-Client-Cert`.
use super::{HeaderLines, HttpParts, Origin, forwarded};
use crate::jose::Thumbprint;
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use percent_encoding::percent_decode_str;

/// The reader should not insist on padding or on zero bits after the end (RFC 8941 §4.2.7): a certificate
/// with one bit changed has another thumbprint anyway.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The content of one header.
#[derive(Clone, Copy)]
enum Reported {
    /// The header is not there.
    Nothing,
    /// It is there, and empty: the client has presented no certificate.
    NoCertificate,
    Certificate(Thumbprint),
}

/// Returns the thumbprint of the certificate that the client holds. A trusted proxy reports it for its
/// clients, so the certificate of the proxy's connection does not count. The error is for the log.
pub(crate) fn presented(
    parts: &dyn HttpParts,
    origin: &Origin,
) -> Result<Option<Thumbprint>, &'static str> {
    if !origin.is_trusted_proxy(parts) {
        return Ok(parts.connection().certificate);
    }
    let standard = match parts.header("client-cert") {
        HeaderLines::Absent => Reported::Nothing,
        HeaderLines::One(value) => of_client_cert(value).ok_or("Client-Cert is malformed")?,
        HeaderLines::Several => return Err("there are several Client-Cert headers"),
    };
    let envoy = match parts.header("x-forwarded-client-cert") {
        HeaderLines::Absent => Reported::Nothing,
        HeaderLines::One(value) => {
            of_forwarded(value).ok_or("X-Forwarded-Client-Cert is malformed")?
        }
        HeaderLines::Several => return Err("there are several X-Forwarded-Client-Cert headers"),
    };
    // If a proxy writes only one of them, a client could write the other.
    let reported = standard
        .and(envoy)
        .ok_or("Client-Cert and X-Forwarded-Client-Cert contradict each other")?;
    Ok(match reported {
        Reported::Nothing | Reported::NoCertificate => None,
        Reported::Certificate(thumbprint) => Some(thumbprint),
    })
}

impl Reported {
    /// Combines both headers, unless they contradict each other.
    fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Nothing, reported) | (reported, Self::Nothing) => Some(reported),
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

/// Reads a byte sequence of structured fields (RFC 8941 §3.3.5): the DER in base64, between colons.
fn of_client_cert(value: &[u8]) -> Option<Reported> {
    let value = value.trim_ascii();
    if value.is_empty() {
        return Some(Reported::NoCertificate);
    }
    let base64 = value.strip_prefix(b":")?.strip_suffix(b":")?;
    Some(Reported::of_certificate(&BASE64.decode(base64).ok()?))
}

/// Reads the last element: `Cert`, the PEM percent-encoded, and `Hash`, the SHA-256 in hexadecimal. They
/// must agree. Proxies that fill in variables leave them empty if there is no certificate.
fn of_forwarded(value: &[u8]) -> Option<Reported> {
    let (mut certificate, mut hash) = (Reported::Nothing, Reported::Nothing);
    for (name, value) in forwarded::last(std::str::from_utf8(value).ok()?)? {
        let (reported, read): (_, fn(&str) -> Option<Reported>) = match name {
            name if name.eq_ignore_ascii_case("cert") => (&mut certificate, of_pem),
            name if name.eq_ignore_ascii_case("hash") => (&mut hash, of_hex),
            _ => continue,
        };
        if !matches!(reported, Reported::Nothing) {
            return None; // it occurs twice
        }
        *reported = if value.is_empty() { Reported::NoCertificate } else { read(&value)? };
    }
    match certificate.and(hash)? {
        Reported::Nothing => Some(Reported::NoCertificate),
        reported => Some(reported),
    }
}

/// Reads the first certificate of a percent-encoded PEM (RFC 7468): a chain begins with the client's. The
/// lines may end in any way, or be folded into one. No other text may be there, such as the comma with which
/// a proxy appends its own value to that of a client.
fn of_pem(encoded: &str) -> Option<Reported> {
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
    Some(Reported::of_certificate(&der))
}

fn of_hex(text: &str) -> Option<Reported> {
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
    Some(Reported::Certificate(Thumbprint::from_bytes(bytes)))
}
