//! WebSockets end with their token, whatever client and handler do.
use super::sockets::{Client, WARNING, start_both, upgraded};
use auth0_axum::testing::Tenant;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::yield_now,
};
use wire_tests::client::until_closed;

const LIFE: Duration = Duration::from_secs(60);
const LEEWAY: Duration = Duration::from_secs(5);

fn ended() -> Result<String, Option<(u16, String)>> {
    Err(Some((4401, "The access token has expired.".to_owned())))
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        // The handler waits for a message, waits for something else, or has returned.
        for handler in ["", "hang"] {
            let token = tenant.token().expires_in(LIFE).mint();
            let mut client = Client::open(server, &token).await;
            assert_eq!(client.ask("a").await, Ok("a".to_owned()), "{name}");
            if !handler.is_empty() {
                client.send(handler).await;
            }
            tenant.clock().advance(LIFE - Duration::from_secs(20));
            assert_eq!(client.next().await, Ok(WARNING.to_owned()), "{name}");
            tenant.clock().advance(Duration::from_secs(20) + LEEWAY);
            assert_eq!(client.next().await, ended(), "{name} {handler}");
            assert_eq!(client.next().await, Err(None), "{name} {handler}");
        }
    }
}

#[tokio::test]
async fn a_connection_closes_when_its_handler_returns() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        let mut client = Client::open(server, &tenant.token().mint()).await;
        assert_eq!(client.ask("return").await, Err(Some((1000, String::new()))), "{name}");
    }
}

/// A Close frame of the client is answered, whether the handler waits for a message or for something else.
#[tokio::test]
async fn a_close_frame_is_answered() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        for handler in ["", "hang"] {
            let mut client = Client::open(server, &tenant.token().mint()).await;
            client.ask("a").await.unwrap();
            if !handler.is_empty() {
                client.send(handler).await;
            }
            client.close().await;
            assert_eq!(client.next().await, Err(Some((1000, String::new()))), "{name} {handler}");
        }
    }
}

#[tokio::test]
async fn what_is_no_message_closes_the_connection() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        // A text that is not UTF-8, a frame without a mask, and a ping of 126 bytes.
        let long = [&[0x89, 0xfe, 0, 126, 0, 0, 0, 0][..], &[0; 126]].concat();
        for frame in [&b"\x81\x81\0\0\0\0\xff"[..], b"\x81\x01a", &long] {
            let mut client = upgraded(
                server,
                "/echo",
                &format!("authorization: Bearer {}", tenant.token().mint()),
            )
            .await;
            client.write_all(frame).await.unwrap();
            let mut head = [0; 4];
            let read = client.read_exact(&mut head).await;
            assert!(read.is_ok(), "{name}: {frame:?} {read:?}");
            let code = u16::from_be_bytes([head[2], head[3]]);
            assert_eq!((head[0], code), (0x88, 1002), "{name}: {frame:?}");
        }
    }
}

/// The bytes after an upgrade that is refused are not read to their end.
#[tokio::test]
async fn a_refused_upgrade_closes_the_connection() {
    let tenant = Tenant::new();
    let bearer = format!("authorization: Bearer {}", tenant.token().mint());
    let of_other = tenant.token().scope("organization").organization("org_a1", "acme").mint();
    let of_other = format!("authorization: Bearer {of_other}");
    let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    for (name, server) in start_both(tenant.auth0()).await {
        for (path, lines, status) in [
            ("/echo", key.to_owned(), 401),
            // Another organization than that of the token.
            ("/orgs/org_b1/echo", format!("{of_other}\r\n{key}"), 403),
            // Without the key of a handshake.
            ("/echo", bearer.clone(), 400),
            ("/graphql", "accept: */*".to_owned(), 400),
        ] {
            for (body, part) in [
                ("transfer-encoding: chunked\r\n", "5\r\nhello\r\n"),
                // For hyper it is the next request.
                ("", "hello"),
            ] {
                if name == "axum" && body.is_empty() {
                    continue;
                }
                let request = format!(
                    "GET {path} HTTP/1.1\r\nhost: {server}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                     sec-websocket-version: 13\r\n{lines}\r\n{body}\r\n{part}"
                );
                let answer = until_closed(server, &request).await;
                let answer = answer.unwrap_or_else(|| panic!("{name} {path}: it is open"));
                assert!(answer.contains(&format!("HTTP/1.1 {status} ")), "{name} {path}: {answer}");
            }
        }
    }
}

/// After the end of the token, the connection is closed in two seconds, although the client reads nothing.
#[tokio::test]
async fn a_client_that_floods_pings_and_never_reads_is_dropped() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        let token = tenant.token().expires_in(LIFE).mint();
        let client = upgraded(server, "/echo", &format!("authorization: Bearer {token}")).await;
        let mut pings = Pings { client, written: 0 };
        pings.flood(name).await;
        tenant.clock().advance(LIFE + LEEWAY);
        let writer = tokio::spawn(async move {
            loop {
                pings.client.writable().await.unwrap();
                match pings.write() {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => return error.kind(),
                    _ => {}
                }
            }
        });
        while !writer.is_finished() {
            tenant.clock().advance(Duration::from_millis(10));
            yield_now().await;
        }
        let error = writer.await.unwrap();
        let is_closed = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
        assert!(is_closed.contains(&error), "{name}: {error}");
    }
}

/// A masked ping of 125 bytes.
const PING: [u8; 131] = {
    let mut ping = [0; 131];
    (ping[0], ping[1]) = (0x89, 0xfd);
    ping
};

struct Pings {
    client: TcpStream,
    written: usize,
}

impl Pings {
    /// Writes from where the last call has ended.
    fn write(&mut self) -> io::Result<()> {
        let pings = PING.repeat(100);
        self.written += self.client.try_write(&pings[self.written % PING.len()..])?;
        Ok(())
    }

    /// Writes until the server reads nothing for a while, or as much as no socket buffers.
    async fn flood(&mut self, name: &str) {
        let mut waited = 0;
        while waited < 20_000 && self.written < 16 << 20 {
            match self.write() {
                Ok(()) => waited = 0,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{name}");
                    waited += 1;
                    yield_now().await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_half_closed_connection_ends() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        let token = tenant.token().expires_in(LIFE).mint();
        let mut client = upgraded(server, "/echo", &format!("authorization: Bearer {token}")).await;
        client.shutdown().await.unwrap();
        tenant.clock().advance(LIFE + LEEWAY);
        let mut rest = Vec::new();
        let read = async { client.read_to_end(&mut rest).await };
        let mut read = std::pin::pin!(read);
        let end = loop {
            tokio::select! {
                biased;
                end = &mut read => break end,
                () = yield_now() => tenant.clock().advance(Duration::from_millis(10)),
            }
        };
        assert!(end.is_ok(), "{name}: {end:?}");
    }
}
