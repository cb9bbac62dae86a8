//! Clients with certificates, and the headers in which proxies hand those on.
use super::{Request, www_authenticate};
use auth0_core::{Auth0, Error, ErrorCode, adapter::Connection};
use auth0_testing::{Tenant, TokenBuilder};
use base64::{Engine, engine::general_purpose::STANDARD};

/// Bytes that stand for a certificate, since no test parses it. Their base64 ends in `==`, and has every
/// character that is percent-encoded.
pub(crate) const ANN: [u8; 256] = {
    let mut der = [0; 256];
    let mut index = 0;
    while index < 256 {
        der[index] = 255 - index as u8;
        index += 1;
    }
    der
};
pub(crate) const BEN: &[u8] = b"0\x82\x01\x0a of another client";

pub(crate) const PROXY: &str = "10.0.0.7";
pub(crate) const CLIENT: &str = "203.0.113.9";
pub(crate) const URL: &str = "https://api.tenant.test/me";

pub(crate) const MISMATCH: ErrorCode = ErrorCode::TokenBindingMismatch;

/// Returns a request of a client over TLS, without a certificate.
pub(crate) fn request(scheme: &str, token: &TokenBuilder) -> Request {
    let connection = Connection::new().peer(CLIENT.parse().unwrap()).tls(true);
    Request::http2("https", "api.tenant.test")
        .connection(connection)
        .authorized(scheme, &token.mint())
}

/// Returns a verifier that trusts the proxy.
pub(crate) fn behind_a_proxy(tenant: &Tenant) -> Auth0 {
    tenant.builder().trusted_proxies([PROXY]).build().unwrap()
}

/// Returns a token that is bound to the certificate of Ann.
pub(crate) fn bound(tenant: &Tenant) -> TokenBuilder {
    tenant.token().bound_to_certificate(&ANN)
}

/// Asserts status and code, and that the error stands in the challenge of the scheme that the client used.
#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(
    name: &str,
    verdict: Result<T, Error>,
    scheme: &str,
    code: ErrorCode,
) {
    let error = verdict.expect_err(name);
    assert_eq!(error.code(), code, "{name}");
    let (status, oauth) = match code {
        ErrorCode::TokenBindingMismatch => (401, "invalid_token"),
        ErrorCode::DpopProofMissing | ErrorCode::DpopProofInvalid => (401, "invalid_dpop_proof"),
        _ => (400, "invalid_request"),
    };
    let challenge = error.challenge();
    assert_eq!(challenge.status(), status, "{name}");
    let mut lines = www_authenticate(&error);
    lines.retain(|line| line.contains("error="));
    assert_eq!(lines.len(), 1, "{name}: {lines:?}");
    assert!(lines[0].starts_with(&format!("{scheme} error=\"{oauth}\"")), "{name}: {lines:?}");
    let body = std::str::from_utf8(challenge.body()).unwrap();
    assert!(body.contains(&format!(r#""error_code":"{}""#, code.as_str())), "{name}: {body}");
}

/// Returns each header with which a proxy may hand on a certificate.
pub(crate) fn headers_of(der: &[u8]) -> Vec<(&'static str, String)> {
    vec![
        ("client-cert", client_cert(der)),
        ("x-forwarded-client-cert", format!("Cert=\"{}\"", escaped(&pem(der)))),
        ("x-forwarded-client-cert", format!("Hash={}", hash(der))),
        ("x-forwarded-client-cert", envoy(der)),
    ]
}

/// Returns the value of `Client-Cert` (RFC 9440).
pub(crate) fn client_cert(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(der))
}

/// Returns `X-Forwarded-Client-Cert` as Envoy writes it with all of `set_current_client_cert_details`.
pub(crate) fn envoy(der: &[u8]) -> String {
    format!(
        "By=spiffe://acme/api;Hash={};Cert=\"{}\";Chain=\"{}\";Subject=\"CN=Ann \\\"A\\\",O=Acme\\, \
         Inc\";URI=spiffe://acme/ann;DNS=ann.acme.com;DNS=www.acme.com",
        hash(der),
        escaped(&pem(der)),
        escaped(&pem(BEN)),
    )
}

pub(crate) fn pem(der: &[u8]) -> String {
    pem_with(der, "\n")
}

/// Returns the certificate as PEM, with these line ends.
pub(crate) fn pem_with(der: &[u8], end: &str) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN CERTIFICATE-----{end}");
    for line in base64.as_bytes().chunks(64) {
        text += std::str::from_utf8(line).unwrap();
        text += end;
    }
    text + "-----END CERTIFICATE-----" + end
}

/// Percent-encodes as nginx does for `$ssl_client_escaped_cert`.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// Returns the SHA-256 in lower-case hexadecimal.
pub(crate) fn hash(der: &[u8]) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    digest(&SHA256, der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
