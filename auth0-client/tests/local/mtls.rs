//! Clients with a certificate (RFC 8705): behind an edge that is simulated, and with TLS.
use crate::{
    browser,
    kit::{API, CALLBACK, Wire, acme, builder, claims},
};
use auth0_client::{Client, ErrorKind, ProofKey};
use auth0_local::{Client as Registered, LocalTenant};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::{env, fs, net::SocketAddr, path::Path, process::Command, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
    server::TlsStream,
};

/// The secret between the edge and the tenant.
const EDGE_KEY: &str = "key-of-the-edge-1234";

fn thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, der))
}

/// Returns a certificate as an edge sends it.
fn header(der: &[u8]) -> String {
    let body = STANDARD.encode(der).replace('+', "%2B").replace('=', "%3D");
    format!("-----BEGIN%20CERTIFICATE-----%0A{body}%0A-----END%20CERTIFICATE-----%0A")
}

async fn tenant(port: u16, alias: &str, der: &[u8]) -> LocalTenant {
    let client = Registered::with_certificate("mtls", thumbprint(der)).callback(CALLBACK);
    acme().port(port).client(client).mtls(alias, EDGE_KEY).start().await.unwrap()
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// The transport adds what an edge adds, and the alias leads to the tenant itself. Tokens that are bound to a
/// certificate have the type `DPoP`.
#[tokio::test]
async fn the_headers_of_an_edge() {
    // The tenant compares the hash only.
    let (own, other): (&[u8], &[u8]) = (b"0\x03one", b"0\x03two");
    let port = free_port().await;
    let tenant = tenant(port, &format!("http://127.0.0.1:{port}"), own).await;
    let client = |der: &[u8], status: &str| {
        let edge = Wire::new()
            .with_header("cname-api-key", EDGE_KEY)
            .with_header("client-certificate", &header(der))
            .with_header("client-certificate-ca-verified", status);
        builder(&tenant, "mtls").certificate_of_http_client().http_client(edge)
    };
    for (status, method) in
        [("SUCCESS", "tls_client_auth"), ("FAILED:self signed", "self_signed_tls_client_auth")]
    {
        let client = client(own, status).build().unwrap();
        let token = client.machine(API).build().unwrap().token().await.unwrap();
        let cnf = &claims(&tenant, token.encoded())["cnf"];
        assert_eq!(cnf["x5t#S256"], thumbprint(own));
        let requests = tenant.token_requests();
        assert_eq!(requests.last().next_back().unwrap().authentication, method);
    }
    let client_with_proofs = client(own, "SUCCESS").dpop(ProofKey::generate().unwrap());
    let token = client_with_proofs.build().unwrap().machine(API).build().unwrap().token().await;
    let cnf = &claims(&tenant, token.unwrap().encoded())["cnf"];
    assert!(cnf["jkt"].is_string(), "{cnf}");
    let error = client(other, "SUCCESS").build().unwrap().machine(API).build().unwrap();
    let error = error.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidClient, "{error}");
}

/// The directory of the certificates, for the process of a case.
const DIRECTORY: &str = "CLIENT_TESTS_MTLS";

/// Trusted authorities come from the environment of a process, so the test is one.
#[test]
fn with_tls() {
    if let Ok(directory) = env::var(DIRECTORY) {
        return handshakes(Path::new(&directory));
    }
    let directory = env::temp_dir().join(format!("auth0-client-mtls-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let own = Authority::new();
    fs::write(directory.join("authority.pem"), &own.pem).unwrap();
    own.issue(&directory, "server");
    own.issue(&directory, "client");
    own.issue(&directory, "second");
    Authority::new().issue(&directory, "unknown");
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "mtls::with_tls", "--nocapture"]).env(DIRECTORY, &directory);
    child.env("SSL_CERT_FILE", directory.join("authority.pem")).env_remove("SSL_CERT_DIR");
    let output = child.output().unwrap();
    fs::remove_dir_all(&directory).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::main(flavor = "current_thread")]
