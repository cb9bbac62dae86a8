//! The issuer's documents: its metadata (OpenID Connect Discovery §4, RFC 8414) and its key set.
use crate::{
    crypto::AlgorithmSet,
    domain::{Issuer, is_loopback},
    http::{HttpClient, HttpError, HttpRequest, HttpResponse, MAX_BODY_BYTES},
    jwks::KeySet,
    jws::Escaped,
    reach::Reach,
};
use serde::Deserialize;
use std::{fmt, sync::Arc, time::Duration};
use url::Url;

/// What is needed of the metadata.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) jwks_uri: Box<str>,
}

/// Why an issuer's documents could not be had. For the log.
#[derive(Clone, Debug)]
pub(crate) enum FetchError {
    Http(HttpError),
    /// Of this host.
    PrivateAddress(String),
    Status {
        status: u16,
        retry_after: Option<Duration>,
    },
    NotJson(Option<String>),
    TooLong,
    NotMetadata(String),
    OtherIssuer {
        stated: String,
        configured: Issuer,
    },
    KeySetUri(&'static str),
    NotKeySet,
    NoUsableKey,
    Deadline,
    Panicked,
    NoRuntime,
    Abandoned,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

pub(crate) async fn metadata(
    http: &Arc<dyn HttpClient>,
    reach: &Reach,
    issuer: &Issuer,
    same_origin: bool,
) -> Result<Metadata, FetchError> {
    let body = fetch(http, reach, issuer, &issuer.metadata_url()).await?;
    if !is_object(&body) {
        return Err(FetchError::NotMetadata("it is not a JSON object".into()));
    }
    let document: Document = serde_json::from_slice(&body)
        .map_err(|error| FetchError::NotMetadata(error.to_string()))?;
    if document.issuer != issuer.as_str() {
        return Err(FetchError::OtherIssuer {
            stated: document.issuer,
            configured: issuer.clone(),
        });
    }
    key_set_uri(&document.jwks_uri, issuer, same_origin)
}

/// Where a key set is, if that can be so for this issuer.
pub(crate) fn key_set_uri(
    text: &str,
    issuer: &Issuer,
    same_origin: bool,
) -> Result<Metadata, FetchError> {
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
    Ok(Metadata { jwks_uri: uri.as_str().into() })
}

pub(crate) async fn key_set(
    http: &Arc<dyn HttpClient>,
    reach: &Reach,
    issuer: &Issuer,
    url: &str,
    allowed: AlgorithmSet,
) -> Result<KeySet, FetchError> {
    let body = fetch(http, reach, issuer, url).await?;
    if !is_object(&body) {
        return Err(FetchError::NotKeySet);
    }
    let keys = KeySet::parse(&body, allowed).ok_or(FetchError::NotKeySet)?;
    if keys.is_unusable() { Err(FetchError::NoUsableKey) } else { Ok(keys) }
}

async fn fetch(
    http: &Arc<dyn HttpClient>,
    reach: &Reach,
    issuer: &Issuer,
    url: &str,
) -> Result<Vec<u8>, FetchError> {
    let request = HttpRequest::new(url, reach.check(url, issuer)?);
    let HttpResponse { status, content_type, retry_after, body } =
        http.get(request).await.map_err(FetchError::Http)?;
    if status != 200 {
        return Err(FetchError::Status { status, retry_after });
    }
    if !content_type.as_deref().is_some_and(is_json) {
        return Err(FetchError::NotJson(content_type));
    }
    if body.len() > MAX_BODY_BYTES {
        return Err(FetchError::TooLong);
    }
    Ok(body)
}

/// Asked before serde reads a document, because serde takes a list for a struct as well.
fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// `application/json`, `application/jwk-set+json` and whatever else ends in `+json` (RFC 6839).
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
}

impl FetchError {
    /// Its kind, as metrics count it.
    #[cfg(feature = "metrics")]
    pub(crate) const fn outcome(&self) -> &'static str {
        match self {
            Self::Http(_) | Self::Panicked => "unreachable",
            Self::Deadline => "timeout",
            Self::Status { .. } => "status",
            _ => "invalid",
        }
    }

    /// Whether the keys may be somewhere else by now, so that the metadata is worth another look.
    pub(crate) const fn suggests_move(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 300..=499) && *status != 429,
            Self::NotJson(_) | Self::NotKeySet | Self::NoUsableKey => true,
            _ => false,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => write!(f, "{:?}", error.to_string()),
            Self::PrivateAddress(host) => write!(
                f,
                "{} is not a public host, which an issuer that a resolver found must be, unless it is \
                 among ResolvedIssuers::private_hosts",
                Escaped(host)
            ),
            Self::Status { status, .. } if (300..400).contains(status) => {
                write!(f, "status {status}: redirects are not followed")
            }
            Self::Status { status, .. } => write!(f, "status {status}"),
            Self::NotJson(Some(other)) => write!(f, "not JSON, but {}", Escaped(other)),
            Self::NotJson(None) => f.write_str("the answer has no content type"),
            Self::TooLong => write!(f, "the body is longer than {MAX_BODY_BYTES} bytes"),
            Self::NotMetadata(error) => {
                write!(f, "the metadata cannot be read: {}", Escaped(error))
            }
            Self::OtherIssuer { stated, configured } => {
                let hint = if stated.trim_end_matches('/')
                    == configured.as_str().trim_end_matches('/')
                {
                    "; they differ in the slash at the end: configure the issuer as the metadata has it"
                } else {
                    ""
                };
                let stated = Escaped(stated);
                write!(f, "the metadata is of the issuer {stated}, not of {configured}{hint}")
            }
            Self::KeySetUri(reason) => write!(f, "the jwks_uri cannot be used: {reason}"),
            Self::NotKeySet => f.write_str("the key set cannot be read"),
            Self::NoUsableKey => f.write_str("the key set holds no key that can be used"),
            Self::Deadline => f.write_str("it took too long"),
            Self::Panicked => f.write_str("the transport panicked"),
            Self::NoRuntime => {
                f.write_str("keys are fetched on a tokio runtime, and there is none")
            }
            Self::Abandoned => f.write_str("the fetch was abandoned"),
        }
    }
}

impl std::error::Error for FetchError {}

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
