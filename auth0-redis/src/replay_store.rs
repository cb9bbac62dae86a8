//! Used proofs in Redis, where all instances of a service see them.
use crate::connection::{Patience, RedisConnection, Reply};
use auth0_core::{
    BoxFuture, ConfigError,
    dpop::{InMemoryReplayStore, Insertion, ReplayEntry, ReplayStore, ReplayStoreError},
};
use aws_lc_rs::rand;
use redis::{Client, Cmd, ConnectionAddr, IntoConnectionInfo, Value, io::tcp::TcpSettings};
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// A Redis in the same network answers in a millisecond. More than this and it is not well.
const DEFAULT_TIME_LIMIT: Duration = Duration::from_millis(250);
const SHORTEST_TIME_LIMIT: Duration = Duration::from_millis(1);
const LONGEST_TIME_LIMIT: Duration = Duration::from_secs(10);

/// An instance whose clock is behind accepts a proof for longer than the one that wrote it down.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

/// Enough for 300 requests in a second, with proofs that are good for 330 s.
const PROCESS_CAPACITY: usize = 100_000;

const DEFAULT_PREFIX: &str = "auth0:dpop:";

/// Remembers used proofs in Redis: one round trip (`SET … NX PX`) over one connection, which is made
/// when it is first needed, shared by all requests, and made anew when it breaks. It lives on a thread
/// of its own.
///
/// A key is a prefix and a hash, and its value says nothing. It goes by itself when its proof has
/// become too old, and must not go before:
/// - Let Redis evict nothing (`maxmemory-policy noeviction`, which is its default).
/// - What Redis forgets when it is restarted without persistence, or when a replica takes over that was
///   behind, can be used again until it is too old.
/// - The URL is that of one server, the primary. Nodes of a Redis Cluster answer for a part of the keys
///   only.
///
/// Its user needs the commands `SET` and `GET`.
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
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[must_use]
pub struct RedisReplayStore {
    link: RedisConnection,
    prefix: String,
    time_limit: Duration,
    /// Proofs of this process, where it goes on without Redis.
    memory: Option<InMemoryReplayStore>,
    is_unreachable: AtomicBool,
}

/// What becomes of a proof that Redis cannot be asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnreachable {
    /// `503`, so that no proof is used twice. The default.
    #[default]
    Refuse,
    /// It is accepted if this process does not know it, and a warning goes to the log: while Redis is
    /// away, a proof can be used once on each instance. There is room for 100,000 in each; what comes
    /// beyond that without Redis gets `503`.
    RememberInProcess,
}

