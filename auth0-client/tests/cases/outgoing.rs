//! Requests to other APIs with a token: refused tokens are replaced once, nonces are used, nothing is repeated twice.
use crate::kit::{API, Answer, EC_PEM, Server, part};
use auth0_client::{Error, ErrorKind, ProofKey, TokenLayer, TokenSource};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Method, Request, Response, Uri},
};
use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::{Layer, ServiceExt, service_fn};

/// An API on loopback that answers as the test says, and 200 after that.
#[derive(Clone, Default)]
struct Api(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    seen: Vec<(Method, Uri, HeaderMap, String)>,
    answers: VecDeque<(u16, Vec<(&'static str, &'static str)>)>,
}

impl Api {
    fn answering(
        answers: impl IntoIterator<Item = (u16, Vec<(&'static str, &'static str)>)>,
    ) -> Self {
        let api = Self::default();
        api.0.lock().unwrap().answers.extend(answers);
        api
    }

    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    fn take(&self, request: (Method, Uri, HeaderMap, String)) -> Response<Body> {
        let mut log = self.0.lock().unwrap();
        log.seen.push(request);
        let (status, headers) = log.answers.pop_front().unwrap_or((200, Vec::new()));
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        response.body(Body::from("the report")).unwrap()
    }

    fn tokens(&self) -> Vec<String> {
        let log = self.0.lock().unwrap();
        let authorization =
            |headers: &HeaderMap| headers["authorization"].to_str().unwrap().to_owned();
        log.seen.iter().map(|(_, _, headers, _)| authorization(headers)).collect()
    }

    fn proofs(&self) -> Vec<serde_json::Value> {
        let log = self.0.lock().unwrap();
        let proof = |headers: &HeaderMap| part(headers["dpop"].to_str().unwrap(), 1);
        log.seen.iter().map(|(_, _, headers, _)| proof(headers)).collect()
    }

    fn bodies(&self) -> Vec<String> {
        self.0.lock().unwrap().seen.iter().map(|(.., body)| body.clone()).collect()
    }
}

