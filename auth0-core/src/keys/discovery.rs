//! The documents of an issuer: its metadata (OpenID Connect Discovery §4, RFC 8414) and its key set.
use super::{
    fetch_error::FetchError,
    key_set::KeySet,
    source::{Discovered, KeySource},
};
use crate::{
    identifier::{Issuer, PlainHttp, is_loopback},
    transport::{HttpRequest, MAX_BODY_BYTES, Transport},
};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// How much of a document that is not JSON is shown in the log.
const SHOWN_BYTES: usize = 24;

/// The members of the metadata that are used.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// What the metadata says: the issuer in the spelling of its tokens, and its URLs.
#[derive(Debug)]
pub(super) struct Discovery {
    pub(super) issuer: Issuer,
    pub(super) key_set_url: Box<str>,
    pub(super) endpoints: Endpoints,
}

/// The URLs of an issuer for OAuth clients. No verification depends on them, so one that cannot be used is absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints {
    pub(crate) authorization: Option<Box<str>>,
    pub(crate) token: Option<Box<str>>,
}

/// The members of the metadata that only documents need. They may be of any type.
#[derive(Default, Deserialize)]
struct ClientMetadata {
    #[serde(default)]
    authorization_endpoint: Value,
    #[serde(default)]
    token_endpoint: Value,
}

impl Endpoints {
    fn read(metadata: &[u8], issuer: &Issuer, rules: &Discovered) -> Self {
        let plain_http = &rules.plain_http;
        let is_allowed = |uri: &Url| issuer.may_be_http(plain_http) && plain_http.allows(uri);
        let usable = |url: &Value| {
            let url = url_of_issuer(url.as_str()?, issuer, is_allowed).ok()?;
            Some(url.as_str().into())
        };
        let ClientMetadata { authorization_endpoint, token_endpoint } =
            serde_json::from_slice(metadata).unwrap_or_default();
        Self { authorization: usable(&authorization_endpoint), token: usable(&token_endpoint) }
    }
}

/// Reads the metadata.
pub(super) async fn metadata(
    transport: &Transport,
    issuer: &Issuer,
    rules: &Discovered,
) -> Result<Discovery, FetchError> {
    let body = metadata_document(transport, issuer).await?;
    let metadata: Metadata = serde_json::from_slice(&body)
        .map_err(|error| FetchError::NotMetadata(error.to_string()))?;
    let other_spelling = || issuer.other_spelling();
    let named = match metadata.issuer == issuer.as_str() {
        true => Some(issuer.clone()),
        false => other_spelling().filter(|other| metadata.issuer == other.as_str()),
    };
    let Some(named) = named else {
        return Err(FetchError::OtherIssuer {
            stated: metadata.issuer,
            configured: issuer.clone(),
        });
    };
    let key_set_url = discovered_key_set_uri(&metadata.jwks_uri, issuer, rules)?;
    let endpoints = Endpoints::read(&body, issuer, rules);
    Ok(Discovery { issuer: named, key_set_url, endpoints })
}

/// Reads the document at the URL of OpenID Connect or, if there is none, at that of OAuth.
pub(super) async fn metadata_document(
    transport: &Transport,
    issuer: &Issuer,
) -> Result<Vec<u8>, FetchError> {
    let url = issuer.metadata_url();
    let status = match fetch(transport, issuer, &url).await {
        Err(FetchError::Status { status, .. }) if matches!(status, 404 | 410) => status,
        outcome => return outcome,
    };
    let oauth_url = issuer.oauth_metadata_url();
    match fetch(transport, issuer, &oauth_url).await {
        Err(FetchError::Status { status: 404 | 410, .. }) => {
            let (url, oauth_url) = (without_query(&url), without_query(&oauth_url));
            Err(FetchError::NoMetadata { status, url, oauth_url })
        }
        outcome => outcome,
    }
}

const IS_HTTP: &str = "it is http, not https";

