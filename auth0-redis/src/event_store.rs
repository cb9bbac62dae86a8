//! A store for the subscriber of events in Redis, which all instances of a service share.
use crate::{
    address,
    connection::{DEFAULT_TIME_LIMIT, Patience, RedisConnection, TIME_LIMITS, unexpected},
};
use auth0_core::{BoxFuture, ConfigError};
use auth0_events::{EventStore, EventStoreError};
use redis::{Cmd, Value};
use std::{fmt, time::Duration};

const DEFAULT_PREFIX: &str = "auth0:events:";

/// Takes or renews the lease, on the clock of Redis. A fencing number is at least that time in milliseconds, so that it
/// grows also when Redis has lost the last one.
const LEAD: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HMGET', KEYS[1], 'holder', 'ends_at', 'fence')
local is_free = (tonumber(state[2]) or 0) <= now
if not is_free and state[1] ~= ARGV[1] then return 0 end
local fence = tonumber(state[3]) or 0
if is_free then fence = math.max(fence + 1, now) end
local number = function(value) return string.format('%.0f', value) end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'ends_at', number(now + ARGV[2]), 'fence', number(fence))
return fence
";

const SAVE: &str = "
if tonumber(ARGV[1]) < (tonumber(redis.call('HGET', KEYS[1], 'fence')) or 0) then return 0 end
redis.call('HSET', KEYS[1], 'position', ARGV[2])
return 1
";

const RESIGN: &str = "
if tonumber(ARGV[1]) == tonumber(redis.call('HGET', KEYS[1], 'fence')) then
  redis.call('HSET', KEYS[1], 'ends_at', '0')
end
return 1
";

/// Keeps in Redis which instance reads the events of a tenant, and how far it has read them: one hash. Needs the feature
/// `events`.
///
/// - Leases end on the clock of Redis.
/// - If Redis loses the position, events are read from then on: enable persistence (`appendonly yes`).
/// - A prefix is for one service and the events of one tenant: services that share it elect one reader.
///
/// The user of the URL needs the commands `EVAL`, `HGET`, `HMGET`, `HSET` and `TIME`, for the keys that begin with the
/// prefix. Redis 7 is tested.
///
/// ```
/// use auth0_redis::RedisEventStore;
///
/// let store = RedisEventStore::new("rediss://user:secret@redis.acme.internal:6380/")?;
/// # let _ = store;
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[must_use]
pub struct RedisEventStore {
    link: RedisConnection,
    prefix: String,
    time_limit: Duration,
}

impl RedisEventStore {
    /// Creates a store at a URL, which is that of [`RedisReplayStore::new`](crate::RedisReplayStore::new). It connects
    /// when it is first used.
    ///
    /// # Errors
    /// The URL is not valid, or disables the check of certificates (`#insecure`).
    pub fn new(url: impl AsRef<str>) -> Result<Self, ConfigError> {
        Ok(Self {
            link: RedisConnection::new(address::client(url.as_ref(), "store of events")?),
            prefix: DEFAULT_PREFIX.into(),
            time_limit: DEFAULT_TIME_LIMIT,
        })
    }

    /// Sets the prefix of the keys: `auth0:events:` by default.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Limits how long Redis may take for an answer, including the time to connect: 250 ms by default, 1 ms to 10 s.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.clamp(TIME_LIMITS.0, TIME_LIMITS.1);
        self
    }

    async fn run(&self, script: &str, arguments: [&str; 2]) -> Result<u64, EventStoreError> {
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(1).arg(self.key()).arg(&arguments);
        match self.ask(command).await? {
            Value::Int(number) => u64::try_from(number).map_err(|_| unusable(&Value::Int(number))),
            other => Err(unusable(&other)),
        }
    }

    async fn ask(&self, command: Cmd) -> Result<Value, EventStoreError> {
        let answer = self.link.ask(command, Patience::of(self.time_limit)).await;
        Ok(answer.map_err(EventStoreError::new)?.value)
    }

    fn key(&self) -> String {
        format!("{}state", self.prefix)
    }
}

fn unusable(answer: &Value) -> EventStoreError {
    EventStoreError::new(unexpected(answer))
}

impl EventStore for RedisEventStore {
    fn lead<'a>(
        &'a self,
        holder: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<Option<u64>, EventStoreError>> {
        Box::pin(async move {
            let fence = self.run(LEAD, [holder, &time.as_millis().to_string()]).await?;
            Ok((fence > 0).then_some(fence))
        })
    }

    fn position(&self) -> BoxFuture<'_, Result<Option<String>, EventStoreError>> {
        Box::pin(async move {
            let mut command = redis::cmd("HGET");
            command.arg(self.key()).arg("position");
            match self.ask(command).await? {
                Value::Nil => Ok(None),
                Value::BulkString(text) => String::from_utf8(text)
                    .map(Some)
                    .map_err(|_| EventStoreError::new("the position in Redis is not text")),
                other => Err(unusable(&other)),
            }
        })
    }

    fn save<'a>(
        &'a self,
        fence: u64,
        position: &'a str,
    ) -> BoxFuture<'a, Result<bool, EventStoreError>> {
        Box::pin(async move { Ok(self.run(SAVE, [&fence.to_string(), position]).await? == 1) })
    }

    fn resign(&self, fence: u64) -> BoxFuture<'_, Result<(), EventStoreError>> {
        Box::pin(async move { self.run(RESIGN, [&fence.to_string(), ""]).await.map(|_| ()) })
    }
}

/// Omits the URL, which may contain a password.
impl fmt::Debug for RedisEventStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisEventStore")
            .field("prefix", &self.prefix)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}
