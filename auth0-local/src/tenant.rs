use crate::{builder::Builder, error::LocalError};
use auth0_core::testing::{Tenant, TokenBuilder};
use tokio::sync::oneshot;

/// A tenant that answers on a loopback port of this machine, until it is dropped.
///
/// ```
/// use auth0_local::LocalTenant;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let tenant = LocalTenant::start().await?;
/// assert!(tenant.issuer().starts_with("http://127.0.0.1:"));
/// let token = tenant.token().subject("auth0|ann").scope("read:messages").mint();
/// # assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), auth0_local::LocalError>(())
/// # }).unwrap()
/// ```
#[derive(Debug)]
pub struct LocalTenant {
    tenant: Tenant,
    /// Sent: serve on without the handle. Dropped: stop.
    detach: oneshot::Sender<()>,
}

impl LocalTenant {
    /// Starts a tenant on a free port, with a new key, for the API [`DEFAULT_AUDIENCE`].
    ///
    /// [`DEFAULT_AUDIENCE`]: crate::DEFAULT_AUDIENCE
    ///
    /// # Errors
    /// See [`Builder::start`].
    pub async fn start() -> Result<Self, LocalError> {
        Self::builder().start().await
    }

    /// A tenant to be configured first.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(tenant: Tenant, detach: oneshot::Sender<()>) -> Self {
        Self { tenant, detach }
    }

    /// The issuer, with its port: what goes into `AUTH0_ISSUER`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.tenant.issuer()
    }

    /// The identifier of the API that tokens are for unless told otherwise: what goes into
    /// `AUTH0_AUDIENCE`.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.tenant.audience()
    }

    /// The tenant of the test kit that this one speaks for: its keys and its clock.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Begins a token: that of a user, good for this tenant's API for a day.
    pub fn token(&self) -> TokenBuilder {
        self.tenant.token()
    }

    /// Lets it answer for as long as the tokio runtime runs, and gives up the means to stop it.
    pub fn detach(self) {
        // A server that has stopped already has nobody to tell.
        let _ = self.detach.send(());
    }
}
