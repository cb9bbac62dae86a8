//! The documents of an issuer: its metadata (OpenID Connect Discovery §4, RFC 8414) and its key set.
use super::{fetch_error::FetchError, key_set::KeySet, source::KeySource};
use crate::{
    identifier::{Issuer, is_loopback},
    transport::{HttpRequest, MAX_BODY_BYTES, Transport},
};
use serde::Deserialize;
use url::Url;

/// The members of the metadata that are used.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// Reads the metadata, and returns the URL of the key set.
pub(super) async fn key_set_location(
    transport: &Transport,
    issuer: &Issuer,
    same_origin: bool,
) -> Result<Box<str>, FetchError> {
    let body = fetch(transport, issuer, &issuer.metadata_url()).await?;
    if !is_object(&body) {
        return Err(FetchError::NotMetadata("it is not a JSON object".into()));
    }
    let metadata: Metadata = serde_json::from_slice(&body)
        .map_err(|error| FetchError::NotMetadata(error.to_string()))?;
    if metadata.issuer != issuer.as_str() {
        return Err(FetchError::OtherIssuer {
            stated: metadata.issuer,
            configured: issuer.clone(),
        });
    }
    key_set_uri(&metadata.jwks_uri, issuer, same_origin)
}

/// Returns the URL of a key set in its normal form, if this issuer may use it.
pub(super) fn key_set_uri(
    text: &str,
    issuer: &Issuer,
    same_origin: bool,
) -> Result<Box<str>, FetchError> {
    let uri = Url::parse(text).map_err(|_| FetchError::KeySetUri("it is not a URL"))?;
    match uri.scheme() {
        "https" => {}
        "http" if issuer.is_loopback() && is_loopback(&uri) => {}
        _ => return Err(FetchError::KeySetUri("it is not https")),
    }
    if same_origin
        && !Url::parse(issuer.as_str()).is_ok_and(|issuer| issuer.origin() == uri.origin())
    {
        return Err(FetchError::KeySetUri("it is not of the issuer's origin"));
    }
    Ok(uri.as_str().into())
}

/// Reads the key set at a URL.
pub(super) async fn key_set(
    transport: &Transport,
    source: &KeySource,
    url: &str,
) -> Result<KeySet, FetchError> {
    let body = fetch(transport, source.issuer(), url).await?;
    if !is_object(&body) {
        return Err(FetchError::NotKeySet);
    }
    let keys = KeySet::parse(&body, source.algorithms()).ok_or(FetchError::NotKeySet)?;
    if keys.is_unusable() { Err(FetchError::NoUsableKey) } else { Ok(keys) }
}

async fn fetch(transport: &Transport, issuer: &Issuer, url: &str) -> Result<Vec<u8>, FetchError> {
    let addresses = transport.addresses.check(url, issuer).map_err(FetchError::NotPublic)?;
    let request = HttpRequest::get(url, addresses);
    let answer = transport.http.send(request).await.map_err(FetchError::Http)?;
    if answer.status() != 200 {
        let retry_after = answer.retry_after();
        return Err(FetchError::Status { status: answer.status(), retry_after });
    }
    match answer.header("content-type") {
        Some(content_type) if is_json(content_type) => {}
        other => return Err(FetchError::NotJson(other.map(str::to_owned))),
    }
    if answer.body().len() > MAX_BODY_BYTES {
        return Err(FetchError::TooLong);
    }
    Ok(answer.into_body())
}

/// Returns whether a document is a JSON object. Checked before serde reads it, because serde also reads a
/// list as a struct.
fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// Returns whether a content type is `application/json`, `application/jwk-set+json` or another type that ends
/// in `+json` (RFC 6839).
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn content_types() {
        for (text, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/jwk-set+json", true),
            ("text/html", false),
            ("text/json", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            assert_eq!(is_json(text), expected, "{text}");
        }
    }
}
