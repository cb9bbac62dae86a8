//! The default transport, against servers on loopback that misbehave.
use crate::common::{RSA_1, test_in_a_process};
use auth0_core::{Algorithm, Auth0, Error, ErrorCode, TrustedIssuer};
use auth0_testing::{SigningKey, Tenant};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[tokio::test]
async fn keys_are_fetched_with_two_plain_requests() {
    let server = Server::start(|tenant| Answer::Bytes(json(&tenant.key_set_json()))).await;
    server.verdict().await.unwrap();
    let requests = server.requests();
    let lines: Vec<&str> = requests.iter().filter_map(|request| request.lines().next()).collect();
    assert_eq!(
        lines,
        ["GET /.well-known/openid-configuration HTTP/1.1", "GET /.well-known/jwks.json HTTP/1.1"]
    );
    for request in requests {
        let request = request.to_ascii_lowercase();
        assert!(request.contains("accept: application/json\r\n"), "{request}");
        assert!(!request.contains("authorization"), "{request}");
        assert!(
            !request.contains("accept-encoding"),
            "no encoding that the transport does not read: {request}"
        );
    }
}

/// The first two connections are reset when a request has come, the next two break in the answer.
#[tokio::test]
async fn a_lost_connection_is_replaced_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}/", listener.local_addr().unwrap());
    let key = SigningKey::from_pkcs8(Algorithm::RS256, RSA_1).unwrap();
    let tenant = Tenant::on_loopback(&issuer, "https://api.test", key).unwrap();
    let good = [json(&tenant.metadata_json()), json(&tenant.key_set_json())];
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await.unwrap();
            let answer = &good[number / 2 % 2];
            match number % 4 {
                // Unread bytes make the system send a reset.
                0 => stream.set_zero_linger().unwrap(),
                2 => stream.write_all(&answer[..answer.len() / 2]).await.unwrap(),
                _ => stream.write_all(answer).await.unwrap(),
            }
        }
    });
    let auth = Auth0::builder().issuer(tenant.issuer()).audience(tenant.audience());
    let auth = auth.build().unwrap();
    for fetch in 1..=3 {
        auth.refresh().await.unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), 4 * fetch, "each document took two");
    }
}

/// A query may contain what only its host should know.
#[tokio::test]
async fn the_query_of_a_url_is_not_logged() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let causes = async || {
        let url = format!("http://{at}/keys?code=s3cr3t");
        let issuer = TrustedIssuer::new(format!("http://{at}/")).key_set_url(url);
        let auth = Auth0::builder().issuer(issuer).audience("https://api.test").build().unwrap();
        let error = auth.warm_up().await.unwrap_err();
        format!("{error:?} {error}")
    };
    let answer = async |bytes: &[u8]| {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(bytes).await.unwrap();
    };
    let not_found = head("404 Not Found", "");
    let not_json = response("200 OK", "", b"<html>");
    let mut seen = Vec::new();
    for bytes in [not_found.as_bytes(), &not_json] {
        let (cause, ()) = tokio::join!(causes(), answer(bytes));
        seen.push(cause);
    }
    drop(listener);
    seen.push(causes().await);
    for cause in seen {
        assert!(cause.contains("/keys") && !cause.contains("s3cr3t"), "{cause}");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    for (name, headers) in [
        ("until the connection closes", ""),
        ("chunked", "transfer-encoding: chunked\r\n"),
        ("200 MB", "content-length: 209715200\r\n"),
    ] {
        let server = Server::start(|_| {
            let head = head("200 OK", &format!("content-type: application/json\r\n{headers}"));
            let spaces = " ".repeat(0x4000);
            let chunk = if name == "chunked" { format!("4000\r\n{spaces}\r\n") } else { spaces };
            Answer::Endless(head.into_bytes(), chunk.into_bytes())
        })
        .await;
        server.assert_unavailable("the body is longer than 524288 bytes").await;
        // What the sockets buffer comes on top of what was read.
        let sent = server.sent.load(Ordering::SeqCst);
        assert!(sent < 16 * 1024 * 1024, "{name}: {sent} bytes were taken");
    }
}

