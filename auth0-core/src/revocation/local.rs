//! The revocations of a service, in the memory of this process.
use super::{
    announcement::Announcement,
    check::seconds,
    entry::RevocationEntry,
    expiry::ExpiryClock,
    key::RevocationKey,
    revocation_error::RevocationError,
    store::{RevocationStore, UsedId},
    sync::Sync,
    table::{Inserted, Table},
    target::{Revocation, When},
    used::UsedIds,
    verifiers::Verifiers,
};
use crate::{
    runtime::{Clock, Moment, SystemClock},
    telemetry::{EscapedMessage, metrics},
};
use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// The longest life of an access token that Auth0 permits.
const DEFAULT_MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Revocations for a shorter life would be removed while tokens that they concern are good.
const SHORTEST_MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(60);

/// They take at most 53 MB.
const DEFAULT_CAPACITY: usize = 1_000_000;
/// They take at most 3.3 GB. A larger number is a mistake.
const LARGEST_CAPACITY: usize = 64_000_000;

const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(1);
/// A shorter delay would need a faster store than one in the network.
const SHORTEST_MAX_DELAY: Duration = Duration::from_millis(200);
const LONGEST_MAX_DELAY: Duration = Duration::from_secs(60 * 60);

/// Clocks of instances, and of issuers, differ by less.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

/// The revocations of a service. Clones are handles of the same.
///
/// The example at [the module](crate::revocation) shows its use.
#[derive(Clone)]
pub struct Revocations(pub(super) Arc<Shared>);

/// A handle that does not keep them.
#[derive(Clone, Debug)]
pub(crate) struct WeakRevocations(Weak<Shared>);

impl WeakRevocations {
    pub(crate) fn upgrade(&self) -> Option<Revocations> {
        self.0.upgrade().map(Revocations)
    }
}

pub(super) struct Shared {
    table: Table,
    used: UsedIds,
    expiry: ExpiryClock,
    verifiers: Verifiers,
    clock: OnceLock<Arc<dyn Clock>>,
    /// The clock before there is a verifier.
    first_clock: Arc<dyn Clock>,
    pub(super) sync: Option<Sync>,
    announcement: Arc<Announcement>,
    settings: Settings,
    /// The life of what is no access token and may live longer, in seconds: sessions.
    session_lifetime: AtomicU64,
    has_reported_lifetime: AtomicBool,
    has_reported_room: AtomicBool,
}

#[derive(Clone, Copy)]
struct Settings {
    max_token_lifetime: Duration,
    capacity: usize,
    max_delay: Duration,
    on_unavailable: OnUnavailable,
}

/// What happens while the store of revocations cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnavailable {
    /// Requests get `503` (`revocations_unavailable`), because a token may have been revoked. The default.
    #[default]
    Refuse,
    /// Requests are checked against the revocations that are known, and the log has a warning. A token that was revoked
    /// at another instance is accepted until the store is back.
    Accept,
}

