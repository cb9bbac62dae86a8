//! A connection to the Events API.
use crate::{position::Start, timestamp};
use auth0_core::{
    ConfigError,
    support::{self, EscapedMessage, passed},
    time::Clock,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use url::Url;

/// The limit for an attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The limit for the head of the answer, and for the body of one that is an error.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Three times the interval of heartbeats.
const SILENCE: Duration = Duration::from_secs(45);

/// The longest `Retry-After` that is obeyed: revocations wait for it.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// Errors of the Management API are much shorter.
const MAX_ERROR_BYTES: usize = 16 * 1024;

const HAS_TLS: bool = cfg!(any(feature = "reqwest", feature = "reqwest-rustls-no-provider"));

/// Opens connections.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    http: Client,
    url: Url,
    clock: Arc<dyn Clock>,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    response: Response,
    clock: Arc<dyn Clock>,
}

/// The reason why there is no connection.
#[derive(Debug)]
pub(crate) enum NoConnection {
    /// There is no answer.
    Unreachable(String),
    /// The answer is not a stream of events.
    OtherContent,
    /// The answer has the status of an error.
    Refused { status: StatusCode, code: Option<String>, retry_after: Option<Duration> },
}

/// The way in which a connection ends.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It was closed, or it broke.
    Closed,
    /// Nothing came, not even a heartbeat.
    Silent,
}

impl Connector {
    /// Prepares connections to a URL, for events of these types. Without any type, there is no filter.
    pub(crate) fn new(
        mut url: Url,
        types: &[String],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let http = client(&url)?;
        if !types.is_empty() {
            url.query_pairs_mut().extend_pairs(types.iter().map(|kind| ("event_type", kind)));
        }
        Ok(Self { http, url, clock })
    }

    /// Returns the URL without its query.
    pub(crate) fn endpoint(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.into()
    }

    /// Connects.
    pub(crate) async fn open(
        &self,
        start: &Start,
        headers: HeaderMap,
    ) -> Result<Connection, NoConnection> {
        let mut url = self.url.clone();
        let mut request_headers = headers;
        request_headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        match start {
            Start::Offset(offset) => {
                if let Ok(offset) = HeaderValue::from_str(offset) {
                    request_headers.insert(HeaderName::from_static("last-event-id"), offset);
                }
            }
            Start::Time(time) => {
                url.query_pairs_mut().append_pair("from_timestamp", &timestamp::write(*time));
            }
            Start::Latest => {}
        }
        let request = self.http.get(url).headers(request_headers).send();
        let response = tokio::select! {
            response = request => {
                response.map_err(|error| NoConnection::Unreachable(chain(error)))?
            }
            () = passed(&*self.clock, ANSWER_TIMEOUT) => {
                return Err(NoConnection::Unreachable("there is no answer".into()));
            }
        };
        if response.status() != StatusCode::OK {
            return Err(self.refused(response).await);
        }
        let is_stream = response.headers().get(CONTENT_TYPE).is_some_and(|value| {
            let value = value.to_str().unwrap_or_default();
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("text/event-stream")
        });
        if !is_stream {
            return Err(NoConnection::OtherContent);
        }
        Ok(Connection { response, clock: Arc::clone(&self.clock) })
    }

    async fn refused(&self, mut response: Response) -> NoConnection {
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after =
            retry_after.and_then(|text| support::retry_after(text, Some(self.clock.unix_time())));
        let retry_after = retry_after.map(|wait| wait.min(LONGEST_RETRY_AFTER));
        let mut body = Vec::new();
        let read = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() > MAX_ERROR_BYTES {
                    break;
                }
            }
        };
        tokio::select! {
            () = read => {}
            () = passed(&*self.clock, ANSWER_TIMEOUT) => {}
        }
        NoConnection::Refused { status, code: error_code(&body), retry_after }
    }
}

impl Connection {
    /// Returns the next bytes.
    pub(crate) async fn bytes(&mut self) -> Result<Bytes, Ended> {
        tokio::select! {
            biased;
            chunk = self.response.chunk() => match chunk {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err(Ended::Closed),
                Err(error) => {
                    let error = chain(error);
                    tracing::debug!(target: "auth0", error = %EscapedMessage(&error), "the stream of events broke");
                    Err(Ended::Closed)
                }
            },
            () = passed(&*self.clock, SILENCE) => Err(Ended::Silent),
        }
    }
}

/// Returns the `errorCode` of an error of the Management API, if it is one word: the log shows it.
fn error_code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = body.get("errorCode")?.as_str()?;
    let is_word = (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_word.then(|| code.to_owned())
}

/// Creates the HTTP client. For a tenant on this machine, or over http, it uses no proxy, because a proxy elsewhere cannot
/// reach it.
fn client(url: &Url) -> Result<Client, ConfigError> {
    check_provider()?;
    if url.scheme() == "https" && !HAS_TLS {
        return Err(ConfigError::new(
            "there is no TLS to reach the Events API with. Turn on the feature \"reqwest\" of auth0-events, or \
             \"reqwest-rustls-no-provider\"",
        ));
    }
    let mut builder = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("auth0-rust/", env!("CARGO_PKG_VERSION")));
    if url.scheme() == "http" {
        builder = without_certificates(builder.no_proxy());
    } else if auth0_core::support::is_loopback(url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| {
        ConfigError::new(format!(
            "the HTTP client cannot be set up: {}. Install the system's certificates (package ca-certificates) or \
             name a file with SSL_CERT_FILE, and check the proxy settings",
            chain(error)
        ))
    })
}

/// Over http, the machine needs no certificates.
#[cfg(any(feature = "reqwest", feature = "reqwest-rustls-no-provider"))]
fn without_certificates(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder.tls_certs_only([])
}

#[cfg(not(any(feature = "reqwest", feature = "reqwest-rustls-no-provider")))]
fn without_certificates(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
}

/// Checks that the process has a crypto provider, without which reqwest would panic.
#[cfg(all(feature = "reqwest-rustls-no-provider", not(feature = "reqwest")))]
fn check_provider() -> Result<(), ConfigError> {
    if rustls::crypto::CryptoProvider::get_default().is_some() {
        return Ok(());
    }
    Err(ConfigError::new(
        "rustls has no crypto provider in this process. Write, at the start of main and with the provider that the \
         application uses, rustls::crypto::ring::default_provider().install_default(), or turn on the feature \
         \"reqwest\" instead of \"reqwest-rustls-no-provider\"",
    ))
}

#[cfg(not(all(feature = "reqwest-rustls-no-provider", not(feature = "reqwest"))))]
#[expect(clippy::unnecessary_wraps, reason = "another feature can fail")]
const fn check_provider() -> Result<(), ConfigError> {
    Ok(())
}

/// Returns the text of an error with its causes, without the URL.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_an_error_are_shown() {
        for (body, expected) in [
            (r#"{"errorCode":"insufficient_scope","message":"eyJ…"}"#, Some("insufficient_scope")),
            (r#"{"errorCode":"a\nfake line"}"#, None),
            (r#"{"errorCode":"eyJhbGciOiJSUzI1NiJ9.e30.x"}"#, None),
            (r#"{"errorCode":7}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(error_code(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