#[tokio::test]
async fn a_body_of_512_kib_is_read() {
    let server = Server::start(|tenant| {
        let mut body = tenant.key_set_json();
        body.extend(std::iter::repeat_n(' ', 512 * 1024 - body.len()));
        Answer::Bytes(json(&body))
    })
    .await;
    server.verdict().await.unwrap();
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 Moved"] {
        let target = Server::start(|tenant| Answer::Bytes(json(&tenant.key_set_json()))).await;
        let location = format!("location: {}.well-known/jwks.json\r\n", target.tenant.issuer());
        let server = Server::start(|_| {
            let headers = format!("{location}content-type: application/json\r\n");
            Answer::Bytes(response(status, &headers, b"{\"keys\":[]}"))
        })
        .await;
        server.assert_unavailable("redirects are not followed").await;
        assert_eq!(target.requests(), Vec::<String>::new(), "{status}");
        assert_eq!(server.requests().len(), 2, "{status}");
    }
}

#[tokio::test]
async fn answers_that_are_not_plain_json_are_refused() {
    type Row = (&'static str, fn(&Tenant) -> Vec<u8>, &'static str);
    let rows: [Row; 6] = [
        (
            "HTML",
            |_| response("200 OK", "content-type: text/html\r\n", b"<html>"),
            "not JSON, it begins with \"<html>\"",
        ),
        (
            "gzip",
            |_| {
                let headers = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
                response("200 OK", headers, b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xabV")
            },
            "not JSON, it begins with",
        ),
        ("500", |_| response("500 Oops", "", b""), "status 500"),
        ("no HTTP", |_| b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec(), "error"),
        ("nothing", |_| Vec::new(), "error"),
        (
            "a body cut short",
            |_| {
                let headers = "content-type: application/json\r\ncontent-length: 1000\r\n";
                [head("200 OK", headers).as_bytes(), b"{\"keys\":["].concat()
            },
            "error",
        ),
    ];
    for (name, answer, cause) in rows {
        let server = Server::start(|tenant| Answer::Bytes(answer(tenant))).await;
        println!("{name}");
        server.assert_unavailable(cause).await;
    }
}

#[tokio::test]
async fn the_delay_of_a_server_is_passed_on() {
    for (delay, expected) in
        [("17", "17"), ("soon", "1"), ("-5", "1"), ("99999999999999999999", "1")]
    {
        let server = Server::start(|_| {
            Answer::Bytes(response("429 Slow Down", &format!("retry-after: {delay}\r\n"), b""))
        })
        .await;
        let challenge = server.verdict().await.unwrap_err().challenge();
        assert!(challenge.headers().any(|header| header == ("retry-after", expected)), "{delay}");
    }
}

#[tokio::test]
async fn a_closed_port_is_an_outage() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let auth = Auth0::builder().issuer(issuer).audience("a").build().unwrap();
    let error = auth.warm_up().await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeysUnavailable);
}

