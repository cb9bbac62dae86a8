//! A request that is refused while its body is not read: the connection closes, so that the client cannot go
//! on sending.
use auth0_axum::testing::{Failure, Tenant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wire_tests::{
    client::{CLOSED_AFTER, until_closed},
    servers,
};

const BODIES: [(&str, &str); 4] = [
    ("transfer-encoding: chunked\r\n", "5\r\nhello\r\n"),
    ("transfer-encoding: chunked\r\nexpect: 100-continue\r\n", ""),
    ("content-length: 1000000\r\n", "hello"),
    ("content-length: 1000000\r\nexpect: 100-continue\r\n", ""),
];

/// An extractor, an optional one, a layer or middleware, and an extractor below a nested router.
const PATHS: [&str; 4] = ["/token", "/maybe", "/layer", "/nested/token"];

fn head(path: &str, lines: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: api.test\r\nauthorization: Bearer a.b.c\r\n{lines}\r\n")
}

#[tokio::test]
async fn a_refusal_closes_the_connection() {
    let tenant = Tenant::new();
    let servers = servers::start(|| tenant.auth0()).await;
    for (server, address) in servers {
        for path in PATHS {
            for (lines, part) in BODIES {
                let name = format!("{server}, {path}, {lines:?}");
                let request = head(path, lines) + part;
                let answer = until_closed(address, &request).await;
                let answer = answer.unwrap_or_else(|| panic!("{name}: the connection is open"));
                let statuses: Vec<_> = answer.matches("HTTP/1.1 4").collect();
                assert_eq!(statuses.len(), 1, "{name}: {answer}");
                assert!(answer.contains("HTTP/1.1 401 "), "{name}: {answer}");
                // hyper closes the connection without a word.
                if server == "actix" {
                    assert!(answer.contains("connection: close"), "{name}: {answer}");
                }
                assert!(answer.ends_with("\"token_malformed\"}"), "{name}: {answer}");
            }
        }
    }
}

/// The same if the verdict was not known at once.
#[tokio::test]
async fn a_refusal_after_a_fetch_closes_the_connection() {
    let tenant = Tenant::new();
    tenant.fail(Failure::Unreachable);
    let token = tenant.token().mint();
    for path in PATHS {
        for (server, address) in servers::start(|| tenant.auth0()).await {
            let (lines, part) = BODIES[0];
            let request = head(path, lines).replace("a.b.c", &token) + part;
            let answer = until_closed(address, &request).await;
            let answer =
                answer.unwrap_or_else(|| panic!("{server}, {path}: the connection is open"));
            assert!(answer.contains("HTTP/1.1 503 "), "{server}, {path}: {answer}");
        }
    }
}

/// A body without an end is not read to its end.
#[tokio::test]
async fn an_endless_body_ends() {
    let tenant = Tenant::new();
    for (server, address) in servers::start(|| tenant.auth0()).await {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head("/token", BODIES[0].0).as_bytes()).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        let send = async { while writer.write_all(chunk.as_bytes()).await.is_ok() {} };
        let read = async {
            let mut answer = Vec::new();
            let _ = reader.read_to_end(&mut answer).await;
        };
        let both = async { tokio::join!(send, read) };
        tokio::time::timeout(CLOSED_AFTER, both)
            .await
            .unwrap_or_else(|_| panic!("{server} goes on"));
    }
}
