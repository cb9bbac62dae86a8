//! Tokens that are bound to a client's certificate (RFC 8705), where TLS ends in the service.
//!
//! The server asks clients for a certificate and lets those in that have none: what a route needs, the
//! token decides. `docs/mtls.md` tells how to run it with a tenant on the same machine.
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

/// Keeps what the server knows of a connection. The peer's address actix-web knows itself.
fn keep_connection(stream: &dyn Any, data: &mut Extensions) {
    let Some(stream) = stream.downcast_ref::<TlsStream<TcpStream>>() else { return };
    let (_, session) = stream.get_ref();
    let mut connection = Connection::new().tls(true);
    if let Some(certificate) = session.peer_certificates().and_then(<[_]>::first) {
        connection = connection.client_certificate(certificate);
    }
    data.insert(connection);
}

/// The server shows `chain`. Of clients that show a certificate, one of `authorities` has issued it.
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
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let auth = Auth0::from_env()?;
    Ok(serve(listener, tls(chain?, key, authorities)?, auth)?.await?)
}

#[cfg(test)]
mod tests;
