//! Used proofs in Redis, where all instances of a service see them.
use super::{InMemoryReplayStore, Insertion, ReplayEntry, ReplayStore, ReplayStoreError, replay};
use crate::{builder::ConfigError, http::BoxFuture};
use redis::{
    Client, ConnectionAddr, IntoConnectionInfo, Value,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A Redis in the same network answers in a millisecond. More than this and it is not well.
const DEFAULT_TIME_LIMIT: Duration = Duration::from_millis(250);
const LONGEST_TIME_LIMIT: Duration = Duration::from_secs(10);

/// An attempt goes on without the requests that wait for it. One to a host that swallows it should not
/// keep a host that is back waiting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// An instance whose clock is behind accepts a proof for longer than the one that wrote it down.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

const DEFAULT_PREFIX: &str = "auth0:dpop:";

/// Remembers used proofs in Redis: one round trip (`SET … NX PX`) over one connection, which is made
/// when it is first needed, shared by all requests, and made anew when it breaks.
///
/// A key is a prefix and a hash, and its value says nothing. It goes by itself when its proof has
/// become too old.
///
/// ```
/// use auth0_core::{Auth0, Dpop, RedisReplayStore};
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
    client: Client,
    manager: OnceLock<ConnectionManager>,
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
    /// `503`: no proof is ever used twice. The default.
    #[default]
    Refuse,
    /// It is accepted if this process does not know it, and a warning goes to the log: while Redis is
    /// away, a proof can be used once on each instance.
    RememberInProcess,
}

impl RedisReplayStore {
    /// A store at `redis://[user[:password]@]host[:port][/database]`, or at `rediss://…` for TLS with the
    /// system's certificates. Connects with the first proof.
    ///
    /// For TLS it makes aws-lc-rs the default of rustls in this process, unless there is one.
    ///
    /// # Errors
    /// It is no such URL.
    pub fn new(url: &str) -> Result<Self, ConfigError> {
        // Its own words may quote the URL, in which a password may stand.
        let refused = |_| {
            ConfigError::new(
                "the URL of the replay store cannot be used. Write redis://host:6379/, or \
                 rediss://user:password@host:6380/ for TLS",
            )
        };
        let info = url.into_connection_info().map_err(refused)?;
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. })
            && CryptoProvider::get_default().is_none()
        {
            // Somebody else may be faster, which is as good.
            let _ = aws_lc_rs::default_provider().install_default();
        }
        Ok(Self {
            client: Client::open(info).map_err(refused)?,
            manager: OnceLock::new(),
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
    /// by default, 10 s at the most.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.min(LONGEST_TIME_LIMIT);
        self
    }

    /// What becomes of proofs while Redis cannot be reached: `503`, unless told otherwise.
    pub fn on_unreachable(mut self, choice: OnUnreachable) -> Self {
        self.memory = match choice {
            OnUnreachable::Refuse => None,
            OnUnreachable::RememberInProcess => {
                Some(InMemoryReplayStore::new(replay::DEFAULT_CAPACITY))
            }
        };
        self
    }

    async fn insert(&self, entry: ReplayEntry) -> Result<Insertion, ReplayStoreError> {
        // Asked in good times, too, so that nothing that was accepted here without Redis is accepted
        // again when it is back.
        let in_process = self.memory.as_ref().map(|memory| memory.insert_now(entry));
        if let Some(Some(Ok(Insertion::Seen))) = in_process {
            return Ok(Insertion::Seen);
        }
        let outcome = tokio::time::timeout(self.time_limit, self.ask(entry)).await;
        let error = match outcome {
            Ok(Ok(insertion)) => {
                if self.is_unreachable.swap(false, Ordering::Relaxed) {
                    tracing::info!(target: "auth0", "the replay store is back");
                }
                return Ok(insertion);
            }
            Ok(Err(error)) => error,
            Err(_) => format!("Redis did not answer within {:?}", self.time_limit),
        };
        let is_news = !self.is_unreachable.swap(true, Ordering::Relaxed);
        match in_process.flatten() {
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
        let mut manager = self.manager()?;
        let lifetime = entry.lifetime().saturating_add(CLOCK_DIFFERENCE).as_millis();
        let mut command = redis::cmd("SET");
        command.arg(format!("{}{}", self.prefix, entry.id)).arg(1).arg("NX").arg("PX");
        command.arg(u64::try_from(lifetime).unwrap_or(u64::MAX));
        match manager.send_packed_command(&command).await {
            Ok(Value::Okay) => Ok(Insertion::New),
            Ok(Value::Nil) => Ok(Insertion::Seen),
            Ok(Value::ServerError(error)) => Err(error.to_string()),
            Ok(_) => Err("Redis gave an answer that SET does not have".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Made within a request, because it needs a tokio runtime.
    fn manager(&self) -> Result<ConnectionManager, String> {
        if let Some(manager) = self.manager.get() {
            return Ok(manager.clone());
        }
        // One attempt each time: the next request makes the next.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_TIMEOUT.max(self.time_limit)))
            .set_response_timeout(Some(self.time_limit));
        let manager = ConnectionManager::new_lazy_with_config(self.client.clone(), config)
            .map_err(|error| error.to_string())?;
        Ok(self.manager.get_or_init(|| manager).clone())
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
