use super::*;
use auth0_axum::testing::Tenant;
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ClientConfig;
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

#[tokio::test]
async fn a_bound_token_needs_its_certificate() {
    let (authority, other) = (Authority::new(), Authority::new());
    let [server, ann, ben] = [(); 3].map(|()| authority.issue());
    let tenant = Tenant::new();
    let bound = tenant.token().subject("auth0|ann").bound_to_certificate(&ann.0).mint();
    let plain = tenant.token().subject("auth0|ann").mint();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (certificate, key) = server.pair();
    let tls = tls(vec![certificate], key, authority.roots()).unwrap();
    tokio::spawn(serve(listener, tls, app(tenant.auth0())));

    let get = async |certificate: Option<&Identity>, path: &str, header: &str| {
        call(address, &authority, certificate, path, header).await
    };
    for certificate in [None, Some(&ann), Some(&ben)] {
        let answer = get(certificate, "/health", "x-unused: 1").await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let answer = get(certificate, "/me", &format!("authorization: Bearer {plain}")).await;
        assert!(answer.unwrap().starts_with("HTTP/1.1 200"), "not bound");
        for scheme in ["DPoP", "Bearer"] {
            let header = format!("authorization: {scheme} {bound}");
            let answer = get(certificate, "/me", &header).await.unwrap();
            if certificate.is_some_and(|shown| shown.0 == ann.0) {
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                assert!(answer.ends_with("auth0|ann\n"), "{answer}");
            } else {
                assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
                assert!(answer.contains(r#""error_code":"token_binding_mismatch""#), "{answer}");
            }
            // There is no trusted proxy, so a `Client-Cert` header of the client itself is ignored.
            let header = format!("{header}\r\nclient-cert: :{}:", STANDARD.encode(&ann.0));
            let forged = get(certificate, "/me", &header).await.unwrap();
            assert_eq!(forged.lines().next(), answer.lines().next(), "{forged}");
        }
    }
    let unknown = other.issue();
    assert!(get(Some(&unknown), "/health", "x-unused: 1").await.is_err(), "TLS refuses it");
}

/// Sends a request over a connection of its own, and returns the response.
async fn call(
    address: SocketAddr,
    authority: &Authority,
    certificate: Option<&Identity>,
    path: &str,
    header: &str,
) -> io::Result<String> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.roots());
    let config = match certificate.map(Identity::pair) {
        Some((certificate, key)) => config.with_client_auth_cert(vec![certificate], key).unwrap(),
        None => config.with_no_client_auth(),
    };
    let stream = TcpStream::connect(address).await?;
    let name = "localhost".try_into().unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// A CA, which issues certificates.
struct Authority(Issuer<'static, KeyPair>, CertificateDer<'static>);

/// A certificate with its key.
struct Identity(CertificateDer<'static>, KeyPair);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self(Issuer::new(params, key), certificate)
    }

    fn issue(&self) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        Identity(params.signed_by(&key, &self.0).unwrap().der().clone(), key)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.1.clone()).unwrap();
        roots
    }
}

impl Identity {
    fn pair(&self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        (self.0.clone(), PrivateKeyDer::Pkcs8(self.1.serialize_der().into()))
    }
}
