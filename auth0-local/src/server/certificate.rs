//! mTLS behind the edge of a customer: the edge verifies the client's certificate, and sends it in a header
//! together with the API key of the custom domain.
use super::refusal::Refusal;
use crate::{directory::Client, file::certificate_der, running::RunningTenant, secret};
use axum::http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;

/// Auth0's limit of the header `client-certificate`.
const MAX_BYTES: usize = 4096;

/// The methods of mTLS, by what the edge says about the certificate.
pub(super) const CA_SIGNED: &str = "tls_client_auth";
pub(super) const SELF_SIGNED: &str = "self_signed_tls_client_auth";

/// Checks that the edge sent the certificate of this client. The headers of other senders are not believed.
pub(super) fn check(
    running: &RunningTenant,
    headers: &HeaderMap,
    client: &Client,
) -> Result<(), Refusal> {
    let edge = running
        .settings()
        .mtls
        .as_ref()
        .ok_or_else(|| refused("the tenant has no mTLS. Write mtls in the file of --tenant"))?;
    if !one(headers, "cname-api-key")?.is_some_and(|key| edge.has_api_key(key)) {
        return Err(refused(
            "no cname-api-key of the edge came with it. Send the request to the edge",
        ));
    }
    if method(headers).is_none() {
        return Err(refused("client-certificate-ca-verified is neither SUCCESS nor FAILED"));
    }
    let header = one(headers, "client-certificate")?.ok_or_else(|| {
        refused("client-certificate is missing. The edge sends it as URL-encoded PEM")
    })?;
    if header.len() > MAX_BYTES {
        return Err(refused("client-certificate has more than 4096 bytes"));
    }
    let pem = percent_decode_str(header).decode_utf8().ok();
    let der = pem.as_deref().and_then(certificate_der);
    let der = der.ok_or_else(|| refused("client-certificate is not URL-encoded PEM"))?;
    match client.has_certificate(&secret::sha256(der)) {
        true => Ok(()),
        false => Err(refused("the certificate is not that of the client")),
    }
}

/// Returns the method that the edge reports.
pub(super) fn method(headers: &HeaderMap) -> Option<&'static str> {
    let status = headers.get("client-certificate-ca-verified")?.to_str().ok()?;
    match status.split(':').next().unwrap_or_default() {
        "SUCCESS" => Some(CA_SIGNED),
        "FAILED" => Some(SELF_SIGNED),
        _ => None,
    }
}

/// Returns the one value of a header.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(Some(value.to_str().unwrap_or_default())),
        (None, _) => Ok(None),
        _ => Err(refused(&format!("{name} is sent twice"))),
    }
}

fn refused(why: &str) -> Refusal {
    let description = format!("the client authenticates with its certificate, and {why}");
    Refusal::new(StatusCode::UNAUTHORIZED, "invalid_client", description)
}
