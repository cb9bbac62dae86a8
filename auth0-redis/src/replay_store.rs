//! A store of used proofs in Redis, which all instances of a service share.
use crate::{
    address,
    connection::{DEFAULT_TIME_LIMIT, Patience, RedisConnection, TIME_LIMITS},
    once::use_once,
};
use auth0_core::{
    BoxFuture, ConfigError,
    dpop::{InMemoryReplayStore, Insertion, ReplayEntry, ReplayStore, ReplayStoreError},
};
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Enough for 300 requests in a second, with proofs that are valid for 330 s.
const PROCESS_CAPACITY: usize = 100_000;

const DEFAULT_PREFIX: &str = "auth0:dpop:";

/// Remembers used proofs in Redis: one round trip (`SET … NX PX`) for each proof. All requests share one
/// connection on its own thread, which is opened when it is first needed, and reopened when it breaks.
///
/// A key is a prefix and a hash, and its value is random. Redis removes it when the proof has expired, and
/// must not remove it before:
/// - Configure Redis to evict nothing (`maxmemory-policy noeviction`, its default).
/// - Proofs that Redis loses, in a restart without persistence or in a failover to a replica that was behind,
///   can be used again until they expire.
/// - The URL must be that of one server, the primary. A node of a Redis Cluster accepts only a part of the
///   keys.
///
/// The user of the URL needs the commands `SET` and `GET`.
///
/// ```
/// use auth0_core::{Auth0, Dpop};
/// use auth0_redis::RedisReplayStore;
///
/// let store = RedisReplayStore::new("rediss://user:secret@redis.acme.internal:6380/")?;
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audience("https://api.acme.com")
///     .dpop(Dpop::required().replay_store(store))
///     .build()?;
/// # let _ = auth;
///
/// assert!(RedisReplayStore::new("redis.acme.internal").is_err(), "without a scheme");
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[must_use]
pub struct RedisReplayStore {
    link: RedisConnection,
    prefix: String,
    time_limit: Duration,
    /// The proofs of this process, if it continues without Redis.
    memory: Option<InMemoryReplayStore>,
    is_unreachable: AtomicBool,
}

/// The handling of proofs while Redis cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnreachable {
    /// Refuses them with `503`, so that no proof is used twice. The default.
    #[default]
    Refuse,
    /// Accepts a proof that this process has not seen, and logs a warning. Without Redis, a proof can be used
    /// once on each instance. Each instance remembers up to 100,000 proofs; further ones get `503`.
    RememberInProcess,
}

impl RedisReplayStore {
    /// Creates a store at `redis://[user[:password]@]host[:port][/database]`, or at `rediss://…` for TLS
    /// with the system's certificates (or those of the variable `SSL_CERT_FILE`), or at `unix:///path` for
    /// a socket on this machine. It connects with the first proof.
    ///
    /// For `rediss://`, rustls needs a crypto provider: the process's default, or the only one that was
    /// compiled in.
    ///
    /// # Errors
    /// The URL is not valid, or disables the check of certificates (`#insecure`).
    pub fn new(url: impl AsRef<str>) -> Result<Self, ConfigError> {
        Ok(Self {
            link: RedisConnection::new(address::client(url.as_ref(), "replay store")?),
            prefix: DEFAULT_PREFIX.into(),
            time_limit: DEFAULT_TIME_LIMIT,
            memory: None,
            is_unreachable: AtomicBool::new(false),
        })
    }

    /// Sets the prefix of the keys: `auth0:dpop:` by default. APIs that share a Redis should use different
    /// prefixes.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Limits how long a request waits for Redis, including the time to connect: 250 ms by default, 1 ms to
    /// 10 s.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.clamp(TIME_LIMITS.0, TIME_LIMITS.1);
        self
    }

    /// Sets how proofs are handled while Redis cannot be reached: [`OnUnreachable::Refuse`] by default.
    pub fn on_unreachable(mut self, choice: OnUnreachable) -> Self {
        self.memory = match choice {
            OnUnreachable::Refuse => None,
            OnUnreachable::RememberInProcess => Some(InMemoryReplayStore::new(PROCESS_CAPACITY)),
        };
        self
    }

    async fn insert(&self, entry: ReplayEntry) -> Result<Insertion, ReplayStoreError> {
        // Recorded also while Redis works: a proof that was accepted without Redis must not be accepted again
        // when Redis is back, nor one that was accepted with Redis while it cannot be reached.
        let in_process = self.memory.as_ref().map(|memory| memory.remember(entry));
        if let Some(Ok(Insertion::Seen)) = in_process {
            return Ok(Insertion::Seen);
        }
        let error = match self.ask(entry).await {
            Ok(insertion) => {
                if self.is_unreachable.swap(false, Ordering::Relaxed) {
                    tracing::info!(target: "auth0", "the replay store is back");
                }
                return Ok(insertion);
            }
            Err(error) => error,
        };
        let is_first = !self.is_unreachable.swap(true, Ordering::Relaxed);
        match in_process {
            Some(insertion) => {
                if is_first {
                    tracing::warn!(
                        target: "auth0", cause = error,
                        "the replay store cannot be reached: used DPoP proofs are remembered in this \
                         process only"
                    );
                }
                insertion
            }
            None => {
                if is_first {
                    tracing::error!(
                        target: "auth0", cause = error,
                        "the replay store cannot be reached: requests with a DPoP proof get 503"
                    );
                }
                Err(ReplayStoreError::new(error))
            }
        }
    }

    async fn ask(&self, entry: ReplayEntry) -> Result<Insertion, String> {
        let can_do_without = self.memory.is_some() && self.is_unreachable.load(Ordering::Relaxed);
        let patience =
            Patience { waits_for_connection: !can_do_without, ..Patience::of(self.time_limit) };
        let key = format!("{}{}", self.prefix, entry.id);
        match use_once(&self.link, &key, entry.lifetime(), patience).await? {
            true => Ok(Insertion::New),
            false => Ok(Insertion::Seen),
        }
    }
}

impl ReplayStore for RedisReplayStore {
    fn insert(&self, entry: ReplayEntry) -> BoxFuture<'_, Result<Insertion, ReplayStoreError>> {
        Box::pin(self.insert(entry))
    }
}

/// Omits the URL, which may contain a password.
impl fmt::Debug for RedisReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisReplayStore")
            .field("prefix", &self.prefix)
            .field("time_limit", &self.time_limit)
            .field("remembers_in_process", &self.memory.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_omits_the_url() {
        let store = RedisReplayStore::new("rediss://app:secret@host:6380/2").unwrap();
        let store = store.time_limit(Duration::ZERO).prefix("acme:");
        assert_eq!(
            format!("{store:?}"),
            r#"RedisReplayStore { prefix: "acme:", time_limit: 1ms, remembers_in_process: false, .. }"#
        );
    }
}
