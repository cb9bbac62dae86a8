use crate::{drill::Drill, error::LocalError, key_file, server, tenant::LocalTenant};
use auth0_core::{
    Algorithm, Audience, Dpop, DpopNonces,
    testing::{SigningKey, Tenant},
};
use std::{future, io, net::Ipv4Addr, path::PathBuf};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task,
};

/// The identifier of a local tenant's API, unless another one is set.
pub const DEFAULT_AUDIENCE: &str = "https://api.local.test";

/// The configuration of a local tenant: made by [`LocalTenant::builder`], ended with
/// [`start`](Self::start).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct Builder {
    port: u16,
    audience: String,
    keys: Option<PathBuf>,
    dpop_nonces: Option<DpopNonces>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self { port: 0, audience: DEFAULT_AUDIENCE.into(), keys: None, dpop_nonces: None }
    }

    /// The port on 127.0.0.1. A free one is found for 0, which is the default.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The identifier of the API that tokens are for unless told otherwise, instead of
    /// [`DEFAULT_AUDIENCE`].
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// The file that holds the signing key, so that tokens outlive a restart: an RSA key in PKCS#8,
    /// PEM or DER, unencrypted. If there is no such file, it is created with a new key, for the
    /// user's eyes only. Without a file, every start has a new key.
    pub fn keys(mut self, file: impl Into<PathBuf>) -> Self {
        self.keys = Some(file.into());
        self
    }

    /// Demands that the DPoP proofs that come to `/oauth/token` have a nonce of this tenant's (RFC 9449
    /// §8). Without this, a proof needs none.
    pub fn dpop_nonces(mut self, nonces: DpopNonces) -> Self {
        self.dpop_nonces = Some(nonces);
        self
    }

    /// Starts it. It answers when this returns.
    ///
    /// # Errors
    /// The port is taken, the audience is empty, the file holds no key and cannot be created, or the
    /// nonces cannot work.
    pub async fn start(self) -> Result<LocalTenant, LocalError> {
        let Self { port, audience, keys, dpop_nonces } = self;
        let audience: Audience = audience.parse()?;
        let unbound = |error| cannot_bind(port, &error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(unbound)?;
        let address = listener.local_addr().map_err(unbound)?;
        // Making an RSA key takes long enough to hold up others.
        let key = task::spawn_blocking(move || match keys {
            Some(file) => key_file::OF_TENANT.read_or_create(&file),
            None => Ok(SigningKey::generate(Algorithm::RS256)?),
        })
        .await
        .map_err(|_| LocalError::new("the runtime shut down while the tenant was starting"))??;
        let tenant = Tenant::on_loopback(&format!("http://{address}/"), audience.as_str(), key)?;
        let dpop = Dpop::required().algorithms(Algorithm::ALL);
        let proofs = tenant.proof_verifier(match dpop_nonces {
            Some(nonces) => dpop.nonces(nonces),
            None => dpop,
        })?;
        let (detach, handle) = oneshot::channel::<()>();
        let (stop, running) = watch::channel(());
        let until_dropped = async {
            let _stop = stop; // closed when this ends
            if handle.await.is_ok() {
                future::pending::<()>().await;
            }
        };
        let drill = Drill::new(tenant, proofs, running);
        let answering = axum::serve(server::Listener(listener), server::service(drill.clone()))
            .with_graceful_shutdown(until_dropped);
        task::spawn(async { answering.await });
        Ok(LocalTenant::new(drill, detach))
    }
}

fn cannot_bind(port: u16, error: &io::Error) -> LocalError {
    LocalError::new(match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} of 127.0.0.1 is in use. End what runs there, or choose another port; 0 finds \
             a free one"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "port {port} of 127.0.0.1 is not for everybody to use. Choose one above 1023; 0 finds a \
             free one"
        ),
        _ => format!("port {port} of 127.0.0.1 cannot be used: {error}. Choose another port"),
    })
}