/// Returns the URL that the metadata of an issuer names in its normal form, if this issuer may use it. An
/// issuer that is reached over https has its keys there, too.
fn discovered_key_set_uri(
    text: &str,
    issuer: &Issuer,
    rules: &Discovered,
) -> Result<Box<str>, FetchError> {
    let Discovered { same_origin, plain_http } = rules;
    let is_allowed = |uri: &Url| issuer.may_be_http(plain_http) && plain_http.allows(uri);
    let uri = url_of_issuer(text, issuer, is_allowed).map_err(|error| match error {
        FetchError::KeySetUri(IS_HTTP) if issuer.may_be_http(plain_http) => FetchError::KeySetUri(
            "it is http, not https. For development, name its host, too, in Builder::allow_http_hosts or \
             AUTH0_ALLOW_HTTP_HOSTS",
        ),
        other => other,
    })?;
    if *same_origin
        && !Url::parse(issuer.as_str()).is_ok_and(|issuer| issuer.origin() == uri.origin())
    {
        return Err(FetchError::KeySetUri("it is not of the issuer's origin"));
    }
    Ok(uri.as_str().into())
}

/// Returns the URL that the operator has written in its normal form, if this issuer may use it.
pub(super) fn configured_key_set_uri(
    text: &str,
    issuer: &Issuer,
    plain_http: &PlainHttp,
) -> Result<Box<str>, FetchError> {
    let uri = url_of_issuer(text, issuer, |uri| plain_http.allows(uri))?;
    Ok(uri.as_str().into())
}

/// Parses a URL that belongs to an issuer. It is https, or http if the issuer and the URL are on loopback, or if
/// `is_allowed` says so.
pub(super) fn url_of_issuer(
    text: &str,
    issuer: &Issuer,
    is_allowed: impl FnOnce(&Url) -> bool,
) -> Result<Url, FetchError> {
    let uri = Url::parse(text).map_err(|_| FetchError::KeySetUri("it is not a URL"))?;
    if !uri.username().is_empty() || uri.password().is_some() {
        return Err(FetchError::KeySetUri("it has user information, which would reach the log"));
    }
    match uri.scheme() {
        "https" => Ok(uri),
        "http" if issuer.is_loopback() && is_loopback(&uri) || is_allowed(&uri) => Ok(uri),
        "http" => Err(FetchError::KeySetUri(IS_HTTP)),
        _ => Err(FetchError::KeySetUri("it is not https")),
    }
}

/// Returns a URL for the log. A query may contain what only its host should know.
fn without_query(url: &str) -> Box<str> {
    url.split_once('?').map_or_else(|| url.into(), |(path, _)| format!("{path}?…").into())
}

/// Reads the key set at a URL.
pub(super) async fn key_set(
    transport: &Transport,
    source: &KeySource,
    url: &str,
) -> Result<KeySet, FetchError> {
    let body = fetch(transport, source.issuer(), url).await?;
    let keys = source.parse(&body).ok_or(FetchError::NotKeySet)?;
    if keys.is_unusable() {
        let entries: Vec<String> = keys.unusable().map(ToString::to_string).collect();
        return Err(FetchError::NoUsableKey(entries.join("; ")));
    }
    Ok(keys)
}

/// Reads a document. It must be a JSON object, under any content type: many issuers serve files.
async fn fetch(transport: &Transport, issuer: &Issuer, url: &str) -> Result<Vec<u8>, FetchError> {
    let addresses = transport.addresses.check(url, issuer).map_err(FetchError::NotPublic)?;
    let request = HttpRequest::get(url, addresses);
    let answer = transport.http.send(request).await.map_err(FetchError::Http)?;
    if answer.status() != 200 {
        let (status, retry_after) = (answer.status(), answer.retry_after());
        return Err(FetchError::Status { status, retry_after, url: without_query(url) });
    }
    if answer.body().len() > MAX_BODY_BYTES {
        return Err(FetchError::TooLong);
    }
    let body = without_byte_order_mark(answer.into_body());
    // Checked before serde reads it, because serde also reads a list as a struct.
    let start = body.trim_ascii_start();
    if start.first() == Some(&b'{') {
        return Ok(body);
    }
    let begins = String::from_utf8_lossy(start.get(..SHOWN_BYTES).unwrap_or(start)).into_owned();
    Err(FetchError::NotJson { begins, url: without_query(url) })
}

fn without_byte_order_mark(mut body: Vec<u8>) -> Vec<u8> {
    if body.starts_with("\u{feff}".as_bytes()) {
        body.drain(.."\u{feff}".len());
    }
    body
}
