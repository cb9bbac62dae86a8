//! A store of the sessions of a web application in Redis, which all instances share.
use crate::{
    address,
    connection::{DEFAULT_TIME_LIMIT, Patience, RedisConnection, TIME_LIMITS, unexpected},
    once::use_once,
};
use auth0_core::{BoxFuture, ConfigError};
use auth0_login::{
    LogoutTarget, NewSession, SessionKey, SessionStore, SessionStoreError, StoredSession, Updated,
};
use aws_lc_rs::rand;
use redis::{Cmd, Value};
use std::{
    fmt::{self, Write as _},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const DEFAULT_PREFIX: &str = "auth0:sessions:";

/// Adds a session, and its key to the indexes: those last as long as the longest of their sessions can.
const CREATE: &str = "
redis.call('HSET', KEYS[1], 'content', ARGV[1], 'version', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local function keep(index)
  if redis.call('PTTL', index) < tonumber(ARGV[3]) then redis.call('PEXPIRE', index, ARGV[3]) end
end
for _, other in ipairs(redis.call('ZRANGE', KEYS[2], 0, 99)) do
  if redis.call('EXISTS', other) == 0 then redis.call('ZREM', KEYS[2], other) end
end
redis.call('ZADD', KEYS[2], ARGV[4], KEYS[1])
keep(KEYS[2])
if KEYS[3] then
  redis.call('SADD', KEYS[3], KEYS[1])
  keep(KEYS[3])
end
return 1
";

/// Replaces a session that has the expected version. It returns the new one, 0 for another one, and -1 without a session.
const UPDATE: &str = "
local version = redis.call('HGET', KEYS[1], 'version')
if not version then return -1 end
if version ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'content', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('HINCRBY', KEYS[1], 'version', 1)
";

/// Removes the sessions of a user that began up to a time.
const LOG_OUT_USER: &str = "
local sessions = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
local removed = 0
for _, session in ipairs(sessions) do removed = removed + redis.call('DEL', session) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
return removed
";

/// Removes the sessions of one session at the issuer.
const LOG_OUT_SESSION: &str = "
local removed = 0
for _, session in ipairs(redis.call('SMEMBERS', KEYS[1])) do removed = removed + redis.call('DEL', session) end
redis.call('DEL', KEYS[1])
return removed
";

/// Locks a session, on the clock of Redis. The same number may lock it again: the first answer may have been lost.
const LOCK: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HMGET', KEYS[1], 'version', 'lock', 'locked_until')
if not state[1] then return 0 end
if state[2] ~= ARGV[1] and (tonumber(state[3]) or 0) > now then return 0 end
redis.call('HSET', KEYS[1], 'lock', ARGV[1], 'locked_until', string.format('%.0f', now + ARGV[2]))
return 1
";

const UNLOCK: &str = "
if redis.call('HGET', KEYS[1], 'lock') == ARGV[1] then redis.call('HDEL', KEYS[1], 'lock', 'locked_until') end
return 1
";

/// Keeps the sessions of a web application in Redis: a hash for each, and indexes by user and by session at the issuer, so
/// that a logout token ends them. Needs the feature `login`.
///
/// - Contents are sealed, and keys are hashes: Redis has neither a token nor a name.
/// - Sessions end on the clock of Redis. If Redis loses them, users log in again: enable persistence (`appendonly yes`), and
///   evict nothing (`maxmemory-policy noeviction`).
/// - The URL must be that of one server, the primary, which is not a node of a Redis Cluster.
///
/// The user of the URL needs the commands `DEL`, `EVAL`, `EXISTS`, `GET`, `HDEL`, `HGET`, `HINCRBY`, `HMGET`, `HSET`, `PEXPIRE`, `PTTL`,
/// `SADD`, `SET`, `SMEMBERS`, `TIME`, `ZADD`, `ZRANGE`, `ZRANGEBYSCORE`, `ZREM` and `ZREMRANGEBYSCORE`, for the keys that begin with the
/// prefix. Redis 7 is tested.
///
/// ```
/// use auth0_login::Login;
/// use auth0_redis::RedisSessionStore;
///
/// let store = RedisSessionStore::new("rediss://user:secret@redis.acme.internal:6380/")?;
/// let login = Login::builder()
///     .domain("acme.eu.auth0.com")
///     .client_id("web")
///     .client_secret("its secret")
///     .secret("32 random bytes, or more, that all instances share")
///     .base_url("https://app.acme.com")
///     .store(store)
///     .build()?;
/// # let _ = login;
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[must_use]
pub struct RedisSessionStore {
    link: RedisConnection,
    prefix: String,
    time_limit: Duration,
}

impl RedisSessionStore {
    /// Creates a store at a URL, which is that of [`RedisReplayStore::new`](crate::RedisReplayStore::new). It connects
    /// when it is first used.
    ///
    /// # Errors
    /// The URL is not valid, or disables the check of certificates (`#insecure`).
    pub fn new(url: impl AsRef<str>) -> Result<Self, ConfigError> {
        Ok(Self {
            link: RedisConnection::new(address::client(url.as_ref(), "store of sessions")?),
            prefix: DEFAULT_PREFIX.into(),
            time_limit: DEFAULT_TIME_LIMIT,
        })
    }

    /// Sets the prefix of the keys: `auth0:sessions:` by default. Each application needs one of its own.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Limits how long Redis may take for an answer, including the time to connect: 250 ms by default, 1 ms to 10 s.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.clamp(TIME_LIMITS.0, TIME_LIMITS.1);
        self
    }

    fn key(&self, kind: char, hash: &[u8; 32]) -> String {
        let mut key = format!("{}{kind}:", self.prefix);
        for byte in hash {
            let _ = write!(key, "{byte:02x}");
        }
        key
    }

    fn session(&self, key: &SessionKey) -> String {
        self.key('s', key.as_bytes())
    }

    async fn run(
        &self,
        script: &str,
        keys: &[String],
        arguments: &[&str],
    ) -> Result<i64, SessionStoreError> {
        let mut command = redis::cmd("EVAL");
        command.arg(script).arg(keys.len()).arg(keys).arg(arguments);
        match self.ask(command).await? {
            Value::Int(number) => Ok(number),
            other => Err(unusable(&other)),
        }
    }

    async fn ask(&self, command: Cmd) -> Result<Value, SessionStoreError> {
        let answer = self.link.ask(command, Patience::of(self.time_limit)).await;
        Ok(answer.map_err(SessionStoreError::new)?.value)
    }
}

fn unusable(answer: &Value) -> SessionStoreError {
    SessionStoreError::new(unexpected(answer))
}

fn seconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string()
}

