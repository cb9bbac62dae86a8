//! Requests with logout tokens to the URLs of clients.
use reqwest::{Client, Response, header::CONTENT_TYPE, redirect::Policy};
use serde::Serialize;
use std::{error::Error, time::Duration};
use tokio::task;
use url::form_urlencoded::Serializer;

/// How long a client may take to answer. Auth0 waits for five seconds, too.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The most of an answer that is read.
const MAX_BODY_BYTES: usize = 4 * 1024;

/// The most requests at a time.
const MAX_AT_ONCE: usize = 64;

/// A logout token that was sent to a client, and what the client answered: see
/// [`LocalTenant::log_out`](crate::LocalTenant::log_out).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogoutDelivery {
    /// The client: the `aud` of the token.
    pub client_id: String,
    /// The URL that received it.
    pub url: String,
    /// The session that ended: the `sid` of the token.
    #[serde(rename = "sid")]
    pub session_id: String,
    /// The status of the answer, or `None` without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The first 4 KiB of the answer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl LogoutDelivery {
    /// Returns whether the client accepted the token: the status is 200 or 204.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self.status, Some(200 | 204))
    }
}

/// A logout token on its way.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) client_id: String,
    pub(super) url: String,
    pub(super) session_id: String,
    pub(super) token: String,
}

/// Sends logout tokens. Returns the answers in the same order.
pub(super) async fn deliver(letters: Vec<Letter>) -> Vec<LogoutDelivery> {
    let mut deliveries = Vec::with_capacity(letters.len());
    for some in letters.chunks(MAX_AT_ONCE) {
        let sent: Vec<_> = some.iter().cloned().map(|it| task::spawn(send(it))).collect();
        for delivery in sent {
            // It fails only if the runtime shuts down.
            deliveries.extend(delivery.await);
        }
    }
    deliveries
}

async fn send(letter: Letter) -> LogoutDelivery {
    let Letter { client_id, url, session_id, token } = letter;
    let (status, body, error) = match post(&url, &token).await {
        Ok(response) => (Some(response.status().as_u16()), beginning(response).await, None),
        Err(error) => (None, String::new(), Some(sentence(&error))),
    };
    LogoutDelivery { client_id, url, session_id, status, body, error }
}

async fn post(url: &str, token: &str) -> Result<Response, reqwest::Error> {
    let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(TIMEOUT);
    // A client over http is reached without the certificates of the system, which a container may lack.
    let client = if url.starts_with("https:") { client } else { client.tls_certs_only([]) };
    let form = Serializer::new(String::new()).append_pair("logout_token", token).finish();
    let request = client.build()?.post(url).body(form);
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").send().await
}

/// Reads the first bytes of an answer, as far as they arrive in time.
async fn beginning(mut response: Response) -> String {
    let mut read = Vec::new();
    while read.len() < MAX_BODY_BYTES {
        let Ok(Some(chunk)) = response.chunk().await else { break };
        read.extend_from_slice(&chunk);
    }
    read.truncate(MAX_BODY_BYTES);
    String::from_utf8_lossy(&read).into_owned()
}

fn sentence(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} seconds", TIMEOUT.as_secs());
    }
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match error.is_connect() {
        true => format!("no connection: {cause}"),
        false => format!("no answer: {cause}"),
    }
}
