//! The state of a running tenant, shared by its handle and its HTTP endpoints.
use crate::{
    directory::{Client, ConnectedAccount, Directory, Quota, User},
    endpoint::Endpoint,
    error::LocalError,
    events::EventHub,
    fault::{Fault, FaultChanges, FaultKind, Faults},
    mfa_answer::MfaAnswer,
    mtls_edge::MtlsEdge,
    proofs::Proofs,
    recent::RecentRequests,
    secret::Names,
    stats::Stats,
    store::{LoginAnswer, Logins, NextLogin, Store, VaultAccount},
    token_requests::{TokenRequest, TokenRequests},
};
use auth0_core::Algorithm;
use auth0_core::time::Clock;
use auth0_testing::{SigningKey, Tenant};
use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task};

/// A running tenant: its keys, faults and counters, and the signal that it stops. Clones share the
/// state.
#[derive(Clone, Debug)]
pub(crate) struct RunningTenant(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tenant: Tenant,
    /// Verifies the DPoP proofs of clients.
    proofs: Proofs,
    settings: Settings,
    /// The source of random numbers for faults.
    random: RandomState,
    control: Mutex<Control>,
    directory: Mutex<Directory>,
    logins: Mutex<Logins>,
    store: Mutex<Store>,
    token_requests: Mutex<TokenRequests>,
    recent: Mutex<RecentRequests>,
    names: Names,
    events: Arc<EventHub>,
    /// Closed when the tenant stops.
    running: watch::Receiver<()>,
}

/// What does not change while the tenant runs.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Whether clients that are not registered may log in.
    pub(crate) open_clients: bool,
    pub(crate) dynamic_registration: bool,
    /// Whether a page asks which user logs in.
    pub(crate) interactive: bool,
    pub(crate) rotates_refresh_tokens: bool,
    /// How long a replaced refresh token can still be used.
    pub(crate) reuse_interval: Duration,
    /// What a grant answers that needs a second factor.
    pub(crate) mfa_answer: MfaAnswer,
    /// Whether requests that wait for a user are approved at once.
    pub(crate) approves_at_once: bool,
    /// Whether `resource` is read in the grant `client_credentials`, too.
    pub(crate) resource_for_machines: bool,
    /// The edge that ends TLS connections of clients with certificates.
    pub(crate) mtls: Option<MtlsEdge>,
    /// The most connections to the Events API at a time.
    pub(crate) event_connections: usize,
    /// The interval of heartbeats on these.
    pub(crate) event_heartbeat: Duration,
    /// The quotas of organizations, by their ids.
    pub(crate) organization_quotas: BTreeMap<String, Quota>,
}

/// What the drill commands change and read.
#[derive(Debug, Default)]
struct Control {
    faults: Faults,
    stats: Stats,
    /// The number of random numbers drawn so far.
    draws: u64,
}

