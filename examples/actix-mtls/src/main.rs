//! Shows tokens bound to a client's certificate (RFC 8705), where TLS ends in the service.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400       # in one terminal
//! TLS_CERTIFICATE=localhost.pem TLS_KEY=localhost.key CLIENT_AUTHORITIES=ca.pem \
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run -p actix-mtls                         # in another
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
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    App, HttpServer, Responder,
    dev::{Extensions, Server},
    get,
    rt::net::TcpStream,
    web,
};
use auth0_actix::{AccessToken, Auth0, Connection};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{any::Any, env, error::Error, io, net::TcpListener, sync::Arc};

#[get("/health")]
async fn health() -> impl Responder {
    "well\n"
}

#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    format!("{}\n", token.subject())
}

/// Stores what the server knows of a connection. actix-web itself knows the peer's address.
fn keep_connection(stream: &dyn Any, data: &mut Extensions) {
    let Some(stream) = stream.downcast_ref::<TlsStream<TcpStream>>() else { return };
    let (_, session) = stream.get_ref();
    let mut connection = Connection::new().tls(true);
    if let Some(certificate) = session.peer_certificates().and_then(<[_]>::first) {
        connection = connection.client_certificate(certificate);
    }
    data.insert(connection);
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
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)?)
}

fn serve(listener: TcpListener, tls: ServerConfig, auth: Auth0) -> io::Result<Server> {
    let server = HttpServer::new(move || App::new().configure(routes(auth.clone())));
    Ok(server.on_connect(keep_connection).listen_rustls_0_23(listener, tls)?.run())
}

fn routes(auth: Auth0) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config.app_data(auth).service(health).service(me);
    }
}

#[actix_web::main]
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
    Ok(serve(listener, tls(chain?, key, authorities)?, auth)?.await?)
}

#[cfg(test)]
mod tests;
