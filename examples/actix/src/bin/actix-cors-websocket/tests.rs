use super::*;
use actix_web::test::{TestRequest, call_service, init_service};
use auth0_actix::testing::Tenant;
use std::{collections::HashMap, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[actix_web::test]
async fn a_preflight_needs_no_token() {
    let (status, headers) = call(
        &Tenant::new(),
        "OPTIONS",
        &[
            ("origin", "https://app.acme.com"),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ],
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(headers["access-control-allow-origin"], "https://app.acme.com");
    assert_eq!(headers["access-control-allow-methods"], "GET");
    assert_eq!(headers["access-control-allow-headers"], "authorization");
}

#[actix_web::test]
async fn a_page_can_read_why_it_was_refused() {
    let tenant = Tenant::new();
    let origin = ("origin", "https://app.acme.com");
    let expired = format!("Bearer {}", tenant.token().expired().mint());
    for (headers, challenge) in [
        (&[origin][..], "Bearer"),
        (&[origin, ("authorization", &expired)], "error=\"invalid_token\""),
    ] {
        let (status, headers) = call(&tenant, "GET", headers).await;
        assert_eq!(status, 401);
        assert!(headers["www-authenticate"].contains(challenge), "{headers:?}");
        assert_eq!(headers["access-control-allow-origin"], "https://app.acme.com");
        assert!(headers["access-control-expose-headers"].contains("www-authenticate"));
    }
    let good = format!("Bearer {}", tenant.token().mint());
    let (status, headers) = call(&tenant, "GET", &[origin, ("authorization", &good)]).await;
    assert_eq!(status, 200);
    assert_eq!(headers["access-control-allow-origin"], "https://app.acme.com");
}

#[actix_web::test]
async fn other_origins_get_no_cors_headers() {
    let (status, headers) =
        call(&Tenant::new(), "GET", &[("origin", "https://evil.example")]).await;
    assert_eq!(status, 401);
    assert_ne!(
        headers.get("access-control-allow-origin").map(String::as_str),
        Some("https://evil.example")
    );
}

#[actix_web::test]
async fn a_websocket_offers_its_token_as_a_subprotocol() {
    let tenant = Tenant::new();
    let server = serve(tenant.auth0()).await;
    let token = tenant.token().mint();
    let forged = tenant.token().signed_by(&tenant.unknown_key()).mint();
    for (headers, status) in [
        (String::new(), 401),
        (format!("sec-websocket-protocol: bearer, {token}\r\n"), 101),
        (format!("sec-websocket-protocol: bearer, {forged}\r\n"), 401),
    ] {
        let (_, head) = upgrade(server, &headers).await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{headers}: {head}");
        let selected = head.contains("sec-websocket-protocol: bearer\r\n");
        assert_eq!(selected, status == 101, "{headers}: {head}");
    }
}

#[actix_web::test]
async fn a_websocket_ends_with_its_token() {
    let tenant = Tenant::new();
    let server = serve(tenant.auth0()).await;
    let token = tenant.token().mint();
    let (mut socket, _) =
        upgrade(server, &format!("sec-websocket-protocol: bearer, {token}\r\n")).await;
    socket.write_all(b"\x81\x82\0\0\0\0hi").await.unwrap();
    let mut frame = [0; 4];
    socket.read_exact(&mut frame).await.unwrap();
    assert_eq!(&frame, b"\x81\x02hi");

    tenant.clock().advance(std::time::Duration::from_secs(2 * 24 * 60 * 60));
    socket.read_exact(&mut frame).await.unwrap();
    assert_eq!((frame[0], &frame[2..]), (0x88, &4401_u16.to_be_bytes()[..]), "a Close frame");
}

/// Sends an upgrade, and returns the head of the response in lower case.
async fn upgrade(server: SocketAddr, headers: &str) -> (TcpStream, String) {
    let mut socket = TcpStream::connect(server).await.unwrap();
    let request = format!(
        "GET /api/echo HTTP/1.1\r\nhost: {server}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    (socket, String::from_utf8(head).unwrap().to_lowercase())
}

async fn serve(auth: Auth0) -> SocketAddr {
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    address
}

async fn call(
    tenant: &Tenant,
    method: &str,
    headers: &[(&str, &str)],
) -> (u16, HashMap<String, String>) {
    let app = init_service(App::new().app_data(tenant.auth0()).configure(routes)).await;
    let mut request = TestRequest::with_uri("/api/me").method(method.parse().unwrap());
    for header in headers {
        request = request.insert_header(*header);
    }
    let response = call_service(&app, request.to_request()).await;
    let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    // As a page sees them: the lines of a header are joined with commas.
    let mut headers: HashMap<String, String> = HashMap::new();
    for (name, value) in response.headers() {
        let lines = headers.entry(name.to_string()).or_default();
        *lines = if lines.is_empty() { text(value) } else { format!("{lines}, {}", text(value)) };
    }
    (response.status().as_u16(), headers)
}
