//! The connection to Redis: made when it is first needed, shared by all requests, made anew when it
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

/// An attempt goes on without the requests that wait for it. One to a host that swallows it should not
/// keep a host that is back waiting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an attempt that failed speaks for the next: who is away is not asked by every request.
const PAUSE: Duration = Duration::from_millis(100);

/// A server that refuses commands is left, because it may not be the one to ask any more (after a
/// failover, the old primary answers `READONLY`); one that was connected to only just is not.
const SETTLED: Duration = Duration::from_secs(1);

const NO_PROVIDER: &str = "rustls has no crypto provider in this process, or several were compiled in. Write, at the \
    start of main, rustls::crypto::aws_lc_rs::default_provider().install_default()";

/// It lives on a thread of its own, not on the runtime of the request that needs it first: actix-web has
/// a runtime for each worker, and a worker that is busy, or ends, must not keep the others waiting. Nor
/// do they wait while certificates are read.
pub(crate) struct RedisConnection {
    line: Arc<Line>,
    thread: Mutex<Option<Thread>>,
}

struct Thread {
    runtime: Handle,
    /// The thread ends with it.
    _end: oneshot::Sender<()>,
}

/// What Redis said.
pub(crate) struct Reply {
    pub(crate) value: Value,
    /// The connection broke, so that the command was sent again, on another one. It may have been
    /// carried out before.
    pub(crate) is_second: bool,
}

/// How long a request waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) deadline: Instant,
    /// Whether it waits for a connection that is being made, too.
    pub(crate) waits_for_connection: bool,
}

impl RedisConnection {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            line: Arc::new(Line { client, current: Mutex::default() }),
            thread: Mutex::default(),
        }
    }

    /// Asks, and is done by the deadline. It goes on if the caller does not wait for it.
    pub(crate) async fn ask(&self, command: Cmd, patience: Patience) -> Result<Reply, String> {
        let line = Arc::clone(&self.line);
        let task = self.runtime()?.spawn(async move { line.ask(&command, patience).await });
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

/// What happens on the thread.
struct Line {
    client: Client,
    current: Mutex<Option<Attempt>>,
}

/// A connection that is being made, was made, or could not be made.
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

impl Line {
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
                        Value::Okay | Value::Nil | Value::BulkString(_) => {}
                        Value::ServerError(_) if now - connection.made_at < SETTLED => {}
                        _ => self.forget(&attempt),
                    }
                    return Ok(Reply { value, is_second });
                }
                // Servers and load balancers close connections that are idle, which is no reason
                // to refuse anybody.
                Ok(Err(error)) => {
                    self.forget(&attempt);
                    if is_second {
                        return Err(error.to_string());
                    }
                    is_second = true;
                }
                Err(elapsed) => {
                    // It may lead nowhere, which TCP finds out in a quarter of an hour.
                    if *lock(&connection.last_answer_at) <= asked_at {
                        self.forget(&attempt);
                    }
                    return Err(is_late(elapsed));
                }
            }
        }
    }

    /// The connection that is there, or else a new one.
    fn attempt(self: &Arc<Self>, deadline: Instant) -> Attempt {
        let mut current = lock(&self.current);
        if let Some(attempt) = current.as_ref().filter(|attempt| is_current(attempt)) {
            return attempt.clone();
        }
        let (sender, receiver) = watch::channel(None);
        let line = Arc::clone(self);
        tokio::spawn(async move {
            let connection = line
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

    /// The next request makes a new connection. Those that still wait for this one keep it.
    fn forget(&self, attempt: &Attempt) {
        let mut current = lock(&self.current);
        if current.as_ref().is_some_and(|current| current.same_channel(attempt)) {
            *current = None;
        }
    }
}

/// Returns whether rustls has a crypto provider in this process, or takes the only one that was compiled in.
/// It panics where there are several or none.
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
        return Err("the connection to Redis is being made".into());
    }
    let outcome = attempt.wait_for(Option::is_some).await;
    match outcome.as_deref() {
        Ok(Some(Ok(connection))) => Ok(connection.clone()),
        Ok(Some(Err(failure))) => Err(failure.cause.as_ref().into()),
        Ok(None) | Err(_) => Err("the connection to Redis was given up".into()),
    }
}

/// Nothing is done under a lock that could leave its content half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