/// Proxies lead out of the machine, and a tenant on loopback is not behind one.
#[test]
fn a_proxy_of_the_environment_is_not_used_for_loopback() {
    let output = test_in_a_process(module_path!(), "keys_are_fetched_with_two_plain_requests")
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:9")))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

const NO_CERTIFICATES: &str = "TEST_NO_CERTIFICATES";

/// As in a container without the package ca-certificates.
#[test]
fn only_https_needs_certificates() {
    let output = test_in_a_process(module_path!(), "without_certificates")
        .envs([(NO_CERTIFICATES, "1"), ("SSL_CERT_FILE", "/dev/null")])
        .env("SSL_CERT_DIR", "/dev/null")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// The process of the test above.
#[test]
fn without_certificates() {
    if std::env::var_os(NO_CERTIFICATES).is_none() {
        return;
    }
    let build = |issuer: TrustedIssuer| {
        Auth0::builder().issuer(issuer).audience("https://api.test").build()
    };
    build(TrustedIssuer::new("http://127.0.0.1:4400/")).unwrap();
    build(TrustedIssuer::new("http://localhost:4400/")).unwrap();
    let inside = Auth0::builder().allow_http_hosts(["auth0"]).audience("https://api.test");
    inside.clone().issuer("http://auth0:4400/").build().unwrap();
    let keys = TrustedIssuer::new("https://id.acme.com/").key_set_url("http://auth0/keys");
    inside.issuer(keys).build().unwrap();
    let tenant = Tenant::new();
    build(TrustedIssuer::new(tenant.issuer()).key_set(tenant.key_set_json())).unwrap();
    for issuer in ["https://acme.eu.auth0.com/", "https://localhost:4400/"] {
        let error = build(TrustedIssuer::new(issuer)).unwrap_err().to_string();
        for help in ["ca-certificates", "SSL_CERT_FILE"] {
            assert!(error.contains(help), "{issuer}: {error}");
        }
    }
}

/// All bytes of a response.
#[derive(Clone)]
enum Answer {
    Bytes(Vec<u8>),
    /// A head, and then this for as long as the client reads.
    Endless(Vec<u8>, Vec<u8>),
}

/// A server that answers for a tenant. Every connection is for one request.
struct Server {
    tenant: Tenant,
    requests: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server. `key_set` returns its answer for the key set; the metadata is always good.
    async fn start(key_set: impl FnOnce(&Tenant) -> Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/", listener.local_addr().unwrap());
        let key = SigningKey::from_pkcs8(Algorithm::RS256, RSA_1).unwrap();
        let tenant = Tenant::on_loopback(&issuer, "https://api.test", key).unwrap();
        let server = Self { tenant, requests: Arc::default(), sent: Arc::default() };
        let metadata = Answer::Bytes(json(&server.tenant.metadata_json()));
        let key_set = key_set(&server.tenant);
        let (requests, sent) = (Arc::clone(&server.requests), Arc::clone(&server.sent));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (metadata, key_set) = (metadata.clone(), key_set.clone());
                let (requests, sent) = (Arc::clone(&requests), Arc::clone(&sent));
                tokio::spawn(serve(stream, metadata, key_set, requests, sent));
            }
        });
        server
    }

    /// Returns a verifier with the default transport.
    fn auth(&self) -> Auth0 {
        Auth0::builder()
            .issuer(self.tenant.issuer())
            .audience(self.tenant.audience())
            .build()
            .unwrap()
    }

    async fn verdict(&self) -> Result<(), Error> {
        self.auth().verify(&self.tenant.token().mint()).await.map(drop)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Asserts that the client receives a 503, and that the log has this cause.
    async fn assert_unavailable(&self, cause: &str) {
        let error = self.verdict().await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{error:?}");
        let reported = error.cause().unwrap_or_default();
        assert!(reported.contains(cause), "{reported}");
        let challenge = error.challenge();
        assert_eq!(challenge.status(), 503);
        assert!(challenge.headers().any(|(name, _)| name == "retry-after"));
        let body = String::from_utf8(challenge.into_body()).unwrap();
        assert!(!body.contains("127.0.0.1"), "hosts are for the log: {body}");
    }
}

async fn serve(
    mut stream: TcpStream,
    metadata: Answer,
    key_set: Answer,
    requests: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicUsize>,
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let is_metadata = request.starts_with("GET /.well-known/openid-configuration ");
    requests.lock().unwrap().push(request);
    match if is_metadata { metadata } else { key_set } {
        Answer::Bytes(bytes) => drop(stream.write_all(&bytes).await),
        Answer::Endless(head, chunk) => {
            let _ = stream.write_all(&head).await;
            while stream.write_all(&chunk).await.is_ok() {
                sent.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
    }
}

fn head(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n")
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = head(status, &format!("{headers}content-length: {}\r\n", body.len()));
    [head.as_bytes(), body].concat()
}

fn json(body: &str) -> Vec<u8> {
    response("200 OK", "content-type: application/json\r\n", body.as_bytes())
}
