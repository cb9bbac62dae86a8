//! A reader of `/api/v2/events`.
use crate::kit::{Answer, client, url};
use auth0_local::LocalTenant;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

/// Begins a request with a token that may read events.
pub(crate) fn request(tenant: &LocalTenant, query: &str) -> RequestBuilder {
    let token = tenant.token().machine("reader").audience(&tenant.management_audience());
    let token = token.scope("read:users read:events").mint();
    let request = client().get(url(tenant, &format!("api/v2/events{query}")));
    request.header("authorization", format!("Bearer {token}"))
}

pub(crate) async fn refused(tenant: &LocalTenant, query: &str) -> Answer {
    Answer::of(request(tenant, query).send().await.unwrap()).await
}

/// A message of a stream. Comments and `retry` have no `event`.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) text: String,
    pub(crate) event: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

impl Message {
    fn parse(text: &str) -> Self {
        let mut message = Self { text: text.to_owned(), ..Self::default() };
        for line in text.lines() {
            match line.split_once(": ") {
                Some(("event", value)) => message.event = value.to_owned(),
                Some(("id", value)) => message.id = value.to_owned(),
                Some(("data", value)) => message.data = serde_json::from_str(value).unwrap(),
                _ => {}
            }
        }
        message
    }

    /// Returns the object of the event.
    pub(crate) fn object(&self) -> &Value {
        &self.data["event"]["data"]["object"]
    }

    pub(crate) fn error_code(&self) -> &str {
        assert_eq!(self.event, "error", "{self:?}");
        self.data["error"]["code"].as_str().unwrap()
    }
}

pub(crate) struct Reader {
    response: Response,
    received: String,
}

impl Reader {
    /// Connects, and reads the beginning of the stream.
    pub(crate) async fn connect(tenant: &LocalTenant, query: &str) -> Self {
        Self::of(request(tenant, query)).await
    }

    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut reader = Self { response, received: String::new() };
        assert_eq!(reader.next().await.unwrap().text, ":connected");
        assert_eq!(reader.next().await.unwrap().text, "retry: 2000");
        reader
    }

    /// Waits for the next message. `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((message, rest)) = self.received.split_once("\n\n") {
                let message = Message::parse(message);
                self.received = rest.to_owned();
                return Some(message);
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.received.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Waits for the next event that is not a heartbeat.
    pub(crate) async fn event(&mut self) -> Message {
        loop {
            let message = self.next().await.unwrap();
            if !["", "offset-only"].contains(&&*message.event) {
                return message;
            }
        }
    }

    /// Waits for the end of the stream.
    pub(crate) async fn end(mut self) {
        while self.next().await.is_some() {}
    }
}