/// Returns a time for `PEXPIRE`, which removes a key for zero.
fn millis(time: Duration) -> String {
    time.as_millis().clamp(1, 1 << 52).to_string()
}

type Answer<'a, T> = BoxFuture<'a, Result<T, SessionStoreError>>;

impl SessionStore for RedisSessionStore {
    fn load<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Option<StoredSession>> {
        Box::pin(async move {
            let mut command = redis::cmd("HMGET");
            command.arg(self.session(key)).arg(&["content", "version"]);
            let answer = self.ask(command).await?;
            let Value::Array(values) = &answer else { return Err(unusable(&answer)) };
            match values.as_slice() {
                [Value::Nil, _] | [_, Value::Nil] => Ok(None),
                [Value::BulkString(content), Value::BulkString(version)] => {
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
                    let version = text(version).and_then(|version| version.parse().ok());
                    match (text(content), version) {
                        (Some(content), Some(version)) => {
                            Ok(Some(StoredSession::new(content, version)))
                        }
                        _ => Err(SessionStoreError::new("the session in Redis is not text")),
                    }
                }
                _ => Err(unusable(&answer)),
            }
        })
    }

    fn create<'a>(&'a self, key: &'a SessionKey, session: NewSession<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            let mut keys = vec![self.session(key), self.key('u', &session.user)];
            keys.extend(session.issuer_session.map(|hash| self.key('i', &hash)));
            let (lasts, at_most) = (millis(session.lasts), millis(session.lasts_at_most));
            let began_at = seconds(session.began_at);
            self.run(CREATE, &keys, &[session.content, &lasts, &at_most, &began_at]).await?;
            Ok(1)
        })
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        version: u64,
        content: &'a str,
        lasts: Duration,
    ) -> Answer<'a, Updated> {
        Box::pin(async move {
            let arguments = [&*version.to_string(), content, &millis(lasts)];
            Ok(match self.run(UPDATE, &[self.session(key)], &arguments).await? {
                0 => Updated::Stale,
                version => match u64::try_from(version) {
                    Ok(version) => Updated::Done(version),
                    Err(_) => Updated::Gone,
                },
            })
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut command = redis::cmd("DEL");
            command.arg(self.session(key));
            match self.ask(command).await? {
                Value::Int(_) => Ok(()),
                other => Err(unusable(&other)),
            }
        })
    }

    fn log_out<'a>(&'a self, target: &'a LogoutTarget) -> Answer<'a, u64> {
        Box::pin(async move {
            let removed = match target {
                LogoutTarget::Session(session) => {
                    self.run(LOG_OUT_SESSION, &[self.key('i', session)], &[]).await?
                }
                LogoutTarget::User { user, until } => {
                    self.run(LOG_OUT_USER, &[self.key('u', user)], &[&seconds(*until)]).await?
                }
                _ => return Err(SessionStoreError::new("this logout is not known to the store")),
            };
            Ok(u64::try_from(removed).unwrap_or_default())
        })
    }

    fn lock<'a>(&'a self, key: &'a SessionKey, lasts: Duration) -> Answer<'a, Option<u64>> {
        Box::pin(async move {
            let mut random = [0; 8];
            rand::fill(&mut random)
                .map_err(|_| SessionStoreError::new("the system has no randomness"))?;
            let lock = u64::from_le_bytes(random);
            let arguments = [&*lock.to_string(), &millis(lasts)];
            let is_locked = self.run(LOCK, &[self.session(key)], &arguments).await? == 1;
            Ok(is_locked.then_some(lock))
        })
    }

    fn unlock<'a>(&'a self, key: &'a SessionKey, lock: u64) -> Answer<'a, ()> {
        Box::pin(async move {
            self.run(UNLOCK, &[self.session(key)], &[&lock.to_string()]).await.map(drop)
        })
    }

    fn use_once<'a>(&'a self, id: [u8; 32], lasts: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            let (key, patience) = (self.key('o', &id), Patience::of(self.time_limit));
            use_once(&self.link, &key, lasts, patience).await.map_err(SessionStoreError::new)
        })
    }
}

impl fmt::Debug for RedisSessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSessionStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