async fn answer(
    State(api): State<Api>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response<Body> {
    api.take((method, uri, headers, body))
}

fn source(server: &Server) -> TokenSource {
    server.client().machine(API).build().unwrap()
}

async fn get(source: &TokenSource, url: &str) -> Result<String, Error> {
    let http = reqwest::Client::new();
    Ok(source.send(&http, http.get(url)).await?.text().await.unwrap())
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_request_repeated_once() {
    let server = Server::new();
    let orders = source(&server);
    let api = Api::answering([(401, vec![])]);
    let url = api.start().await;
    assert_eq!(get(&orders, &url).await.unwrap(), "the report");
    assert_eq!(api.tokens(), ["Bearer token-1", "Bearer token-2"]);
    // Again: within ten seconds, no further token is requested and nothing is repeated.
    api.0.lock().unwrap().answers.extend([(401, vec![]), (401, vec![])]);
    let error = get(&orders, &url).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Misconfigured, Some(401)));
    assert_eq!((api.tokens().len(), server.count()), (3, 2));
    // And later: once, not for ever.
    server.clock.advance(Duration::from_secs(10));
    api.0.lock().unwrap().answers.extend([(401, vec![]), (401, vec![])]);
    get(&orders, &url).await.unwrap_err();
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_body_that_can_be_sent_again_is() {
    let server = Server::new();
    let api = Api::answering([(401, vec![])]);
    let url = api.start().await;
    let http = reqwest::Client::new();
    let request = http.post(&url).body("an order");
    let answer = source(&server).send(&http, request).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(api.bodies(), ["an order", "an order"]);
}

#[tokio::test]
async fn errors_of_the_api() {
    let server = Server::new();
    let orders = source(&server);
    for (status, kind) in [
        (403, ErrorKind::Misconfigured),
        (404, ErrorKind::Malformed),
        (429, ErrorKind::Throttled),
        (500, ErrorKind::Unavailable),
        (503, ErrorKind::Unavailable),
    ] {
        let api = Api::answering([(status, vec![("retry-after", "7")])]);
        let error = get(&orders, &api.start().await).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(api.tokens().len(), 1, "{status} is not repeated");
    }
    // No listener.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://user:secret@{}/?token=secret", listener.local_addr().unwrap());
    drop(listener);
    let error = get(&orders, &url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!format!("{error} {error:?}").contains("secret"));
    let error = get(&orders, "no url").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
}

#[tokio::test]
async fn no_token_no_request() {
    let server = Server::new();
    server.respond(|_, _| Answer::error(401, "invalid_client"));
    let api = Api::default();
    let url = api.start().await;
    assert_eq!(get(&source(&server), &url).await.unwrap_err().kind(), ErrorKind::InvalidClient);
    assert_eq!(api.tokens().len(), 0);
}

fn dpop(server: &Server) -> TokenSource {
    server.respond(|_, number| {
        let body =
            format!(r#"{{"access_token":"token-{number}","token_type":"DPoP","expires_in":600}}"#);
        Answer::json(200, &body)
    });
    let key = ProofKey::from_pem(EC_PEM).unwrap();
    let client = server.builder().client_secret("s").dpop(key).build().unwrap();
    client.machine(API).build().unwrap()
}

const USE_NONCE: &str = r#"DPoP error="use_dpop_nonce", algs="ES256""#;

#[tokio::test]
async fn a_nonce_that_the_api_requires() {
    let server = Server::new();
    let orders = dpop(&server);
    let api = Api::answering([(401, vec![("www-authenticate", USE_NONCE), ("dpop-nonce", "n1")])]);
    let url = api.start().await;
    assert_eq!(get(&orders, &format!("{url}/a?b=c")).await.unwrap(), "the report");
    assert_eq!(api.tokens(), ["DPoP token-1", "DPoP token-1"]);
    let proofs = api.proofs();
    assert_eq!((proofs[0].get("nonce"), &proofs[1]["nonce"]), (None, &"n1".into()));
    assert_ne!(proofs[0]["jti"], proofs[1]["jti"]);
    assert_eq!((&proofs[1]["htm"], &proofs[1]["htu"]), (&"GET".into(), &format!("{url}/a").into()));
    // The newest nonce is used from then on, also one that comes with a good answer.
    api.0.lock().unwrap().answers.push_back((200, vec![("dpop-nonce", "n2")]));
    get(&orders, &url).await.unwrap();
    get(&orders, &url).await.unwrap();
    let proofs = api.proofs();
    assert_eq!((&proofs[2]["nonce"], &proofs[3]["nonce"]), (&"n1".into(), &"n2".into()));
    assert_eq!(server.count(), 1);
}

/// Neither the caller nor the token is at fault: the next request has the nonce.
#[tokio::test]
async fn a_nonce_for_a_body_that_cannot_be_sent_again() {
    let server = Server::new();
    let orders = dpop(&server);
    let api = Api::answering([(401, vec![("www-authenticate", USE_NONCE), ("dpop-nonce", "n1")])]);
    let url = api.start().await;
    let http = reqwest::Client::new();
    // A body that can be read once, as reqwest's own are with its feature `stream`.
    let body = || reqwest::Body::from(reqwest::Response::from(Response::new("an order")));
    let request = || http.post(&url).body(body());
    let error = orders.send(&http, request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert!(error.to_string().contains("requires a DPoP nonce"), "{error}");
    assert_eq!(orders.send(&http, request()).await.unwrap().status(), 200);
    assert_eq!(api.proofs()[1]["nonce"], "n1");
    assert_eq!((api.bodies(), server.count()), (vec!["an order".into(), "an order".into()], 1));
}

/// One nonce for all clients, which changes: requests that come at once need no other token.
#[tokio::test]
async fn a_nonce_that_changes_for_many_requests_at_once() {
    let server = Server::new();
    let orders = dpop(&server);
    for nonce in ["n1", "n2", "n3"] {
        let api = Api::answering(
            (0..8).map(|_| (401, vec![("www-authenticate", USE_NONCE), ("dpop-nonce", nonce)])),
        );
        let url = api.start().await;
        let calls: Vec<_> = (0..8)
            .map(|_| {
                let (orders, url) = (orders.clone(), url.clone());
                tokio::spawn(async move { get(&orders, &url).await })
            })
            .collect();
        for call in calls {
            // A request may meet the old nonce twice here, which is not its token's fault.
            let result = call.await.unwrap();
            assert!(result.is_ok() || result.unwrap_err().kind() == ErrorKind::Malformed);
        }
    }
    assert_eq!(server.count(), 1, "the token is good");
}

#[tokio::test]
async fn a_redirect_is_an_error() {
    let server = Server::new();
    let api = Api::answering([(302, vec![("location", "/elsewhere")])]);
    let url = api.start().await;
    let error = get(&source(&server), &url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
    let api = Api::answering([(302, vec![("location", "/elsewhere")])]);
    let url = api.start().await;
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let error = source(&server).send(&http, http.get(&url)).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Malformed, Some(302)));
    assert_eq!(api.tokens().len(), 1);
}

/// The answer of another server says nothing about the token, and its nonce is not that of the API.
#[tokio::test]
async fn the_answer_after_a_redirect_is_not_read() {
    let server = Server::new();
    let orders = dpop(&server);
    let api = Api::answering([
        (302, vec![("location", "/elsewhere")]),
        (401, vec![("www-authenticate", "DPoP"), ("dpop-nonce", "foreign")]),
    ]);
    let url = api.start().await;
    let error = get(&orders, &url).await.unwrap_err();
    assert_eq!((error.kind(), api.tokens().len()), (ErrorKind::Malformed, 2));
    get(&orders, &url).await.unwrap();
    assert_eq!((api.tokens().pop().as_deref(), server.count()), (Some("DPoP token-1"), 1));
    assert_eq!(api.proofs()[2].get("nonce"), None);
}

#[tokio::test]
async fn an_api_that_always_wants_another_nonce() {
    let server = Server::new();
    let orders = dpop(&server);
    let challenge = |nonce| (401, vec![("www-authenticate", USE_NONCE), ("dpop-nonce", nonce)]);
    let api = Api::answering(["n1", "n2", "n3", "n4", "n5"].map(challenge));
    let url = api.start().await;
    get(&orders, &url).await.unwrap_err();
    assert!(api.tokens().len() <= 3, "{:?}", api.tokens());
    assert!(server.count() <= 2);
}

#[tokio::test]
async fn the_layer() {
    let server = Server::new();
    let orders = source(&server);
    for (answers, body, expected, status) in [
        (vec![], "", &["Bearer token-1"][..], 200),
        (vec![(401, vec![])], "", &["Bearer token-1", "Bearer token-2"], 200),
        (vec![(401, vec![]), (401, vec![])], "", &["Bearer token-2"], 401),
        (vec![(500, vec![])], "", &["Bearer token-2"], 500),
        // A body is sent once.
        (vec![(401, vec![])], "an order", &["Bearer token-2"], 401),
    ] {
        let api = Api::answering(answers);
        let inner = {
            let api = api.clone();
            service_fn(move |request: Request<Body>| {
                let api = api.clone();
                async move {
                    let (parts, _) = request.into_parts();
                    Ok::<_, Infallible>(api.take((
                        parts.method,
                        parts.uri,
                        parts.headers,
                        String::new(),
                    )))
                }
            })
        };
        let service = TokenLayer::new(orders.clone()).layer(inner);
        let body = if body.is_empty() { Body::empty() } else { Body::from(body) };
        let request =
            Request::get("https://orders.acme.com/a").header("x", "y").body(body).unwrap();
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(api.tokens(), expected);
        let log = api.0.lock().unwrap();
        assert!(
            log.seen
                .iter()
                .all(|(_, uri, headers, _)| uri == "https://orders.acme.com/a"
                    && headers["x"] == "y")
        );
    }
}

#[tokio::test]
async fn the_layer_forgets_a_token_that_is_refused_with_a_body() {
    let server = Server::new();
    let api = Api::answering([(401, vec![])]);
    let inner = {
        let api = api.clone();
        service_fn(move |request: Request<Body>| {
            let (parts, _) = request.into_parts();
            let answer = api.take((parts.method, parts.uri, parts.headers, String::new()));
            async move { Ok::<_, Infallible>(answer) }
        })
    };
    let service = TokenLayer::new(source(&server)).layer(inner);
    let post = || Request::post("https://orders.acme.com/a").body(Body::from("an order")).unwrap();
    assert_eq!(service.clone().oneshot(post()).await.unwrap().status(), 401);
    assert_eq!(server.count(), 1, "no other token is requested for a request that is not repeated");
    assert_eq!(service.oneshot(post()).await.unwrap().status(), 200);
    assert_eq!(api.tokens(), ["Bearer token-1", "Bearer token-2"]);
}

#[tokio::test]
async fn the_layer_proves_the_key() {
    let server = Server::new();
    let api = Api::answering([(401, vec![("www-authenticate", USE_NONCE), ("dpop-nonce", "n1")])]);
    let inner = {
        let api = api.clone();
        service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move {
                let (parts, _) = request.into_parts();
                Ok::<_, Infallible>(api.take((
                    parts.method,
                    parts.uri,
                    parts.headers,
                    String::new(),
                )))
            }
        })
    };
    let service = TokenLayer::new(dpop(&server)).layer(inner);
    let request = Request::put("https://orders.acme.com/a?b").body(Body::empty()).unwrap();
    assert_eq!(service.clone().oneshot(request).await.unwrap().status(), 200);
    let proofs = api.proofs();
    assert_eq!(
        (&proofs[1]["htm"], &proofs[1]["htu"]),
        (&"PUT".into(), &"https://orders.acme.com/a".into())
    );
    assert_eq!(proofs[1]["nonce"], "n1");
    // The nonce of an answer to a body is kept, though the body is not sent again.
    api.0
        .lock()
        .unwrap()
        .answers
        .push_back((401, vec![("www-authenticate", USE_NONCE), ("dpop-nonce", "n2")]));
    let post = || Request::post("https://orders.acme.com/a").body(Body::from("an order")).unwrap();
    assert_eq!(service.clone().oneshot(post()).await.unwrap().status(), 401);
    assert_eq!(service.clone().oneshot(post()).await.unwrap().status(), 200);
    let proofs = api.proofs();
    assert_eq!((&proofs[2]["nonce"], &proofs[3]["nonce"]), (&"n1".into(), &"n2".into()));
    let relative = Request::get("/a").body(Body::empty()).unwrap();
    let error = service.oneshot(relative).await.unwrap_err();
    let error = error.downcast::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
}
