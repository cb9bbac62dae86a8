//! Responses that end with their token: streams of both frameworks, bodies that the layer cuts, and gRPC.
mod frames;
mod graphql;
mod multiplexed;
mod offers;
mod renewals;
mod requests;
mod sockets;
mod websockets;

use actix_web::{App, HttpResponse, HttpServer, web};
use auth0_actix::{RequireAuth, keep_tcp_handle};
use auth0_axum::{
    AccessToken, Auth0, AuthLayer, Revocations, TcpPeer, TrustedIssuer,
    testing::{ManualClock, Tenant},
};
use axum::{Router, body::Body, routing::get};
use futures_core::Stream;
use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tonic::{Code, Request, service::Routes, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use wire_tests::refusals::Refusal;

/// Events of a server: one, or one after the other without a pause.
struct Events {
    is_endless: bool,
    sent: usize,
}

/// An event with empty lines after it.
static LARGE: [u8; 16 * 1024] = {
    let mut event = [b'\n'; 16 * 1024];
    event.first_chunk_mut::<7>().unwrap().copy_from_slice(b"data: 1");
    event
};

/// How many events were sent.
static SENT: AtomicUsize = AtomicUsize::new(0);

impl Stream for Events {
    type Item = Result<web::Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.sent > 0 && !self.is_endless {
            return Poll::Pending;
        }
        self.sent += 1;
        SENT.fetch_add(1, Ordering::Relaxed);
        if self.sent.is_multiple_of(100) {
            // Lets the server write.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let event = if self.is_endless { &LARGE[..] } else { b"data: 1\n\n" };
        Poll::Ready(Some(Ok(web::Bytes::from_static(event))))
    }
}

fn one() -> Events {
    Events { is_endless: false, sent: 0 }
}

fn endless() -> Events {
    Events { is_endless: true, sent: 0 }
}

async fn start_axum(auth: Auth0) -> SocketAddr {
    let cut = AuthLayer::new(auth.clone()).end_responses_with_token();
    let app = Router::new()
        .route(
            "/stream",
            get(|token: AccessToken| async move { Body::from_stream(token.until_ended(one())) }),
        )
        .route(
            "/endless",
            get(
                |token: AccessToken| async move { Body::from_stream(token.until_ended(endless())) },
            ),
        )
        .route("/cut", get(|| async { Body::from_stream(one()) }).layer(cut.clone()))
        .route("/cut/endless", get(|| async { Body::from_stream(endless()) }).layer(cut.clone()))
        .route("/short", get(|| async { "short" }).layer(cut))
        .with_state(auth);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<TcpPeer>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

fn start_actix(auth: Auth0) -> SocketAddr {
    async fn stream(token: auth0_actix::AccessToken) -> HttpResponse {
        HttpResponse::Ok().streaming(token.until_ended(one()))
    }
    async fn all(token: auth0_actix::AccessToken) -> HttpResponse {
        HttpResponse::Ok().streaming(token.until_ended(endless()))
    }
    async fn stream_of_one() -> HttpResponse {
        HttpResponse::Ok().streaming(one())
    }
    async fn stream_of_all() -> HttpResponse {
        HttpResponse::Ok().streaming(endless())
    }
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                let cut = || RequireAuth::new().end_responses_with_token();
                App::new()
                    .app_data(auth.clone())
                    .route("/stream", web::get().to(stream))
                    .route("/endless", web::get().to(all))
                    .route("/cut", web::get().to(stream_of_one).wrap(cut()))
                    .route("/cut/endless", web::get().to(stream_of_all).wrap(cut()))
                    .route("/short", web::get().to(async || "short").wrap(cut()))
            };
            let server = HttpServer::new(app).workers(1).disable_signals();
            let server = server.on_connect(keep_tcp_handle).bind_auto_h2c("127.0.0.1:0").unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

/// Reads the response up to the first event, advances the clock, and reads to the end.
async fn read(
    server: SocketAddr,
    path: &str,
    token: &str,
    clock: &ManualClock,
    step: Duration,
) -> String {
    let mut stream = open(server, path, token).await;
    let mut answer = Vec::new();
    read_event(&mut stream, &mut answer).await;
    clock.advance(step);
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

async fn open(server: SocketAddr, path: &str, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn read_event(stream: &mut TcpStream, answer: &mut Vec<u8>) {
    while !String::from_utf8_lossy(answer).contains("data: 1") {
        assert_ne!(stream.read_buf(answer).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_response_ends_with_its_token() {
    for leeway in [0, 30] {
        let tenant = Tenant::new();
        let auth = || {
            let issuer = TrustedIssuer::new(tenant.issuer()).leeway(Duration::from_secs(leeway));
            tenant.builder_with([]).issuer(issuer).audience(tenant.audience()).build().unwrap()
        };
        for (server, address) in
            [("axum", start_axum(auth()).await), ("actix", start_actix(auth()))]
        {
            for path in ["/stream", "/endless", "/cut", "/cut/endless"] {
                let token = tenant.token().expires_in(Duration::from_secs(60)).mint();
                let step = Duration::from_secs(60 + leeway);
                let answer = read(address, path, &token, tenant.clock(), step).await;
                assert!(answer.starts_with("HTTP/1.1 200"), "{server} {path}: {answer}");
                // The end of the response is regular.
                assert!(answer.ends_with("0\r\n\r\n"), "{server} {path}: {answer}");
            }
        }
    }
}

/// The issuer withdraws the key of the token, and the operator has the keys fetched again.
#[tokio::test]
async fn a_response_ends_with_the_key_of_its_token() {
    let tenant = Tenant::new();
    let auth = tenant.builder().end_on_key_withdrawal().build().unwrap();
    let servers = [("axum", start_axum(auth.clone()).await), ("actix", start_actix(auth.clone()))];
    for (server, address) in servers {
        for path in ["/stream", "/cut"] {
            let mut stream = open(address, path, &tenant.token().mint()).await;
            let mut answer = Vec::new();
            read_event(&mut stream, &mut answer).await;
            tenant.rotate_keys();
            tenant.withdraw_old_keys();
            auth.refresh().await.unwrap();
            stream.read_to_end(&mut answer).await.unwrap();
            assert!(answer.ends_with(b"0\r\n\r\n"), "{server} {path}");
        }
    }
}

/// A response that is complete before the end of its token is as it would be without the layer.
#[tokio::test]
async fn a_short_response_is_not_changed() {
    let tenant = Tenant::new();
    let auth = || tenant.auth0();
    let authorization = format!("Bearer {}", tenant.token().mint());
    let lines: [(&str, &[u8]); 1] = [("authorization", authorization.as_bytes())];
    for address in [start_axum(auth()).await, start_actix(auth())] {
        let answer = wire_tests::client::get(address, "/short", &lines).await;
        assert_eq!((answer.status, &*answer.body), (200, "short"));
        assert_eq!(answer.lines("content-length"), ["5"]);
    }
}

/// The server has written all that the sockets take, and waits. The connection is closed two seconds after the end.
#[tokio::test]
async fn a_client_that_does_not_read_is_dropped() {
    let tenant = Tenant::new();
    let auth = || tenant.auth0();
    for (name, server) in [("axum", start_axum(auth()).await), ("actix", start_actix(auth()))] {
        let mut tries = 0..20;
        // The server may have been slow and not blocked when the token ended. Then it has sent the end, or still has it.
        while unread(&tenant, name, server).await.is_none_or(|rest| rest.ends_with(b"0\r\n\r\n")) {
            assert!(tries.next().is_some(), "{name}: the end of the response was sent");
        }
    }
}

/// Opens an endless response, and reads nothing of it until the server seems to wait. Returns what there is when the
/// connection was closed, if it is.
async fn unread(tenant: &Tenant, name: &str, server: SocketAddr) -> Option<Vec<u8>> {
    let token = tenant.token().expires_in(Duration::from_secs(60)).mint();
    let mut client = TcpStream::connect(server).await.unwrap();
    let request = format!(
        "GET /cut/endless HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\
         authorization: Bearer {token}\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    client.peek(&mut [0]).await.unwrap();
    let (mut sent, mut waited) = (0, 0);
    while sent == 0 || waited < 20_000 {
        tokio::task::yield_now().await;
        let now = SENT.load(Ordering::Relaxed);
        waited = if now == sent { waited + 1 } else { 0 };
        sent = now;
    }
    // The client writes into a request that the server does not read, until there is a reset.
    let began = Instant::now();
    let error = loop {
        tenant.clock().advance(Duration::from_secs(1));
        match client.try_write(b"\r\n") {
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break error.kind(),
            _ if began.elapsed() > Duration::from_secs(5) => return None,
            _ => tokio::task::yield_now().await,
        }
    };
    let is_closed = [std::io::ErrorKind::ConnectionReset, std::io::ErrorKind::BrokenPipe];
    assert!(is_closed.contains(&error), "{name}: {error}");
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest).await;
    Some(rest)
}

/// What ends a stream, and the code that its client reads.
#[derive(Clone, Copy)]
enum End {
    Expiry,
    Revocation,
    KeyWithdrawal,
}

#[tokio::test]
async fn a_stream_of_grpc_ends_with_a_status() {
    for (end, code) in [
        (End::Expiry, "token_expired"),
        (End::Revocation, "token_revoked"),
        (End::KeyWithdrawal, "key_unknown"),
    ] {
        let (tenant, revocations) = (Tenant::new(), Revocations::in_memory());
        let builder = tenant.builder().revocations(&revocations).end_on_key_withdrawal();
        let auth = builder.build().unwrap();
        let (_reporter, health) = tonic_health::server::health_reporter();
        let layer = AuthLayer::new(auth.clone()).end_responses_with_token();
        let app = Routes::new(health).prepare().into_axum_router().layer(layer);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let channel = Endpoint::new(format!("http://{address}")).unwrap().connect().await.unwrap();
        let mut request = Request::new(HealthCheckRequest::default());
        let token = tenant.token().subject("auth0|ann").expires_in(Duration::from_secs(60)).mint();
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let mut watch = HealthClient::new(channel).watch(request).await.unwrap().into_inner();
        assert!(watch.message().await.unwrap().is_some());
        match end {
            End::Expiry => tenant.clock().advance(Duration::from_secs(66)),
            End::Revocation => {
                revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
                tenant.clock().advance(Duration::from_secs(1));
            }
            End::KeyWithdrawal => {
                tenant.rotate_keys();
                tenant.withdraw_old_keys();
                auth.refresh().await.unwrap();
            }
        }
        let status = watch.message().await.unwrap_err();
        let refusal = Refusal::of(code);
        let read = (status.code(), status.message());
        assert_eq!(read, (Code::Unauthenticated, &*refusal.description));
        assert_eq!(status.metadata().get("error-code").unwrap(), code);
    }
}

/// The clock may be set back, and the token is not kept alive by it for longer than until its end.
#[tokio::test]
async fn the_end_follows_the_clock() {
    let tenant = Tenant::new();
    let token = tenant.token().expires_in(Duration::from_secs(60)).mint();
    let token = tenant.auth0().verify(&token).await.unwrap();
    let mut ended = pin!(token.ended());
    let mut is_pending =
        || ended.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
    assert!(is_pending());
    tenant.clock().advance(Duration::from_secs(64));
    assert!(!token.has_ended());
    tenant.clock().set_back(Duration::from_secs(10));
    tenant.clock().advance(Duration::from_secs(10));
    assert!(!token.has_ended() && is_pending());
    tenant.clock().advance(Duration::from_secs(1));
    assert!(token.has_ended());
    ended.await;
}
