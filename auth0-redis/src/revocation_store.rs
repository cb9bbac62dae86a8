//! A store of revocations in Redis, which all instances of a service share.
use crate::{
    address,
    connection::{DEFAULT_TIME_LIMIT, Patience, RedisConnection, TIME_LIMITS, lock, unexpected},
    once::use_once,
    revocation_log::{self as log, APPENDED_AT_ONCE, EntryId, Page},
};
use auth0_core::{
    BoxFuture, ConfigError,
    revocation::{Changes, RevocationEntry, RevocationStore, RevocationStoreError, UsedId},
};
use redis::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
    sync::Mutex,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const DEFAULT_PREFIX: &str = "auth0:revocations:";

/// How many additions are looked for in the next read. There are more only if the log is not read.
const LOOKED_FOR: usize = 10_000;

/// Keeps revocations in Redis: a stream, to which an instance adds, and which every instance reads on a connection of
/// its own. A revocation arrives at the other instances at once.
///
/// - Every read also asks whether the log still has what was read last. If Redis has lost it, in a restart without
///   persistence or in a failover to a replica that was behind, each instance adds again what it knows. If only what an
///   instance has added a moment ago is lost, it adds that again, and reads nothing anew.
/// - A replica is refused, because it may be behind: the URL must be that of one server, the primary, which is not a
///   node of a Redis Cluster.
/// - Redis removes an entry with an addition after its end. Configure it to evict nothing (`maxmemory-policy noeviction`,
///   its default).
///
/// The user of the URL needs the commands `EVAL`, `GET`, `SET`, `TIME`, `XADD`, `XDEL`, `XRANGE`, `XREAD`, `XREVRANGE`
/// and `XTRIM`, for the keys that begin with the prefix. Redis 7 is tested.
///
/// ```
/// use auth0_core::{Auth0, revocation::Revocations};
/// use auth0_redis::RedisRevocationStore;
///
/// let store = RedisRevocationStore::new("rediss://user:secret@redis.acme.internal:6380/")?;
/// let revocations = Revocations::with_store(store);
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audience("https://api.acme.com")
///     .revocations(&revocations)
///     .build()?;
/// # let _ = auth;
///
/// assert!(RedisRevocationStore::new("redis.acme.internal").is_err(), "without a scheme");
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[must_use]
pub struct RedisRevocationStore {
    link: RedisConnection,
    /// Apart, because a read waits for the next revocation.
    reader: RedisConnection,
    prefix: String,
    time_limit: Duration,
    additions: Mutex<Additions>,
}

/// What this instance has added, and not read since.
#[derive(Default)]
struct Additions {
    /// The position up to which the log was read.
    read: EntryId,
    /// The entries of one addition have the id of the last of them, and their numbers.
    unread: BTreeMap<(EntryId, usize), RevocationEntry>,
}

impl Additions {
    /// Notes entries, unless the reader was faster than their caller.
    fn note(&mut self, last: EntryId, entries: &[RevocationEntry]) {
        if last <= self.read {
            return;
        }
        let numbered = entries.iter().enumerate();
        self.unread.extend(numbered.map(|(number, entry)| ((last, number), *entry)));
        while self.unread.len() > LOOKED_FOR {
            self.unread.pop_first();
        }
    }

    /// Returns the ids of what was not read.
    fn ids(&self) -> BTreeSet<EntryId> {
        self.unread.keys().map(|(id, _)| *id).collect()
    }

    fn read(&mut self, page: &Page, position: EntryId) {
        self.read = position;
        self.unread.retain(|(id, _), _| page.ids.binary_search(id).is_err());
    }

    /// Removes the entries with these ids, and returns them.
    fn take(&mut self, ids: &BTreeSet<EntryId>) -> Vec<RevocationEntry> {
        let mut taken = Vec::new();
        self.unread.retain(|(id, _), entry| {
            let is_taken = ids.contains(id);
            if is_taken {
                taken.push(*entry);
            }
            !is_taken
        });
        taken
    }
}

impl RedisRevocationStore {
    /// Creates a store at a URL, which is that of [`RedisReplayStore::new`](crate::RedisReplayStore::new). It connects
    /// when it is first used.
    ///
    /// # Errors
    /// The URL is not valid, or disables the check of certificates (`#insecure`).
    pub fn new(url: impl AsRef<str>) -> Result<Self, ConfigError> {
        let link = RedisConnection::new(address::client(url.as_ref(), "store of revocations")?);
        Ok(Self {
            reader: link.another(),
            link,
            prefix: DEFAULT_PREFIX.into(),
            time_limit: DEFAULT_TIME_LIMIT,
            additions: Mutex::default(),
        })
    }

