//! Servers of both frameworks with the same WebSocket handlers, and their client.
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    web::{self, Payload},
};
use actix_ws::AggregatedMessage;
use auth0_actix::keep_tcp_handle;
use auth0_axum::{
    Auth0, AuthLayer, Requirement, TcpPeer,
    policy::{authenticated, organization_in_path, scope},
};
use axum::{
    Router,
    extract::{MatchedPath, State, WebSocketUpgrade, ws::Message},
    response::Response,
    routing::get,
};
use futures_util::{SinkExt, StreamExt};
use std::{future::pending, net::SocketAddr, sync::mpsc, thread, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, client::IntoClientRequest},
};

pub(super) const WARNING: &str = "the token ends soon";
const WARNED_BEFORE: Duration = Duration::from_secs(30);

/// What a token that renews the connection needs.
fn needed(token: &auth0_axum::VerifiedToken) -> Requirement {
    match () {
        () if token.has_scope("a") => scope("a"),
        () if token.has_scope("organization") => organization_in_path("org"),
        () => authenticated(),
    }
}

fn needed_at(path: &str) -> Requirement {
    if path.contains("{org}") { organization_in_path("org") } else { scope("a") }
}

/// Answers a message: renews the lease, checks one more requirement, or returns the text.
async fn answer(lease: &auth0_axum::Lease, text: &str) -> String {
    if text == "check the path" {
        let checked = lease.clone().require(organization_in_path("org")).check();
        return checked
            .map_or_else(|error| error.code().as_str().to_owned(), |()| "met".to_owned());
    }
    match text.strip_prefix("renew ") {
        Some(token) => match lease.renew(token).await {
            Ok(_) => "renewed".to_owned(),
            Err(error) => error.code().as_str().to_owned(),
        },
        None => text.to_owned(),
    }
}

mod of_axum {
    use super::*;
    use auth0_axum::{AccessToken, GraphqlUpgrade, OpeningRequest, TokenSocket, TokenUpgrade};

    pub(super) async fn echo(
        State(auth): State<Auth0>,
        token: AccessToken,
        request: OpeningRequest,
        upgrade: WebSocketUpgrade,
    ) -> Response {
        let lease = auth.lease(&token).require(needed(&token)).opened_by(request);
        TokenUpgrade::new(upgrade, lease).warn_before(WARNED_BEFORE, WARNING).on_upgrade(
            async |mut socket: TokenSocket| {
                while let Some(message) = socket.recv().await {
                    match message {
                        Message::Text(text) if &*text == "return" => return,
                        Message::Text(text) if &*text == "hang" => pending().await,
                        Message::Text(text) => {
                            let answer = answer(socket.lease(), &text).await;
                            if socket.send(answer).await.is_err() {
                                return;
                            }
                        }
                        _ => {}
                    }
                }
            },
        )
    }

