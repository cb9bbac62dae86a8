//! An application that uses rustls with ring, for its own listener, and adds auth0-axum. It starts, fetches
//! the keys of an issuer over TLS, and answers.
use auth0_axum::{AccessToken, Auth0};
use auth0_testing::{SigningKey, Tenant};
use axum::{Router, routing::get};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, crypto::ring};
use std::{
    env, fs,
    process::{Command, ExitCode},
    sync::Arc,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

type Error = Box<dyn std::error::Error>;

const AUDIENCE: &str = "https://api.test";

fn main() -> Result<ExitCode, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match env::args().collect::<Vec<_>>().as_slice() {
        [_, issuer, token] => runtime.block_on(application(issuer, token))?,
        _ => return runtime.block_on(issuer()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The application: the line that the error asks for, and nothing else.
async fn application(issuer: &str, token: &str) -> Result<(), Error> {
    let verifier = || Auth0::builder().issuer(issuer).audience(AUDIENCE).build();
    let missing = verifier().err().ok_or("built without a crypto provider")?.to_string();
    if !missing.contains("rustls::crypto::ring::default_provider().install_default()") {
        return Err(missing.into());
    }
    let _ = ring::default_provider().install_default();
    let auth = verifier()?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let subject = async |token: AccessToken| token.subject().to_owned();
    let app = Router::new().route("/", get(subject)).with_state(auth);
    tokio::spawn(async move { axum::serve(listener, app).await });

    for (authorization, expected) in
        [("x: y".to_owned(), "401"), (format!("authorization: Bearer {token}"), "200")]
    {
        let request = format!(
            "GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{authorization}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        println!("{}", response.lines().next().unwrap_or_default());
        if response.split(' ').nth(1) != Some(expected) {
            return Err(format!("expected {expected}: {response}").into());
        }
    }
    Ok(())
}

/// Serves an issuer over TLS, and runs the application with its authority as the only one that it trusts.
async fn issuer() -> Result<ExitCode, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("https://localhost:{}/", listener.local_addr()?.port());
    let key = SigningKey::generate(auth0_axum::Algorithm::RS256)?;
    let tenant = Tenant::on_loopback(&issuer, AUDIENCE, key)?;
    let (authority, tls) = certificates()?;
    let file = env::temp_dir().join(format!("rustls-ring-{}.pem", std::process::id()));
    fs::write(&file, authority)?;

    let served = tenant.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tenant, tls) = (served.clone(), tls.clone());
            tokio::spawn(async move { answer(&tenant, &tls, stream).await.ok() });
        }
    });
    let mut application = Command::new(env::current_exe()?);
    application.args([&issuer, &tenant.token().mint()]).env("SSL_CERT_FILE", &file);
    let status = tokio::task::spawn_blocking(move || application.status()).await??;
    fs::remove_file(&file)?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn answer(tenant: &Tenant, tls: &TlsAcceptor, stream: TcpStream) -> Result<(), Error> {
    let mut stream = tls.accept(stream).await?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    let document = if request.starts_with(b"GET /.well-known/openid-configuration ") {
        tenant.metadata_json()
    } else {
        tenant.key_set_json()
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        document.len()
    );
    stream.write_all(format!("{head}{document}").as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}

/// Returns an authority as PEM, and a server with a certificate of it.
fn certificates() -> Result<(String, TlsAcceptor), Error> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let authority = parameters.self_signed(&key)?.pem();
    let issuer = Issuer::new(parameters, key);
    let key = KeyPair::generate()?;
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &issuer)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.serialize_der().try_into()?)?;
    Ok((authority, TlsAcceptor::from(Arc::new(config))))
}