async fn handshakes(directory: &Path) {
    let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
    let certificate = |name: &str| {
        CertificateDer::from_pem_slice(read(&format!("{name}.pem")).as_bytes()).unwrap()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let alias = format!("https://{}", listener.local_addr().unwrap());
    let tenant = tenant(0, &alias, &certificate("client")).await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate("authority")).unwrap();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let key = PrivateKeyDer::from_pem_slice(read("server.pem").as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate("server")], key)
        .unwrap();
    tokio::spawn(edge(listener, TlsAcceptor::from(Arc::new(config)), tenant.address()));

    let client = |name: &str| -> Client {
        builder(&tenant, "mtls").certificate(read(&format!("{name}.pem"))).build().unwrap()
    };
    let own = client("client");
    let token = own.machine(API).build().unwrap().token().await.unwrap();
    let x5t = thumbprint(&certificate("client"));
    assert_eq!(claims(&tenant, token.encoded())["cnf"]["x5t#S256"], x5t);
    let requests = tenant.token_requests();
    assert_eq!(requests.last().next_back().unwrap().authentication, "tls_client_auth");
    // A login from the pushed request to a refresh.
    let request = own.authorization_request(CALLBACK).audience(API);
    let request = request
        .scopes(["openid offline_access"])
        .parameter("code_challenge", browser::CHALLENGE)
        .parameter("code_challenge_method", "S256");
    let pushed = request.push().await.unwrap();
    let code = browser::open(pushed.url()).await["code"].clone();
    let tokens = browser::exchange(&own, &code).await;
    assert_eq!(claims(&tenant, tokens.access_token().encoded())["cnf"]["x5t#S256"], x5t);
    own.refresh(tokens.refresh_token().unwrap()).send().await.unwrap();

    // Another certificate of the same authority.
    let error = client("second").machine(API).build().unwrap().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidClient, "{error}");
    // The edge does not trust the authority, so there is no connection.
    let before = tenant.token_requests().total();
    let error = client("unknown").machine(API).build().unwrap().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(tenant.token_requests().total(), before);
    let error = builder(&tenant, "mtls").certificate(read("authority.pem")).build().unwrap_err();
    assert!(error.to_string().contains("private key"), "{error}");
}

/// Ends TLS, and forwards each connection to the tenant with the certificate of the client.
async fn edge(listener: TcpListener, acceptor: TlsAcceptor, tenant: SocketAddr) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                forward(stream, tenant).await;
            }
        });
    }
}

async fn forward(mut stream: TlsStream<TcpStream>, tenant: SocketAddr) {
    let certificate = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    let mut start = Vec::new();
    while !start.ends_with(b"\r\n") {
        match stream.read_u8().await {
            Ok(byte) => start.push(byte),
            Err(_) => return,
        }
    }
    let own = format!(
        "cname-api-key: {EDGE_KEY}\r\nclient-certificate: {}\r\nclient-certificate-ca-verified: SUCCESS\r\n",
        header(&certificate)
    );
    start.extend_from_slice(own.as_bytes());
    let mut onward = TcpStream::connect(tenant).await.unwrap();
    onward.write_all(&start).await.unwrap();
    // Either side may close it.
    let _ = copy_bidirectional(&mut stream, &mut onward).await;
}

/// A CA, which issues certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut certificate = CertificateParams::new([]).unwrap();
        certificate.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = certificate.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(certificate, key), pem }
    }

    /// Writes a certificate and its key into a file.
    fn issue(&self, directory: &Path, name: &str) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &self.issuer).unwrap();
        let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
        fs::write(directory.join(format!("{name}.pem")), pem).unwrap();
    }
}

/// A proxy of the environment leads out of the machine: a tenant on loopback is not behind one.
#[test]
fn a_proxy_is_not_used_for_loopback() {
    const CHILD: &str = "CLIENT_TESTS_PROXY";
    if env::var_os(CHILD).is_some() {
        return without_proxy();
    }
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "mtls::a_proxy_is_not_used_for_loopback", "--nocapture"]);
    child.env(CHILD, "1").env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, "http://127.0.0.1:9");
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::main(flavor = "current_thread")]
async fn without_proxy() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["client".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let port = free_port().await;
    let tenant = tenant(port, &format!("http://127.0.0.1:{port}"), certificate.der()).await;
    crate::kit::client(&tenant, "service").machine(API).build().unwrap().token().await.unwrap();
    // No edge adds the certificate, so the tenant refuses it: it was asked.
    let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
    let client = builder(&tenant, "mtls").certificate(pem).build().unwrap();
    let error = client.machine(API).build().unwrap().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidClient, "{error}");
}
