use crate::{builder::Builder, drill::Drill, error::LocalError, fault::Fault, stats::Stats};
use auth0_core::testing::{Document, SigningKey, Tenant, TokenBuilder};
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
    drill: Drill,
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

    pub(crate) fn new(drill: Drill, detach: oneshot::Sender<()>) -> Self {
        Self { drill, detach }
    }

    /// The issuer, with its port: what goes into `AUTH0_ISSUER`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.tenant().issuer()
    }

    /// The identifier of the API that tokens are for unless told otherwise: what goes into
    /// `AUTH0_AUDIENCE`.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.tenant().audience()
    }

    /// The tenant of the test kit that this one speaks for: its keys and its clock.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        self.drill.tenant()
    }

    /// Begins a token: that of a user, good for this tenant's API for a day.
    pub fn token(&self) -> TokenBuilder {
        self.tenant().token()
    }

    /// Lets a document go wrong from now on, for whoever asks over HTTP.
    pub fn set_fault(&self, document: Document, fault: Fault) {
        self.drill.set_fault(document, fault);
    }

    /// Lets both documents be had again.
    pub fn clear_faults(&self) {
        self.drill.clear_faults();
    }

    /// What was asked for over HTTP since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.drill.stats()
    }

    /// Rotates to a new RSA key: it signs from now on, and the old ones stay published. The answer
    /// is the id of the new one.
    ///
    /// Making the key takes a good part of a second of computing, on a thread of its own. Whoever
    /// rotates every now and then makes keys first, and uses [`rotate_to`](Self::rotate_to).
    ///
    /// # Errors
    /// The system has no randomness, or the tokio runtime shuts down.
    pub async fn rotate_keys(&self) -> Result<String, LocalError> {
        self.drill.rotate().await
    }

    /// Rotates to a key that was made before: [`SigningKey::generate`] makes one. If it is published
    /// already, it signs again.
    pub fn rotate_to(&self, key: SigningKey) {
        self.tenant().add_key(key);
    }

    /// Withdraws every key but the one that signs. Tokens of the others are refused as soon as a
    /// verifier fetches the key set anew.
    pub fn withdraw_old_keys(&self) {
        self.tenant().withdraw_old_keys();
    }

    /// Withdraws one key. If it is the one that signs, the one before it signs again.
    ///
    /// # Errors
    /// No such key is published, or no other one.
    pub fn withdraw_key(&self, id: &str) -> Result<(), LocalError> {
        Ok(self.tenant().withdraw_key(id)?)
    }

    /// Lets it answer for as long as the tokio runtime runs, and gives up the means to stop it.
    pub fn detach(self) {
        // A server that has stopped already has nobody to tell.
        let _ = self.detach.send(());
    }
}
