//! A client that does not read, on a connection of HTTP/2 with other requests.
use super::{start_actix, start_axum};
use auth0_axum::testing::Tenant;
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpStream;

const LIFE: Duration = Duration::from_secs(60);

/// The window of a stream that a client has if it says nothing, in bytes (RFC 9113, section 6.9.2).
const WINDOW: usize = 65_535;

/// A connection on which the response to a first token is not read.
struct Connection {
    client: h2::client::SendRequest<bytes::Bytes>,
    server: SocketAddr,
    _unread: h2::RecvStream,
}

impl Connection {
    async fn open(server: SocketAddr, token: &str) -> Self {
        let stream = TcpStream::connect(server).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        let request = request(server, "/cut/endless", token);
        let (response, _) = client.send_request(request, true).unwrap();
        let mut unread = response.await.unwrap().into_body();
        while unread.flow_control().used_capacity() < WINDOW {
            tokio::task::yield_now().await;
        }
        Self { client, server, _unread: unread }
    }

    /// Sends another request, and returns its status, unless the connection is closed.
    async fn ask(&mut self, token: &str) -> Option<u16> {
        let mut client = self.client.clone().ready().await.ok()?;
        let (response, _) =
            client.send_request(request(self.server, "/short", token), true).ok()?;
        Some(response.await.ok()?.status().as_u16())
    }
}

fn request(server: SocketAddr, path: &str, token: &str) -> http::Request<()> {
    http::Request::get(format!("http://{server}{path}"))
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .unwrap()
}

#[tokio::test]
async fn a_proxys_connection_stays_open_for_its_other_clients() {
    let tenant = Tenant::new();
    let direct = tenant.auth0();
    let proxied = tenant.builder().trusted_proxies(["127.0.0.1"]).build().unwrap();
    let short = || tenant.token().expires_in(LIFE).mint();
    let long = tenant.token().subject("auth0|bob").expires_in(1000 * LIFE).mint();
    for (name, direct, proxied) in [
        ("axum", start_axum(direct.clone()).await, start_axum(proxied.clone()).await),
        ("actix", start_actix(direct), start_actix(proxied)),
    ] {
        let mut through_proxy = Connection::open(proxied, &short()).await;
        let mut of_client = Connection::open(direct, &short()).await;
        assert_eq!(of_client.ask(&long).await, Some(200), "{name}");
        // Until the connection of one client is closed. Both have had the same time.
        tenant.clock().advance(LIFE + Duration::from_secs(5));
        while of_client.ask(&long).await.is_some() {
            tenant.clock().advance(Duration::from_secs(1));
        }
        for _ in 0..20 {
            tenant.clock().advance(Duration::from_secs(1));
            assert_eq!(through_proxy.ask(&long).await, Some(200), "{name}");
        }
    }
}
