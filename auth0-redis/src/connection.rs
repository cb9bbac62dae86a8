//! The connection to Redis: opened when it is first needed, shared by all requests, and reopened when it
//! breaks.
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, RedisResult, Value,
    aio::MultiplexedConnection,
};
use rustls::crypto::CryptoProvider;
use std::{
    panic,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};
use tokio::{
    runtime::{self, Handle},
    sync::{oneshot, watch},
    time::{Instant, timeout_at},
};

/// The limit of an attempt to connect, which goes on without the requests that wait for it. An attempt that
/// gets no answer must not delay the next one for long, when the host may be back.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a failed attempt counts for the next requests, so that not every request tries to connect.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection to a server that refuses commands is closed, because the server may have lost its role
/// (after a failover, the old primary answers `READONLY`). A connection that is younger than this is kept.
const SETTLED: Duration = Duration::from_secs(1);

const NO_PROVIDER: &str = "rustls has no crypto provider in this process, or several were compiled in. Write, at the \
    start of main, rustls::crypto::aws_lc_rs::default_provider().install_default()";

/// Runs on its own thread, not on the runtime of the request that needs it first: actix-web has a runtime for
/// each worker, and a worker that is busy, or ends, must not delay the others. Reading certificates does not
/// delay them either.
pub(crate) struct RedisConnection {
    connector: Arc<Connector>,
    thread: Arc<Mutex<Option<Thread>>>,
}

struct Thread {
    runtime: Handle,
    /// Ends the thread when it is dropped.
    _end: oneshot::Sender<()>,
}

/// An answer of Redis.
pub(crate) struct Reply {
    pub(crate) value: Value,
    /// Whether the connection broke and the command was sent again on another one. Redis may have executed
    /// the first one, too.
    pub(crate) is_second: bool,
}

/// How long a request waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) deadline: Instant,
    /// Whether the request also waits for a connection that is being opened.
    pub(crate) waits_for_connection: bool,
}

impl Patience {
    /// Waits for this long, including the time to connect.
    pub(crate) fn of(limit: Duration) -> Self {
        Self { deadline: Instant::now() + limit, waits_for_connection: true }
    }
}

/// The range of the time limits that an application can set.
pub(crate) const TIME_LIMITS: (Duration, Duration) =
    (Duration::from_millis(1), Duration::from_secs(10));

/// A Redis in the same network answers in a millisecond. A longer wait than this means that it fails.
pub(crate) const DEFAULT_TIME_LIMIT: Duration = Duration::from_millis(250);

impl RedisConnection {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            connector: Arc::new(Connector { client, current: Mutex::default() }),
            thread: Arc::default(),
        }
    }

    /// Creates another connection to the same server, on the same thread. A command that blocks on one does not delay
    /// the other.
    pub(crate) fn another(&self) -> Self {
        let client = self.connector.client.clone();
        Self {
            connector: Arc::new(Connector { client, current: Mutex::default() }),
            thread: Arc::clone(&self.thread),
        }
    }

    /// Sends a command and returns the answer before the deadline. It goes on if the caller does not wait.
    pub(crate) async fn ask(&self, command: Cmd, patience: Patience) -> Result<Reply, String> {
        let connector = Arc::clone(&self.connector);
        let task = self.runtime()?.spawn(async move { connector.ask(&command, patience).await });
        task.await.unwrap_or_else(|error| Err(error.to_string()))
    }

    fn runtime(&self) -> Result<Handle, String> {
        let mut thread = lock(&self.thread);
        if let Some(thread) = &*thread {
            return Ok(thread.runtime.clone());
        }
        let started = start_thread()?;
        Ok(thread.insert(started).runtime.clone())
    }
}

fn start_thread() -> Result<Thread, String> {
    let failed = |error: std::io::Error| format!("the thread for Redis cannot be started: {error}");
    let (end, ended) = oneshot::channel();
    let (sender, receiver) = mpsc::sync_channel(1);
    let run = move || match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let _ = sender.send(Ok(runtime.handle().clone()));
            let _ = runtime.block_on(ended);
        }
        Err(error) => {
            let _ = sender.send(Err(error));
        }
    };
    thread::Builder::new().name("auth0-redis".into()).spawn(run).map_err(failed)?;
    match receiver.recv() {
        Ok(runtime) => Ok(Thread { runtime: runtime.map_err(failed)?, _end: end }),
        Err(_) => Err("the thread for Redis has ended".into()),
    }
}

/// The part that runs on the thread.
struct Connector {
    client: Client,
    current: Mutex<Option<Attempt>>,
}

/// A connection that is being opened, is open, or could not be opened.
type Attempt = watch::Receiver<Option<Result<Connection, Failure>>>;

