//! Tokens that a browser offers as a subprotocol of its WebSocket.
use super::*;
use axum::{extract::WebSocketUpgrade, middleware, response::Response};

async fn start_axum(auth: Auth0) -> SocketAddr {
    async fn echo(_: AccessToken, upgrade: WebSocketUpgrade) -> Response {
        upgrade.protocols(["bearer"]).on_upgrade(async |_| {})
    }
    let app = Router::new()
        .route("/echo", get(echo))
        .layer(AuthLayer::new(auth.clone()))
        .layer(middleware::map_request(auth0_axum::take_offered_token))
        .with_state(auth);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<TcpPeer>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

fn start_actix(auth: Auth0) -> SocketAddr {
    async fn echo(
        token: auth0_actix::AccessToken,
        request: actix_web::HttpRequest,
        body: web::Payload,
    ) -> actix_web::Result<HttpResponse> {
        auth0_actix::TokenUpgrade::new(&request, body, &token)
            .protocols(&["bearer"])
            .on_upgrade(async |_| {})
    }
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                let take = actix_web::middleware::from_fn(auth0_actix::take_offered_token);
                let echo = web::resource("/echo").get(echo);
                App::new().app_data(auth.clone()).service(echo.wrap(RequireAuth::new()).wrap(take))
            };
            let server = HttpServer::new(app).workers(1).disable_signals();
            let server = server.on_connect(keep_tcp_handle).bind("127.0.0.1:0").unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

const UPGRADE: &str = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Returns the head of the response, in lower case.
async fn ask(server: SocketAddr, headers: &str) -> String {
    let mut socket = TcpStream::connect(server).await.unwrap();
    let request = format!("GET /echo HTTP/1.1\r\nhost: {server}\r\n{headers}\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

#[tokio::test]
async fn a_token_is_taken_from_an_upgrade_only() {
    let tenant = Tenant::new();
    let good = tenant.token().mint();
    let forged = tenant.token().signed_by(&tenant.unknown_key()).mint();
    let authorization = |token: &str| format!("authorization: Bearer {token}\r\n");
    let offer = |protocols: &str| format!("sec-websocket-protocol: {protocols}\r\n");
    let both =
        |token: &str, offered: &str| authorization(token) + &offer(&format!("bearer, {offered}"));
    // The headers beside those of an upgrade, the status, and whether `bearer` is selected.
    let cases = [
        (String::new(), 401, false),
        (authorization(&good), 101, false),
        (authorization(&forged), 401, false),
        (offer(&format!("bearer, {good}")), 101, true),
        (offer(&format!("bearer,{good}")), 101, true),
        (offer(&format!("bearer, {forged}")), 401, false),
        // Other subprotocols, in any place, and in lines of their own.
        (offer(&format!("chat, bearer, {good}")), 101, true),
        (offer(&format!("bearer, {good}, chat")), 101, true),
        (offer(&format!("chat, bearer, {forged}, v2.chat")), 401, false),
        (offer("chat, bearer") + &offer(&format!("{good}, v2.chat")), 101, true),
        (offer("bearer") + &offer(&good), 101, true),
        // The offer never replaces the header, whichever of them is good.
        (both(&forged, &good), 401, false),
        (both(&good, &forged), 101, true),
        // What is no offer of a token.
        (offer("bearer"), 401, false),
        (offer(&good), 401, false),
        (offer(&format!("{good}, bearer")), 401, false),
        (offer("chat") + &offer("bearer"), 401, false),
        (offer("bearer, \u{e9}"), 401, false),
        (offer(&format!("{}bearer, {good}", "a, ".repeat(62))), 101, true),
        (offer(&format!("{}bearer, {good}", "a, ".repeat(63))), 400, false),
        (offer(&format!("{}bearer, {good}", "a, ".repeat(70))), 400, false),
        (offer(&"a, ".repeat(70)), 401, false),
        // What is no token: as an `Authorization` header that is not well-formed.
        (offer("bearer,"), 400, false),
        (offer("bearer, "), 400, false),
        (offer("bearer, ") + &offer(&good), 400, false),
        (offer(&format!("bearer, {good}, bearer, {good}")), 400, false),
        (offer(&format!("bearer, Bearer {good}")), 400, false),
    ];
    let auth = tenant.auth0();
    for (name, server) in [("axum", start_axum(auth.clone()).await), ("actix", start_actix(auth))] {
        for (headers, status, is_selected) in &cases {
            let head = ask(server, &format!("{UPGRADE}{headers}")).await;
            assert!(head.starts_with(&format!("http/1.1 {status} ")), "{name} {headers}: {head}");
            let selected = head.contains("sec-websocket-protocol: bearer\r\n");
            assert_eq!(selected, *is_selected, "{name} {headers}: {head}");
            assert_eq!(head.contains("sec-websocket-protocol:"), selected, "{name}: no other one");
            assert!(!head.contains(&good.to_lowercase()), "{name}: the token is never echoed");
        }
        // Other requests cannot offer a token.
        for upgrade in ["", "upgrade: h2c\r\n", "connection: upgrade\r\n"] {
            let head = ask(server, &(offer(&format!("bearer, {good}")) + upgrade)).await;
            assert!(head.starts_with("http/1.1 401 "), "{name} {upgrade}: {head}");
        }
    }
}