    pub(super) async fn graphql(
        State(auth): State<Auth0>,
        request: OpeningRequest,
        path: MatchedPath,
        upgrade: WebSocketUpgrade,
    ) -> Response {
        let needed = needed_at(path.as_str());
        GraphqlUpgrade::new(upgrade, auth).require(needed).opened_by(request).on_upgrade(
            async |mut socket: TokenSocket| {
                // The GraphQL server, which acknowledges the first message and then echoes.
                while let Some(message) = socket.recv().await {
                    let Message::Text(text) = message else { continue };
                    let is_init = text.contains("connection_init");
                    let answer = if is_init { r#"{"type":"connection_ack"}"# } else { &*text };
                    if socket.send(answer).await.is_err() {
                        return;
                    }
                }
            },
        )
    }
}

pub(super) async fn start_axum(auth: Auth0) -> SocketAddr {
    let app = Router::new()
        .route("/echo", get(of_axum::echo))
        .route("/orgs/{org}/echo", get(of_axum::echo))
        .layer(AuthLayer::new(auth.clone()).end_responses_with_token())
        .route("/graphql", get(of_axum::graphql))
        .route("/orgs/{org}/graphql", get(of_axum::graphql))
        .with_state(auth);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<TcpPeer>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

mod of_actix {
    use super::*;
    use auth0_actix::{AccessToken, GraphqlUpgrade, TokenSocket, TokenUpgrade};

    pub(super) async fn echo(
        token: AccessToken,
        request: HttpRequest,
        body: Payload,
    ) -> actix_web::Result<HttpResponse> {
        TokenUpgrade::new(&request, body, &token)
            .require(needed(&token))
            .warn_before(WARNED_BEFORE, WARNING)
            .on_upgrade(async |mut socket: TokenSocket| {
                while let Some(message) = socket.recv().await {
                    match message {
                        AggregatedMessage::Text(text) if &*text == "return" => return,
                        AggregatedMessage::Text(text) if &*text == "hang" => pending().await,
                        AggregatedMessage::Text(text) => {
                            let answer = answer(socket.lease(), &text).await;
                            if socket.text(answer).await.is_err() {
                                return;
                            }
                        }
                        _ => {}
                    }
                }
            })
    }

    pub(super) async fn graphql(
        request: HttpRequest,
        body: Payload,
    ) -> actix_web::Result<HttpResponse> {
        let needed = needed_at(&request.match_pattern().unwrap());
        GraphqlUpgrade::new(&request, body).require(needed).on_upgrade(
            async |mut socket: TokenSocket| {
                while let Some(message) = socket.recv().await {
                    let AggregatedMessage::Text(text) = message else { continue };
                    let is_init = text.contains("connection_init");
                    let answer = if is_init { r#"{"type":"connection_ack"}"# } else { &*text };
                    if socket.text(answer).await.is_err() {
                        return;
                    }
                }
            },
        )
    }
}

pub(super) fn start_actix(auth: Auth0) -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                let protect = auth0_actix::RequireAuth::new().end_responses_with_token();
                App::new()
                    .app_data(auth.clone())
                    .service(
                        web::resource(["/echo", "/orgs/{org}/echo"])
                            .get(of_actix::echo)
                            .wrap(protect),
                    )
                    .route("/graphql", web::get().to(of_actix::graphql))
                    .route("/orgs/{org}/graphql", web::get().to(of_actix::graphql))
            };
            let server = HttpServer::new(app).workers(1).disable_signals();
            let server = server.on_connect(keep_tcp_handle).bind("127.0.0.1:0").unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

pub(super) async fn start_both(auth: Auth0) -> [(&'static str, SocketAddr); 2] {
    [("axum", start_axum(auth.clone()).await), ("actix", start_actix(auth))]
}

pub(super) struct Client(pub(super) WebSocketStream<TcpStream>);

/// The end of a connection: the code and reason of the Close frame.
pub(super) type Ending = Option<(u16, String)>;

impl Client {
    pub(super) async fn connect(server: SocketAddr, path: &str, header: (&str, &str)) -> Self {
        Self::connect_with(server, path, &[header]).await
    }

    pub(super) async fn connect_with(
        server: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Self {
        Self::try_connect(server, path, headers).await.expect("an upgrade")
    }

    /// Connects, or returns the status of the refusal.
    pub(super) async fn try_connect(
        server: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{server}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            let name: tungstenite::http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(server).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(refusal)) => Err(refusal.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) async fn open(server: SocketAddr, token: &str) -> Self {
        Self::connect(server, "/echo", ("authorization", &format!("Bearer {token}"))).await
    }

    pub(super) async fn graphql(server: SocketAddr) -> Self {
        let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
        Self::connect(server, "/graphql", protocol).await
    }

    pub(super) async fn send(&mut self, text: &str) {
        self.0.send(tungstenite::Message::text(text)).await.unwrap();
    }

    pub(super) async fn close(&mut self) {
        let frame = tungstenite::protocol::CloseFrame { code: 1000.into(), reason: "".into() };
        self.0.send(tungstenite::Message::Close(Some(frame))).await.unwrap();
    }

    /// Returns the next text, or how the connection ends.
    pub(super) async fn next(&mut self) -> Result<String, Ending> {
        loop {
            match self.0.next().await {
                Some(Ok(tungstenite::Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(tungstenite::Message::Close(frame))) => {
                    return Err(frame.map(|frame| (frame.code.into(), frame.reason.to_string())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    pub(super) async fn ask(&mut self, text: &str) -> Result<String, Ending> {
        self.send(text).await;
        self.next().await
    }
}

/// Returns a connection after its upgrade, for frames as bytes.
pub(super) async fn upgraded(server: SocketAddr, path: &str, header: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {server}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream
}