#[derive(Clone)]
struct Connection {
    redis: MultiplexedConnection,
    made_at: Instant,
    last_answer_at: Arc<Mutex<Instant>>,
}

#[derive(Clone)]
struct Failure {
    at: Instant,
    cause: Arc<str>,
}

impl Connector {
    async fn ask(self: Arc<Self>, command: &Cmd, patience: Patience) -> Result<Reply, String> {
        let Patience { deadline, .. } = patience;
        let asked_at = Instant::now();
        let is_late = |_| "Redis did not answer in time".to_owned();
        let mut is_second = false;
        loop {
            let attempt = self.attempt(deadline);
            let made = made(attempt.clone(), patience);
            let mut connection = timeout_at(deadline, made).await.map_err(is_late)??;
            let answer = connection.redis.send_packed_command(command);
            match timeout_at(deadline, answer).await {
                Ok(Ok(value)) => {
                    let now = Instant::now();
                    *lock(&connection.last_answer_at) = now;
                    match &value {
                        Value::ServerError(_) if now - connection.made_at < SETTLED => {}
                        Value::ServerError(_) => self.forget(&attempt),
                        _ => {}
                    }
                    return Ok(Reply { value, is_second });
                }
                // Servers and load balancers close idle connections, which must not refuse a request.
                Ok(Err(error)) => {
                    self.forget(&attempt);
                    if is_second {
                        return Err(error.to_string());
                    }
                    is_second = true;
                }
                Err(elapsed) => {
                    // The connection may be dead, which TCP detects only after a quarter of an hour.
                    if *lock(&connection.last_answer_at) <= asked_at {
                        self.forget(&attempt);
                    }
                    return Err(is_late(elapsed));
                }
            }
        }
    }

    /// Returns the current connection, or opens a new one.
    fn attempt(self: &Arc<Self>, deadline: Instant) -> Attempt {
        let mut current = lock(&self.current);
        if let Some(attempt) = current.as_ref().filter(|attempt| is_current(attempt)) {
            return attempt.clone();
        }
        let (sender, receiver) = watch::channel(None);
        let connector = Arc::clone(self);
        tokio::spawn(async move {
            let connection = connector
                .connect(deadline)
                .await
                .map_err(|error| Failure { at: Instant::now(), cause: error.to_string().into() });
            let _ = sender.send(Some(connection));
        });
        current.insert(receiver).clone()
    }

    async fn connect(&self, deadline: Instant) -> RedisResult<Connection> {
        let is_tls =
            matches!(self.client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. });
        if is_tls && !has_crypto_provider() {
            return Err((ErrorKind::InvalidClientConfig, NO_PROVIDER).into());
        }
        let timeout = CONNECT_TIMEOUT.max(deadline.saturating_duration_since(Instant::now()));
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(None);
        let redis = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let now = Instant::now();
        Ok(Connection { redis, made_at: now, last_answer_at: Arc::new(Mutex::new(now)) })
    }

    /// Makes the next request open a new connection. Requests that still wait for this one keep it.
    fn forget(&self, attempt: &Attempt) {
        let mut current = lock(&self.current);
        if current.as_ref().is_some_and(|current| current.same_channel(attempt)) {
            *current = None;
        }
    }
}

/// Returns whether rustls has a crypto provider in this process, or can take the only one that was compiled
/// in. With several or none it panics, which is caught here.
fn has_crypto_provider() -> bool {
    CryptoProvider::get_default().is_some()
        || panic::catch_unwind(|| drop(rustls::ClientConfig::builder())).is_ok()
}

fn is_current(attempt: &Attempt) -> bool {
    match &*attempt.borrow() {
        Some(Ok(_)) => true,
        Some(Err(failure)) => failure.at.elapsed() < PAUSE,
        None => attempt.has_changed().is_ok(),
    }
}

async fn made(mut attempt: Attempt, patience: Patience) -> Result<Connection, String> {
    if !patience.waits_for_connection && attempt.borrow().is_none() {
        return Err("the connection to Redis is being opened".into());
    }
    let outcome = attempt.wait_for(Option::is_some).await;
    match outcome.as_deref() {
        Ok(Some(Ok(connection))) => Ok(connection.clone()),
        Ok(Some(Err(failure))) => Err(failure.cause.as_ref().into()),
        Ok(None) | Err(_) => Err("the connection to Redis was abandoned".into()),
    }
}

/// Returns the reason why an answer cannot be used.
pub(crate) fn unexpected(value: &Value) -> String {
    match value {
        Value::ServerError(error) => error.to_string(),
        _ => "Redis sent an unexpected answer".into(),
    }
}

/// Locks, also after a panic: no operation under a lock can leave its content half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
