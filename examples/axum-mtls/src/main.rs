//! Shows tokens bound to a client's certificate (RFC 8705), where TLS ends in the service.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400       # in one terminal
//! TLS_CERTIFICATE=localhost.pem TLS_KEY=localhost.key CLIENT_AUTHORITIES=ca.pem \
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run -p axum-mtls                          # in another
//!
//! token=$(cargo run -q -p auth0-local -- token \
//!     --audience https://api.local.test --certificate ann.pem)
//! me() { curl -i --cacert ca.pem https://localhost:3000/me -H "Authorization: DPoP $token" "$@"; }
//! me --cert ann.pem --key ann.key                     # 200
//! me --cert ben.pem --key ben.key                     # 401 token_binding_mismatch
//! ```
//!
//! The files are a CA, and certificates for the server `localhost` and the clients `ann` and `ben`:
//!
//! ```sh
//! openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca \
//!     -keyout ca.key -out ca.pem
//! for name in localhost ann ben; do
//!     openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
//!         -addext "subjectAltName=DNS:$name" -keyout $name.key -out $name.csr
//!     openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
//!         -copy_extensions copy -out $name.pem
//! done
//! ```
//!
//! The server asks each client for a certificate, and accepts clients without one: the token says
//! whether a request needs a certificate. `docs/mtls.md` explains the settings.
use auth0_axum::{AccessToken, Auth0, Connection};
use axum::{Router, extract::Request, middleware::map_request, routing::get};
use axum_server::{
    tls::TlsInfo,
    tls_rustls::{RustlsConfig, from_tcp_rustls},
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{
    env,
    error::Error,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

async fn health() -> &'static str {
    "well\n"
}

async fn me(token: AccessToken) -> String {
    format!("{}\n", token.subject())
}

/// Passes on what the server knows of the connection. The peer's address is in `ConnectInfo`.
async fn with_connection(mut request: Request) -> Request {
    let mut connection = Connection::new().tls(true);
    let tls = request.extensions().get::<Arc<TlsInfo>>();
    if let Some(certificate) = tls.and_then(|tls| tls.peer_certificates.first()) {
        connection = connection.client_certificate(certificate);
    }
    request.extensions_mut().insert(connection);
    request
}

fn app(auth: Auth0) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/me", get(me))
        .layer(map_request(with_connection))
        .with_state(auth)
}

/// Makes a server that presents `chain`, and accepts client certificates issued by `authorities`.
fn tls(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authorities: RootCertStore,
) -> Result<ServerConfig, Box<dyn Error>> {
    let provider = Arc::new(default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(authorities.into(), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

async fn serve(listener: TcpListener, tls: ServerConfig, app: Router) -> std::io::Result<()> {
    let server = from_tcp_rustls(listener, RustlsConfig::from_config(tls.into()))?;
    server.serve(app.into_make_service_with_connect_info::<SocketAddr>()).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = |name| env::var(name).map_err(|_| format!("{name} is not set: name a PEM file"));
    let chain = CertificateDer::pem_file_iter(file("TLS_CERTIFICATE")?)?.collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_file(file("TLS_KEY")?)?;
    let mut authorities = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(file("CLIENT_AUTHORITIES")?)? {
        authorities.add(authority?)?;
    }
    let listener = TcpListener::bind(auth0_local::address()?)?;
    let auth = Auth0::from_env()?;
    Ok(serve(listener, tls(chain?, key, authorities)?, app(auth)).await?)
}

#[cfg(test)]
mod tests;