impl RunningTenant {
    pub(crate) fn new(
        tenant: Tenant,
        proofs: Proofs,
        settings: Settings,
        directory: Directory,
        running: watch::Receiver<()>,
    ) -> Result<Self, LocalError> {
        Ok(Self(Arc::new(Inner {
            tenant,
            proofs,
            settings,
            random: RandomState::new(),
            control: Mutex::default(),
            directory: Mutex::new(directory),
            logins: Mutex::default(),
            store: Mutex::new(Store::new()?),
            token_requests: Mutex::default(),
            recent: Mutex::default(),
            names: Names::new()?,
            events: Arc::new(EventHub::new()?),
            running,
        })))
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    pub(crate) fn proofs(&self) -> &Proofs {
        &self.0.proofs
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn events(&self) -> &Arc<EventHub> {
        &self.0.events
    }

    pub(crate) fn names(&self) -> &Names {
        &self.0.names
    }

    /// Returns the time since 1970 on the tenant's clock.
    pub(crate) fn now(&self) -> Duration {
        self.tenant().clock().unix_time()
    }

    /// Locks the users, clients and APIs. No other lock is taken under it.
    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        self.0.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks codes, tokens and sessions. No other lock is taken under it.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether a client can request tokens for an API: also for the tenant's own ones.
    pub(crate) fn offers(&self, identifier: &str, client: &Client) -> bool {
        self.is_mfa_api(identifier)
            || identifier == self.management_api()
            || identifier == self.my_account_api()
            || self.directory().offers(identifier, client)
    }

    /// Returns the identifier of the Management API.
    pub(crate) fn management_api(&self) -> String {
        format!("{}api/v2/", self.tenant().issuer())
    }

    /// Returns the identifier of the My Account API.
    pub(crate) fn my_account_api(&self) -> String {
        format!("{}me/", self.tenant().issuer())
    }

    pub(crate) fn is_mfa_api(&self, identifier: &str) -> bool {
        identifier.strip_prefix(self.tenant().issuer()) == Some("mfa/")
    }

    /// Returns the user who logs in by default. There is none after all users were deleted.
    pub(crate) fn default_user(&self) -> Option<Arc<User>> {
        let chosen = self.logins().user.clone();
        let directory = self.directory();
        let user = chosen.and_then(|subject| directory.user(&subject));
        user.or_else(|| directory.first_user())
    }

    /// Returns the user with this `sub`. A tenant without users has one.
    pub(crate) fn user(&self, subject: &str) -> Option<Arc<User>> {
        let known = self.directory().user(subject);
        known.or_else(|| self.default_user().filter(|user| user.subject() == subject))
    }

    pub(crate) fn answer_logins_as(&self, subject: &str) -> Result<(), LocalError> {
        self.check_user(subject)?;
        self.logins().user = Some(subject.to_owned());
        Ok(())
    }

    pub(crate) fn answer_next_login(&self, answer: LoginAnswer) -> Result<(), LocalError> {
        if let NextLogin::User(subject) = &answer.0 {
            self.check_user(subject)?;
        }
        match self.logins().add(answer.0) {
            true => Ok(()),
            false => Err(LocalError::new("too many answers wait for a login. Log in first")),
        }
    }

    /// Adds an account at another provider to a user.
    pub(crate) fn connect_account(
        &self,
        subject: &str,
        account: ConnectedAccount,
    ) -> Result<(), LocalError> {
        self.check_user(subject)?;
        self.change_user(subject, |user| user.account(account))
    }

    /// Removes the accounts of a connection, or one of them. Returns how many there were.
    pub(crate) fn disconnect_account(
        &self,
        subject: &str,
        connection: &str,
        login_hint: Option<&str>,
    ) -> Result<usize, LocalError> {
        self.check_user(subject)?;
        let mut removed = 0;
        self.change_user(subject, |mut user| {
            removed = user.remove_accounts(connection, login_hint);
            user
        })?;
        Ok(removed)
    }

    /// Replaces a user. The tenant's own user is in the directory from then on.
    pub(crate) fn change_user(
        &self,
        subject: &str,
        change: impl FnOnce(User) -> User,
    ) -> Result<(), LocalError> {
        let default = self.default_user();
        let mut directory = self.directory();
        let user = directory.user(subject).or(default).ok_or_else(|| no_user(subject))?;
        directory.replace_user(change(User::clone(&user)))
    }

    /// Returns whose token this is, if it is one of a connected account and still valid.
    pub(crate) fn vault_account_of(&self, token: &str) -> Option<VaultAccount> {
        let now = self.now();
        self.store().vault_tokens.account(token, now).cloned()
    }

    /// Takes the answer to a login, if there is one.
    pub(crate) fn take_answer(&self, is_silent: bool) -> Option<NextLogin> {
        self.logins().take(is_silent)
    }

    pub(crate) fn check_user(&self, subject: &str) -> Result<(), LocalError> {
        match self.user(subject) {
            Some(_) => Ok(()),
            None => Err(no_user(subject)),
        }
    }

    fn logins(&self) -> MutexGuard<'_, Logins> {
        self.0.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Generates a key and rotates to it. Returns the id of the key. A thread for blocking work
    /// generates it, so that other tasks are not delayed.
    pub(crate) async fn rotate(&self) -> Result<String, LocalError> {
        let key = task::spawn_blocking(|| SigningKey::generate(Algorithm::RS256)).await.map_err(
            |_| LocalError::new("the runtime shut down while a key was being generated"),
        )??;
        let id = key.id().to_owned();
        self.tenant().add_key(key);
        Ok(id)
    }

    pub(crate) fn set_fault(&self, endpoint: Endpoint, fault: Fault) {
        self.control().faults.set(endpoint, fault);
    }

    pub(crate) fn change_faults(&self, changes: &FaultChanges) -> Result<Faults, LocalError> {
        let mut control = self.control();
        changes.apply_to(&mut control.faults)?;
        Ok(control.faults.clone())
    }

    pub(crate) fn clear_faults(&self) -> Faults {
        let mut control = self.control();
        control.faults = Faults::default();
        control.faults.clone()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.control().stats
    }

    /// Counts a request to an endpoint. Returns the fault that it meets, if any.
    pub(crate) fn count_request(&self, endpoint: Endpoint) -> Option<FaultKind> {
        let mut control = self.control();
        control.draws += 1;
        let chance = unit_interval(self.0.random.hash_one(control.draws));
        let fault = control.faults.meet(endpoint, chance);
        let requests = control.stats.requests_mut(endpoint);
        let counter = if fault.is_some() { &mut requests.faulted } else { &mut requests.served };
        *counter += 1;
        fault
    }

    /// Records a request to the token endpoint.
    pub(crate) fn record_token_request(&self, known: Option<&'static str>, request: TokenRequest) {
        let requests = self.0.token_requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).add(known, request);
    }

    pub(crate) fn token_requests(&self) -> TokenRequests {
        let requests = self.0.token_requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Locks the last requests. No other lock is taken under it.
    pub(crate) fn recent(&self) -> MutexGuard<'_, RecentRequests> {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count_redirect(&self) {
        self.control().stats.redirect_target += 1;
    }

    /// Waits until the tenant stops.
    pub(crate) async fn stopped(&self) {
        let mut running = self.0.running.clone();
        while running.changed().await.is_ok() {}
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.0.running.has_changed().is_err()
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.0.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_user(subject: &str) -> LocalError {
    LocalError::new(format!(
        "the tenant has no user {subject:?}. Add the user first, or write the user_id of another one"
    ))
}

/// Maps random bits to a number from 0 to just below 1: the 53 bits of a float's precision, as a
/// fraction.
#[allow(clippy::cast_precision_loss, reason = "both numbers have 53 bits and are exact")]
fn unit_interval(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
