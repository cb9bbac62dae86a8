//! The configuration of a local tenant.
use super::LocalTenant;
use crate::{error::LocalError, file::TENANT_KEY, running::RunningTenant, server};
use auth0_core::{
    Algorithm, Audience, Dpop,
    dpop::{DpopNonces, ProofVerifier},
};
use auth0_testing::{SigningKey, Tenant};
use std::{future, io, net::Ipv4Addr, path::PathBuf};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task,
};

/// The default identifier of a local tenant's API.
pub const DEFAULT_AUDIENCE: &str = "https://api.local.test";

/// Configures a local tenant: begins with [`LocalTenant::builder`], ends with
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

    /// Sets the port on 127.0.0.1. The default, 0, selects a free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the identifier of the API that tokens are for by default. Unset, it is
    /// [`DEFAULT_AUDIENCE`].
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// Sets the file of the signing key, so that tokens stay valid after a restart. It contains an
    /// RSA key in PKCS#8, PEM or DER, unencrypted. A missing file is created with a new key,
    /// readable by the user only (mode 0600). Without a file, every start generates a new key.
    pub fn keys(mut self, file: impl Into<PathBuf>) -> Self {
        self.keys = Some(file.into());
        self
    }

    /// Requires a nonce of this tenant in the DPoP proofs at `/oauth/token` (RFC 9449 §8). Unset, a
    /// proof needs none.
    pub fn dpop_nonces(mut self, nonces: DpopNonces) -> Self {
        self.dpop_nonces = Some(nonces);
        self
    }

    /// Starts the tenant. It accepts requests when this returns.
    ///
    /// # Errors
    /// The port is in use, the audience is empty, the file contains no key or cannot be created, or
    /// the nonces are misconfigured.
    pub async fn start(self) -> Result<LocalTenant, LocalError> {
        let Self { port, audience, keys, dpop_nonces } = self;
        let audience: Audience = audience.parse()?;
        let unbound = |error| cannot_bind(port, &error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(unbound)?;
        let address = listener.local_addr().map_err(unbound)?;
        // Generating an RSA key takes long enough to delay other tasks.
        let key = task::spawn_blocking(move || match keys {
            Some(file) => TENANT_KEY.read_or_create(&file),
            None => Ok(SigningKey::generate(Algorithm::RS256)?),
        })
        .await
        .map_err(|_| LocalError::new("the runtime shut down while the tenant was starting"))??;
        let tenant = Tenant::on_loopback(&format!("http://{address}/"), audience.as_str(), key)?;
        let dpop = Dpop::required().algorithms(Algorithm::ALL);
        let dpop = match dpop_nonces {
            Some(nonces) => dpop.nonces(nonces),
            None => dpop,
        };
        let proofs = ProofVerifier::new(dpop, tenant.clock().clone())?;
        let (detach, handle) = oneshot::channel::<()>();
        let (stop, running) = watch::channel(());
        let until_dropped = async {
            let _stop = stop; // dropped at the end, which closes the channel
            if handle.await.is_ok() {
                future::pending::<()>().await;
            }
        };
        let running = RunningTenant::new(tenant, proofs, running);
        let answering = axum::serve(server::Listener(listener), server::service(running.clone()))
            .with_graceful_shutdown(until_dropped);
        task::spawn(async { answering.await });
        Ok(LocalTenant::new(running, detach))
    }
}

fn cannot_bind(port: u16, error: &io::Error) -> LocalError {
    LocalError::new(match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} of 127.0.0.1 is in use. Stop the program that uses it, or choose another \
             port; 0 selects a free one"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "port {port} of 127.0.0.1 needs privileges. Choose one above 1023; 0 selects a free \
             one"
        ),
        _ => format!("port {port} of 127.0.0.1 cannot be used: {error}. Choose another port"),
    })
}
