//! The local tenant as the library offers it.
mod administration;
mod builder;
mod events;
mod logout;
mod messages;
mod mfa;
mod pending;

use crate::{
    directory::{Client, ConnectedAccount, User},
    endpoint::Endpoint,
    error::LocalError,
    fault::Fault,
    running::RunningTenant,
    stats::Stats,
    store::{LoginAnswer, VaultAccount},
    token_requests::TokenRequests,
};
use auth0_testing::{SigningKey, Tenant, TokenBuilder};
use std::net::SocketAddr;
use tokio::sync::oneshot;

pub use builder::{Builder, DEFAULT_AUDIENCE};
pub use events::Events;

/// A tenant that serves a port of this machine, by default of loopback, until it is dropped.
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
    running: RunningTenant,
    address: SocketAddr,
    /// Sent: continue without the handle. Dropped: stop.
    detach: oneshot::Sender<()>,
}

impl LocalTenant {
    /// Starts a tenant on a free port with a new key, for the API [`DEFAULT_AUDIENCE`].
    ///
    /// [`DEFAULT_AUDIENCE`]: crate::DEFAULT_AUDIENCE
    ///
    /// # Errors
    /// See [`Builder::start`].
    pub async fn start() -> Result<Self, LocalError> {
        Self::builder().start().await
    }

    /// Begins the configuration of a tenant.
    pub fn builder() -> Builder {
        Builder::new()
    }

    fn new(running: RunningTenant, address: SocketAddr, detach: oneshot::Sender<()>) -> Self {
        Self { running, address, detach }
    }

    /// Returns the address that the tenant listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the issuer with its port: the value for `AUTH0_ISSUER`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.tenant().issuer()
    }

    /// Returns the identifier of the API that tokens are for by default: the value for
    /// `AUTH0_AUDIENCE`.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.tenant().audience()
    }

    /// Returns the tenant of the test kit behind this one, with its keys and its clock.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        self.running.tenant()
    }

    /// Begins a token of a user, which is valid for this tenant's API for a day.
    pub fn token(&self) -> TokenBuilder {
        self.tenant().token()
    }

    /// Adds a user, or replaces the user with the same `sub`. Adds the event `user.created` or `user.updated`.
    ///
    /// # Errors
    /// A value is invalid.
    pub fn add_user(&self, user: User) -> Result<(), LocalError> {
        self.running.add_user(user)
    }

    /// Registers a client, or replaces the client with the same id: for an application whose port is known
    /// after the tenant started.
    ///
    /// # Errors
    /// A value is invalid.
    pub fn add_client(&self, client: Client) -> Result<(), LocalError> {
        self.running.directory().add_client(client)
    }

    /// Adds an account at another provider to a user, as the user does with Connected Accounts. It replaces the one
    /// with the same connection and `login_hint`.
    ///
    /// # Errors
    /// The tenant has no user with this `sub`, or a value is invalid.
    pub fn connect_account(&self, user: &str, account: ConnectedAccount) -> Result<(), LocalError> {
        self.running.connect_account(user, account)
    }

    /// Removes the accounts of a connection from a user, or the one with this hint. Tokens that were issued stay
    /// valid. Returns how many accounts there were.
    ///
    /// # Errors
    /// The tenant has no user with this `sub`.
    pub fn disconnect_account(
        &self,
        user: &str,
        connection: &str,
        login_hint: Option<&str>,
    ) -> Result<usize, LocalError> {
        self.running.disconnect_account(user, connection, login_hint)
    }

    /// Returns whose token this is, if Token Vault issued it and it is still valid: what the other provider knows.
    #[must_use]
    pub fn vault_account_of(&self, token: &str) -> Option<VaultAccount> {
        self.running.vault_account_of(token)
    }

    /// Sets the user that logs in by default. A session of another user stays.
    ///
    /// # Errors
    /// The tenant has no user with this `sub`.
    pub fn answer_logins_as(&self, subject: &str) -> Result<(), LocalError> {
        self.running.answer_logins_as(subject)
    }

    /// Sets the answer to the next login, whatever the session. Answers that wait are used in order.
    ///
    /// ```
    /// use auth0_local::{LocalTenant, LoginAnswer, User};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let tenant = LocalTenant::builder().user(User::new("auth0|ann")).start().await?;
    /// tenant.answer_next_login(LoginAnswer::denied())?;
    /// assert!(tenant.answer_next_login(LoginAnswer::user("auth0|bob")).is_err(), "no such user");
    /// # Ok::<(), auth0_local::LocalError>(())
    /// # }).unwrap()
    /// ```
    ///
    /// # Errors
    /// The tenant has no such user, or a hundred answers wait.
    pub fn answer_next_login(&self, answer: LoginAnswer) -> Result<(), LocalError> {
        self.running.answer_next_login(answer)
    }

    /// Sets the fault of an endpoint, or of a document, for all later HTTP requests.
    pub fn set_fault(&self, endpoint: impl Into<Endpoint>, fault: Fault) {
        self.running.set_fault(endpoint.into(), fault);
    }

    /// Clears the faults of all endpoints.
    pub fn clear_faults(&self) {
        self.running.clear_faults();
    }

    /// Returns the counts of HTTP requests since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.running.stats()
    }

    /// Returns the requests to `/oauth/token` since the start.
    #[must_use]
    pub fn token_requests(&self) -> TokenRequests {
        self.running.token_requests()
    }

    /// Rotates to a new RSA key, which signs from now on. The old keys stay published. Returns the
    /// id of the new key.
    ///
    /// Generating the key takes a good part of a second of computing, on a thread for blocking
    /// work. A test that rotates repeatedly can generate keys in advance and call
    /// [`rotate_to`](Self::rotate_to).
    ///
    /// # Errors
    /// The system has no randomness, or the tokio runtime shuts down.
    pub async fn rotate_keys(&self) -> Result<String, LocalError> {
        self.running.rotate().await
    }

    /// Rotates to an existing key, for example from [`SigningKey::generate`]. A key that is already
    /// published signs again.
    pub fn rotate_to(&self, key: SigningKey) {
        self.tenant().add_key(key);
    }

    /// Withdraws every key except the signing key. A verifier refuses the tokens of the others as
    /// soon as it fetches the key set again.
    pub fn withdraw_old_keys(&self) {
        self.tenant().withdraw_old_keys();
    }

    /// Withdraws one key. If it is the signing key, the previous one signs again.
    ///
    /// # Errors
    /// No such key is published, or it is the only one.
    pub fn withdraw_key(&self, id: &str) -> Result<(), LocalError> {
        Ok(self.tenant().withdraw_key(id)?)
    }

    /// Keeps the tenant running for as long as the tokio runtime runs. It can no longer be stopped.
    pub fn detach(self) {
        // Sending fails only if the server has already stopped.
        let _ = self.detach.send(());
    }
}
