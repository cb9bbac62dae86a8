//! An application that receives logout tokens.
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri, header::LOCATION},
    response::{IntoResponse, Response},
};
use std::{collections::BTreeMap, future};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use url::form_urlencoded;

/// What a client answers, by its path.
fn answer(path: &str) -> Response {
    match path {
        "/refuses" => (StatusCode::BAD_REQUEST, "{\"error\":\"invalid_request\"}").into_response(),
        "/fails" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "/redirects" => (StatusCode::FOUND, [(LOCATION, "/other")]).into_response(),
        "/huge" => "x".repeat(1024 * 1024).into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

/// A request that the application received.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) form: BTreeMap<String, String>,
}

pub(crate) struct Receiver {
    origin: String,
    requests: mpsc::UnboundedReceiver<Received>,
    server: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::unbounded_channel();
        let receive = async move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let received = Received {
                path: uri.path().to_owned(),
                content_type: headers["content-type"].to_str().unwrap().to_owned(),
                form: form_urlencoded::parse(&body).into_owned().collect(),
            };
            sender.send(received).unwrap();
            if uri.path() == "/hangs" {
                future::pending::<()>().await;
            }
            answer(uri.path())
        };
        let router = Router::new().fallback(receive);
        let server = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { origin, requests, server }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Waits for the next request.
    pub(crate) async fn next(&mut self) -> Received {
        self.requests.recv().await.unwrap()
    }

    /// Returns the requests that have arrived.
    pub(crate) fn arrived(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}