impl RedisReplayStore {
    /// A store at `redis://[user[:password]@]host[:port][/database]`, or at `rediss://…` for TLS with the
    /// system's certificates (or those that the variable `SSL_CERT_FILE` names), or at `unix:///path` for
    /// a socket on this machine. Connects with the first proof.
    ///
    /// For `rediss://`, rustls needs a crypto provider: the process's default, or the only one that was
    /// compiled in.
    ///
    /// # Errors
    /// It is no such URL, or one that asks for TLS without checking (`#insecure`).
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        // Its own words may quote the URL, in which a password may stand.
        let refused = |_| {
            ConfigError::new(
                "the URL of the replay store cannot be used. Write redis://host:6379/, or \
                 rediss://user:password@host:6380/ for TLS",
            )
        };
        let info = url.into_connection_info().map_err(refused)?;
        if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
            return Err(ConfigError::new(
                "the replay store would be used over TLS that anybody can break into. Leave \
                 #insecure out, and name the authority's certificate with SSL_CERT_FILE",
            ));
        }
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        Ok(Self {
            link: RedisConnection::new(Client::open(info).map_err(refused)?),
            prefix: DEFAULT_PREFIX.into(),
            time_limit: DEFAULT_TIME_LIMIT,
            memory: None,
            is_unreachable: AtomicBool::new(false),
        })
    }

    /// What the keys begin with, instead of `auth0:dpop:`. APIs that share a Redis should not share
    /// this.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a request waits for Redis at the most, a connection that has to be made among it: 250 ms
    /// by default, 1 ms to 10 s.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.clamp(SHORTEST_TIME_LIMIT, LONGEST_TIME_LIMIT);
        self
    }

    /// What becomes of proofs while Redis cannot be reached: `503`, unless told otherwise.
    pub fn on_unreachable(mut self, choice: OnUnreachable) -> Self {
        self.memory = match choice {
            OnUnreachable::Refuse => None,
            OnUnreachable::RememberInProcess => Some(InMemoryReplayStore::new(PROCESS_CAPACITY)),
        };
        self
    }

    async fn insert(&self, entry: ReplayEntry) -> Result<Insertion, ReplayStoreError> {
        // Asked in good times, too, so that nothing that was accepted here without Redis is accepted
        // again when it is back, and nothing that was accepted with it while it is away.
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
        let is_news = !self.is_unreachable.swap(true, Ordering::Relaxed);
        match in_process {
            Some(insertion) => {
                if is_news {
                    tracing::warn!(
                        target: "auth0", cause = error,
                        "the replay store cannot be reached: used DPoP proofs are remembered in this \
                         process only"
                    );
                }
                insertion
            }
            None => {
                if is_news {
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
        let patience = Patience {
            deadline: Instant::now() + self.time_limit,
            waits_for_connection: !can_do_without,
        };
        let key = format!("{}{}", self.prefix, entry.id);
        let lifetime = entry.lifetime().saturating_add(CLOCK_DIFFERENCE).as_millis();
        let mut mark = [0; 16];
        rand::fill(&mut mark).map_err(|_| "the system has no randomness")?;

        let mut set = redis::cmd("SET");
        set.arg(&key)
            .arg(&mark)
            .arg("NX")
            .arg("PX")
            .arg(u64::try_from(lifetime).unwrap_or(u64::MAX));
        match self.link.ask(set, patience).await? {
            Reply { value: Value::Okay, .. } => Ok(Insertion::New),
            Reply { value: Value::Nil, is_second: false } => Ok(Insertion::Seen),
            // By whom? The first one may have got through.
            Reply { value: Value::Nil, is_second: true } => {
                let mut get: Cmd = redis::cmd("GET");
                get.arg(&key);
                match self.link.ask(get, patience).await?.value {
                    Value::BulkString(found) if found == mark => Ok(Insertion::New),
                    Value::BulkString(_) => Ok(Insertion::Seen),
                    other => Err(unexpected(&other)),
                }
            }
            Reply { value, .. } => Err(unexpected(&value)),
        }
    }
}

fn unexpected(value: &Value) -> String {
    match value {
        Value::ServerError(error) => error.to_string(),
        _ => "Redis gave an answer that the command does not have".into(),
    }
}

impl ReplayStore for RedisReplayStore {
    fn insert(&self, entry: ReplayEntry) -> BoxFuture<'_, Result<Insertion, ReplayStoreError>> {
        Box::pin(self.insert(entry))
    }
}

/// Not the URL, in which a password may stand.
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
    fn urls_are_checked_and_not_repeated() {
        for url in ["redis://:secret@", "http://:secret@host/", "redis://:secret@host/db", "secret"]
        {
            let text = RedisReplayStore::new(url).unwrap_err().to_string();
            assert!(text.contains("redis://host:6379/") && !text.contains("secret"), "{text}");
        }
        let text = RedisReplayStore::new("rediss://:secret@host/#insecure").unwrap_err();
        assert!(text.to_string().contains("SSL_CERT_FILE"), "{text}");
        let store = RedisReplayStore::new("rediss://app:secret@host:6380/2").unwrap();
        let store = store.time_limit(Duration::ZERO).prefix("acme:");
        assert_eq!(
            format!("{store:?}"),
            r#"RedisReplayStore { prefix: "acme:", time_limit: 1ms, remembers_in_process: false, .. }"#
        );
    }
}