    /// Sets the prefix of the keys: `auth0:revocations:` by default. Services that share a Redis, and not their
    /// revocations, must use different prefixes.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Limits how long Redis may take for an answer, including the time to connect: 250 ms by default, 1 ms to 10 s. A
    /// connection that gives no answer is replaced after this time, so it should be shorter than
    /// [`Revocations::max_delay`](auth0_core::revocation::Revocations::max_delay).
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.clamp(TIME_LIMITS.0, TIME_LIMITS.1);
        self
    }

    async fn append(&self, entries: &[RevocationEntry]) -> Result<(), String> {
        for part in entries.chunks(APPENDED_AT_ONCE) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let command = log::append(&self.log(), part, now);
            let answer = self.link.ask(command, Patience::of(self.time_limit)).await?.value;
            let last = EntryId::of(&answer).ok_or_else(|| unexpected(&answer))?;
            lock(&self.additions).note(last, part);
        }
        Ok(())
    }

    async fn changes(&self, since: Option<&str>, wait: Duration) -> Result<Changes, String> {
        let Some(since) = since else { return self.read_all().await };
        if let Ok(position) = since.parse()
            && let Some(changes) = self.after(position, wait).await?
        {
            return Ok(changes);
        }
        *lock(&self.additions) = Additions::default();
        let mut changes = self.read_all().await?;
        changes.has_lost = true;
        Ok(changes)
    }

    /// Returns what was added after a position, or none if the log is not the one that was read up to it.
    async fn after(&self, position: EntryId, wait: Duration) -> Result<Option<Changes>, String> {
        let added = lock(&self.additions).ids();
        let page = self.read(position, wait).await?;
        // Asked after the read: the entry that was read last is still there, so nothing was lost in between. A log that
        // was begun anew has no entry with its id, and one that is older has no entry so late.
        let find = log::find(&self.log(), position);
        match self.reader.ask(find, Patience::of(self.time_limit)).await?.value {
            Value::Int(1) => {}
            Value::Int(0) => return Ok(None),
            other => return Err(unexpected(&other)),
        }
        let mut changes = self.accept(&page, position);
        if !changes.has_more {
            // Redis may have lost only the end of the log, before this instance has read it.
            changes.missing = lock(&self.additions).take(&added);
        }
        Ok(Some(changes))
    }

    async fn read_all(&self) -> Result<Changes, String> {
        let begin = log::begin(&self.log());
        match self.reader.ask(begin, Patience::of(self.time_limit)).await?.value {
            Value::Int(1) => {}
            other => return Err(unexpected(&other)),
        }
        let page = self.read(EntryId::default(), Duration::ZERO).await?;
        match page.ids.is_empty() {
            false => Ok(self.accept(&page, EntryId::default())),
            true => Err("the log of revocations was removed while it was read".into()),
        }
    }

    async fn read(&self, after: EntryId, wait: Duration) -> Result<Page, String> {
        let patience = Patience::of(wait.saturating_add(self.time_limit));
        let answer = self.reader.ask(log::read(&self.log(), after, wait), patience).await?.value;
        let page = Page::of(&answer).ok_or_else(|| unexpected(&answer))?;
        if page.unreadable > 0 {
            tracing::warn!(
                target: "auth0", entries = page.unreadable, log = self.log(),
                "the log of revocations has entries that are not revocations: another program, or a later release of \
                 this one, writes to it"
            );
        }
        Ok(page)
    }

    fn accept(&self, page: &Page, before: EntryId) -> Changes {
        let position = page.ids.last().copied().unwrap_or(before);
        lock(&self.additions).read(page, position);
        let mut changes = Changes::new(page.entries.clone(), position.to_string());
        changes.has_more = page.is_full();
        changes
    }

    async fn use_once(&self, used: UsedId) -> Result<bool, String> {
        let mut key = format!("{}used:", self.prefix);
        for byte in used.id {
            let _ = write!(key, "{byte:02x}");
        }
        use_once(&self.link, &key, used.lifetime, Patience::of(self.time_limit)).await
    }

    fn log(&self) -> String {
        format!("{}log", self.prefix)
    }
}

impl RevocationStore for RedisRevocationStore {
    fn append(
        &self,
        entries: Vec<RevocationEntry>,
    ) -> BoxFuture<'_, Result<(), RevocationStoreError>> {
        Box::pin(async move { self.append(&entries).await.map_err(RevocationStoreError::new) })
    }

    fn changes<'a>(
        &'a self,
        since: Option<&'a str>,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Changes, RevocationStoreError>> {
        Box::pin(async move { self.changes(since, wait).await.map_err(RevocationStoreError::new) })
    }

    fn use_once(&self, used: UsedId) -> BoxFuture<'_, Result<bool, RevocationStoreError>> {
        Box::pin(async move { self.use_once(used).await.map_err(RevocationStoreError::new) })
    }
}

/// Omits the URL, which may contain a password.
impl fmt::Debug for RedisRevocationStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRevocationStore")
            .field("prefix", &self.prefix)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}