impl Revocations {
    /// Creates revocations in the memory of this process: for a service of one instance. A restart loses them.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(None)
    }

    /// Creates revocations that all instances with this store share. It is read from the first verifier on that has
    /// them.
    #[must_use]
    pub fn with_store(store: impl RevocationStore) -> Self {
        Self::new(Some(Arc::new(store)))
    }

    fn new(store: Option<Arc<dyn RevocationStore>>) -> Self {
        let settings = Settings {
            max_token_lifetime: DEFAULT_MAX_TOKEN_LIFETIME,
            capacity: DEFAULT_CAPACITY,
            max_delay: DEFAULT_MAX_DELAY,
            on_unavailable: OnUnavailable::default(),
        };
        Self::with(settings, store)
    }

    fn with(settings: Settings, store: Option<Arc<dyn RevocationStore>>) -> Self {
        let lasts = settings.max_delay;
        Self(Arc::new(Shared {
            table: Table::new(settings.capacity),
            used: UsedIds::default(),
            expiry: ExpiryClock::default(),
            verifiers: Verifiers::default(),
            clock: OnceLock::new(),
            first_clock: Arc::new(SystemClock::new()),
            sync: store.map(|store| Sync::new(store, lasts)),
            announcement: Arc::default(),
            settings,
            session_lifetime: AtomicU64::new(0),
            has_reported_lifetime: AtomicBool::new(false),
            has_reported_room: AtomicBool::new(false),
        }))
    }

    /// Creates them anew with another setting: before they are used.
    fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.0.settings;
        change(&mut settings);
        Self::with(settings, self.0.sync.as_ref().map(Sync::store))
    }

    /// Sets the longest life of an access token, for which a revocation is kept: 30 days by default, the most that
    /// Auth0 permits (Dashboard > Applications > APIs > Settings > Maximum Access Token Lifetime), and a minute at least.
    /// A shorter one saves memory. The log has an error if a token lives longer. Call it before the verifier is built: it
    /// returns new, empty revocations.
    #[must_use]
    pub fn max_token_lifetime(self, time: Duration) -> Self {
        self.set(|settings| settings.max_token_lifetime = time.max(SHORTEST_MAX_TOKEN_LIFETIME))
    }

    /// Limits the number of revocations: 1,000,000 by default, which take at most 53 MB; 1 to 64,000,000. Further ones
    /// are an error, which the log has as well. Call it before the verifier is built: it returns new, empty revocations.
    #[must_use]
    pub fn capacity(self, revocations: usize) -> Self {
        self.set(|settings| settings.capacity = revocations.clamp(1, LARGEST_CAPACITY))
    }

    /// Limits how old the state of the store may be: 1 s by default, 200 ms to an hour. Then requests get `503`. Call it
    /// before the verifier is built: it returns new, empty revocations.
    #[must_use]
    pub fn max_delay(self, delay: Duration) -> Self {
        self.set(|settings| settings.max_delay = delay.clamp(SHORTEST_MAX_DELAY, LONGEST_MAX_DELAY))
    }

    /// Sets what happens while the store cannot be read: [`OnUnavailable::Refuse`] by default. Call it before the
    /// verifier is built: it returns new, empty revocations.
    #[must_use]
    pub fn on_unavailable(self, choice: OnUnavailable) -> Self {
        self.set(|settings| settings.on_unavailable = choice)
    }

    /// Revokes tokens. When the future is ready, this instance refuses them, and others do within a second.
    ///
    /// # Errors
    /// The issuer is not one, a name is empty, there is no room, or the store cannot be reached. In the last case this instance refuses the
    /// tokens although others do not yet: it goes on to try.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), RevocationError> {
        let now = self.clock().unix_time();
        let verifiers = &self.0.verifiers;
        let key = revocation.key(|issuer| verifiers.issuer(issuer));
        let (key, issuer) = key.map_err(RevocationError::Invalid)?;
        verifiers.check(issuer, &revocation);
        let end = revocation.ends_at.map(|end| end.saturating_add(CLOCK_DIFFERENCE));
        let entry = RevocationEntry {
            key,
            revoked_at: match revocation.at {
                When::Now => seconds(now),
                // The last time that is not "always".
                When::At(time) => seconds(time).min(u32::MAX - 1),
                When::Always => u32::MAX,
            },
            expires_at: seconds(end.unwrap_or_else(|| self.end_of_tokens(now))),
        };
        let kind = revocation.kind.as_str();
        let inserted = self.insert(entry);
        if inserted == Inserted::Full {
            metrics::revocation(kind, "full");
            return Err(RevocationError::Full);
        }
        // What is known is in the store, unless it could not be added.
        if let Some(sync) = &self.0.sync
            && (inserted == Inserted::Changed || sync.is_unsent(&entry))
        {
            sync.append(entry, &**self.clock()).await.inspect_err(|error| {
                metrics::revocation(kind, "unavailable");
                tracing::error!(target: "auth0", kind, %error, "a revocation reached this instance only");
            })?;
        }
        metrics::revocation(kind, "success");
        tracing::info!(target: "auth0", kind, "tokens were revoked");
        Ok(())
    }

    /// Revokes the tokens of a user or machine that were issued up to now: [`Revocation::subject`].
    ///
    /// # Errors
    /// As for [`revoke`](Self::revoke).
    pub async fn revoke_subject(
        &self,
        issuer: impl Into<String>,
        subject: impl Into<String>,
    ) -> Result<(), RevocationError> {
        self.revoke(Revocation::subject(issuer, subject)).await
    }

    /// Returns the number of revocations in memory.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.table.len()
    }

    /// Records the use of something that may be used once. Returns whether it is the first.
    pub(crate) async fn use_once(&self, used: UsedId) -> Result<bool, RevocationError> {
        if let Some(sync) = &self.0.sync {
            return sync.use_once(used, &**self.clock()).await;
        }
        let now = self.clock().monotonic();
        self.0.used.insert(used.id, now, used.lifetime).ok_or(RevocationError::Full)
    }

    /// Notes how long a verified token lives: it may be accepted again after the end of its revocation.
    pub(crate) fn note_lifetime(&self, issued_at: Option<Duration>, expires_at: Duration) {
        let max = self.0.settings.max_token_lifetime;
        let Some(lifetime) = issued_at.map(|issued_at| expires_at.saturating_sub(issued_at)) else {
            return;
        };
        if lifetime > max && !self.0.has_reported_lifetime.swap(true, Ordering::Relaxed) {
            tracing::error!(
                target: "auth0", lifetime_s = lifetime.as_secs(), max_token_lifetime_s = max.as_secs(),
                "a token lives longer than Revocations::max_token_lifetime: after that time it is accepted although it \
                 was revoked. Set max_token_lifetime to the longest life of a token (Dashboard > Applications > APIs > \
                 Settings > Maximum Access Token Lifetime)"
            );
        }
    }

    pub(crate) fn downgrade(&self) -> WeakRevocations {
        WeakRevocations(Arc::downgrade(&self.0))
    }

    /// Notes a verifier with these revocations: its issuers, whether their tokens name the session, and whether it has a
    /// resolver of others. Starts to read the store, on the clock of the first verifier.
    pub(crate) fn start<'a>(
        &self,
        clock: &Arc<dyn Clock>,
        issuers: impl Iterator<Item = (&'a str, bool)>,
        has_resolver: bool,
    ) {
        self.0.verifiers.add(issuers, has_resolver);
        let mut is_first = false;
        self.0.clock.get_or_init(|| {
            is_first = true;
            Arc::clone(clock)
        });
        if is_first && let Some(sync) = &self.0.sync {
            sync.start(self);
        }
    }

    /// Returns whether the store has answered a moment ago. Without one the state is always current.
    pub(crate) fn is_current(&self, now: Moment) -> bool {
        self.0
            .sync
            .as_ref()
            .is_none_or(|sync| sync.is_current(now) || (self.accepts_old() && sync.is_unreadable()))
    }

    /// Waits until the state is current. Returns `false` if the store fails, and old state is not accepted.
    pub(crate) async fn current(&self) -> bool {
        let Some(sync) = &self.0.sync else { return true };
        if sync.current(self.clock()).await {
            return true;
        }
        let accepts_old = self.accepts_old();
        if accepts_old && sync.take_lateness() {
            self.report_unreadable("it has not answered in time");
        }
        accepts_old
    }

    /// Waits until the store was read completely for the first time. Returns `false` if it fails or takes longer, and old
    /// state is not accepted.
    pub(crate) async fn read_within(&self, limit: Duration) -> bool {
        match &self.0.sync {
            Some(sync) => sync.current_within(limit, self.clock()).await || self.accepts_old(),
            None => true,
        }
    }

    pub(crate) fn accepts_old(&self) -> bool {
        self.0.settings.on_unavailable == OnUnavailable::Accept
    }

    pub(super) fn table(&self) -> &Table {
        &self.0.table
    }

    pub(super) fn insert(&self, entry: RevocationEntry) -> Inserted {
        let inserted = self.0.table.insert(entry, self.time_of_expiry());
        match inserted {
            Inserted::Changed => {
                let count = self.count();
                metrics::revocations(count);
                self.report_room(count);
                self.0.announcement.announce(&**self.clock());
            }
            Inserted::Known => {}
            Inserted::Full => tracing::error!(
                target: "auth0", capacity = self.0.settings.capacity,
                "there is no room for another revocation: raise Revocations::capacity, or lower \
                 Revocations::max_token_lifetime"
            ),
        }
        inserted
    }

    /// Warns once when there is little room.
    fn report_room(&self, count: usize) {
        let capacity = self.0.settings.capacity;
        let is_little = count.saturating_mul(5) >= capacity.saturating_mul(4);
        if is_little && !self.0.has_reported_room.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "auth0", count, capacity,
                "there is little room for further revocations, and without room requests get 503 or revocations fail: \
                 raise Revocations::capacity, or lower Revocations::max_token_lifetime"
            );
        }
    }

    /// Returns what is woken by a change.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        self.0.announcement.changed()
    }

    /// Returns the keys of all revocations that are not over.
    pub(super) fn keys(&self) -> HashSet<RevocationKey> {
        self.0.table.keys(self.time_of_expiry())
    }

    fn time_of_expiry(&self) -> u32 {
        let now = self.clock().moment();
        seconds(self.0.expiry.now(now.unix_time, now.monotonic))
    }

    pub(super) fn report_unreadable(&self, cause: &str) {
        let cause = EscapedMessage(cause);
        match self.accepts_old() {
            false => tracing::error!(
                target: "auth0", %cause,
                "the store of revocations cannot be read: requests get 503 until it can"
            ),
            true => tracing::warn!(
                target: "auth0", %cause,
                "the store of revocations cannot be read: tokens that are revoked at other instances are accepted"
            ),
        }
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        self.0.clock.get().unwrap_or(&self.0.first_clock)
    }

    pub(crate) fn are_stored(&self) -> bool {
        self.0.sync.is_some()
    }

    /// Keeps revocations for as long as a session lasts, also if tokens live shorter.
    pub(crate) fn keep_for_sessions(&self, lifetime: Duration) {
        self.0.session_lifetime.fetch_max(lifetime.as_secs(), Ordering::Relaxed);
    }

    /// Returns when the last token, or session, ends that is issued now.
    fn end_of_tokens(&self, now: Duration) -> Duration {
        let sessions = Duration::from_secs(self.0.session_lifetime.load(Ordering::Relaxed));
        let longest = self.0.settings.max_token_lifetime.max(sessions);
        now.saturating_add(longest).saturating_add(CLOCK_DIFFERENCE)
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("count", &self.count())
            .field("has_store", &self.0.sync.is_some())
            .finish_non_exhaustive()
    }
}
