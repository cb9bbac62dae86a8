//! A server that answers as the test says, and a clock on which time passes only when nothing else happens.
use auth0_client::{Client, ClientBuilder};
use auth0_core::{
    BoxFuture,
    time::Clock,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use std::{
    collections::{BTreeMap, VecDeque},
    future::{self, Future},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{runtime::Handle, sync::watch};

pub(crate) const DOMAIN: &str = "acme.eu.auth0.com";
pub(crate) const ISSUER: &str = "https://acme.eu.auth0.com/";
pub(crate) const API: &str = "https://orders.acme.com";

/// An RSA key, and an EC key on P-256.
pub(crate) const RSA_PEM: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/keys/rsa.pem"));
pub(crate) const EC_PEM: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/keys/p256.pem"));

/// A request as the server has received it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    /// The time of the test's clock.
    pub(crate) at: Duration,
}

impl Seen {
    pub(crate) fn path(&self) -> &str {
        self.url.strip_prefix(ISSUER.trim_end_matches('/')).unwrap_or(&self.url)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Returns the parameters in the order in which they were sent.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.form().into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

/// The answer to one request.
#[derive(Clone)]
pub(crate) enum Answer {
    Response(HttpResponse),
    /// Nothing was sent.
    Unsent,
    /// The connection broke after the request was sent.
    Lost,
    Hang,
    Panic,
    /// The answer comes when the test says so.
    Held(watch::Receiver<bool>, Box<Answer>),
}

impl Answer {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Response(
            HttpResponse::new(status, body).with_header("content-type", "application/json"),
        )
    }

    pub(crate) fn with(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Response(response) => Self::Response(response.with_header(name, value)),
            other => other,
        }
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::json(status, &format!(r#"{{"error":"{code}","error_description":"why"}}"#))
    }

    /// A token with a day to live.
    pub(crate) fn token(text: &str) -> Self {
        Self::token_for(text, 86_400)
    }

    pub(crate) fn token_for(text: &str, seconds: u64) -> Self {
        Self::json(
            200,
            &format!(r#"{{"access_token":"{text}","token_type":"Bearer","expires_in":{seconds}}}"#),
        )
    }

    /// Returns an answer that is held back, and what releases it.
    pub(crate) fn held(answer: Self) -> (watch::Sender<bool>, Self) {
        let (release, held) = watch::channel(false);
        (release, Self::Held(held, Box::new(answer)))
    }
}

type Responder = Box<dyn Fn(&Seen, usize) -> Answer + Send>;

#[derive(Clone)]
pub(crate) struct Server {
    state: Arc<Mutex<State>>,
    pub(crate) clock: VirtualClock,
}

struct State {
    seen: Vec<Seen>,
    metadata: String,
    is_hidden: bool,
    metadata_reads: usize,
    queue: VecDeque<Answer>,
    responder: Responder,
    at_once: usize,
    most_at_once: usize,
}

/// A request that the server answers.
struct Answering<'a>(&'a Server);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.state().at_once -= 1;
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl Server {
    /// A server that answers each request with another token.
    pub(crate) fn new() -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                seen: Vec::new(),
                metadata: metadata(""),
                is_hidden: false,
                metadata_reads: 0,
                queue: VecDeque::new(),
                at_once: 0,
                most_at_once: 0,
                responder: Box::new(|_, number| Answer::token(&format!("token-{number}"))),
            })),
            clock: VirtualClock::default(),
        }
    }

    /// A server that answers with these first.
    pub(crate) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let server = Self::new();
        server.queue(answers);
        server
    }

    pub(crate) fn queue(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state().queue.extend(answers);
    }

    pub(crate) fn respond(&self, responder: impl Fn(&Seen, usize) -> Answer + Send + 'static) {
        self.state().responder = Box::new(responder);
    }

    pub(crate) fn set_metadata(&self, more: &str) {
        self.state().metadata = metadata(more);
    }

    /// Makes the server another provider, with all endpoints.
    pub(crate) fn set_issuer(&self, issuer: &str) {
        let endpoints = [
            "token_endpoint",
            "authorization_endpoint",
            "backchannel_authentication_endpoint",
            "pushed_authorization_request_endpoint",
        ];
        let endpoints = endpoints.map(|name| format!(r#","{name}":"{issuer}/{name}""#)).concat();
        self.state().metadata = format!(r#"{{"issuer":"{issuer}"{endpoints}}}"#);
    }

    /// Lets each request of the metadata hang.
    pub(crate) fn hide_metadata(&self) {
        self.state().is_hidden = true;
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().expect("there was a request")
    }

    pub(crate) fn count(&self) -> usize {
        self.state().seen.len()
    }

    /// Returns how many requests were answered at the same time, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state().most_at_once
    }

    pub(crate) fn metadata_reads(&self) -> usize {
        self.state().metadata_reads
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder()
            .domain(DOMAIN)
            .client_id("app")
            .http_client(self.clone())
            .clock(self.clock.clone())
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().client_secret("the-secret").build().expect("the settings are good")
    }
}

fn metadata(more: &str) -> String {
    format!(
        r#"{{"issuer":"{ISSUER}","jwks_uri":"{ISSUER}.well-known/jwks.json",
        "authorization_endpoint":"{ISSUER}authorize","token_endpoint":"{ISSUER}oauth/token",
        "revocation_endpoint":"{ISSUER}oauth/revoke"{more}}}"#
    )
}

impl Server {
    /// Returns the answer to a request. `None` if there is none for ever.
    fn answer_to(&self, seen: Seen, url: &str) -> Option<Answer> {
        let mut state = self.state();
        if url.ends_with("/.well-known/openid-configuration") {
            state.metadata_reads += 1;
            let document = Answer::json(200, &state.metadata);
            let is_hidden = state.is_hidden;
            state.at_once += usize::from(!is_hidden);
            return (!is_hidden).then_some(document);
        }
        state.seen.push(seen.clone());
        state.at_once += 1;
        state.most_at_once = state.most_at_once.max(state.at_once);
        let number = state.seen.len();
        match state.queue.pop_front() {
            Some(answer) => Some(answer),
            None => Some((state.responder)(&seen, number)),
        }
    }
}

impl HttpClient for Server {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        let seen = Seen {
            method: request.method.to_owned(),
            url: request.url.to_owned(),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: String::from_utf8(request.body.to_vec()).expect("bodies are text"),
            at: self.clock.monotonic(),
        };
        Box::pin(async move {
            let Some(answer) = self.answer_to(seen, request.url) else {
                return future::pending().await;
            };
            let _answering = Answering(self);
            tokio::task::yield_now().await;
            give(answer).await
        })
    }
}

async fn give(mut answer: Answer) -> Result<HttpResponse, HttpError> {
    loop {
        match answer {
            Answer::Response(response) => return Ok(response),
            Answer::Unsent => return Err(HttpError::unsent("connection refused")),
            Answer::Lost => return Err(HttpError::new("the connection was reset")),
            Answer::Hang => future::pending().await,
            Answer::Panic => panic!("the transport panics"),
            Answer::Held(mut held, then) => {
                let _ = held.wait_for(|released| *released).await;
                answer = *then;
            }
        }
    }
}

/// A clock that stands still until [`run`] finds that nothing else happens: then it goes on to the next timer.
#[derive(Clone, Debug, Default)]
pub(crate) struct VirtualClock(Arc<Mutex<Times>>);

#[derive(Debug, Default)]
struct Times {
    now: Duration,
    sleeping: BTreeMap<(Duration, u64), Waker>,
    started: u64,
    /// By how much the wall clock differs.
    set_back: Duration,
}

/// The thread `auth0-fetch`, which all clients of the process share.
static FETCH_THREAD: OnceLock<Handle> = OnceLock::new();

/// The start of the wall clock.
pub(crate) const EPOCH: Duration = Duration::from_secs(1_767_268_800);

impl VirtualClock {
    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Advances the clock, and wakes the timers on the way.
    pub(crate) fn advance(&self, time: Duration) {
        let mut times = self.times();
        times.now += time;
        for waker in times.sleeping.values() {
            waker.wake_by_ref();
        }
    }

    /// Returns the time since the start.
    pub(crate) fn passed(&self) -> Duration {
        self.times().now
    }

    pub(crate) fn set_back(&self, time: Duration) {
        self.times().set_back += time;
    }

    /// Advances to the next timer. Returns `false` if there is none.
    fn advance_to_timer(&self) -> bool {
        let next = self.times().sleeping.keys().next().copied();
        match next {
            Some((time, _)) => {
                self.advance(time.saturating_sub(self.monotonic()));
                true
            }
            None => false,
        }
    }
}

impl Clock for VirtualClock {
    fn unix_time(&self) -> Duration {
        let times = self.times();
        EPOCH + times.now - times.set_back
    }

    fn monotonic(&self) -> Duration {
        self.times().now
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        if let Ok(handle) = Handle::try_current() {
            FETCH_THREAD.get_or_init(|| handle);
        }
        let mut times = self.times();
        times.started += 1;
        let key = (times.now + time, times.started);
        times.sleeping.insert(key, Waker::noop().clone());
        Box::pin(Sleep { clock: self.clone(), key })
    }
}

struct Sleep {
    clock: VirtualClock,
    key: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut times = self.clock.times();
        if times.now >= self.key.0 {
            times.sleeping.remove(&self.key);
            return Poll::Ready(());
        }
        times.sleeping.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.times().sleeping.remove(&self.key);
    }
}

/// Rounds through the queue of the thread: a request takes fewer.
const ROUNDS: usize = 32;

/// Waits until the thread `auth0-fetch` has done all that it can without time passing.
pub(crate) async fn settle() {
    for _ in 0..ROUNDS {
        if let Some(thread) = FETCH_THREAD.get() {
            let _ = thread.spawn(tokio::task::yield_now()).await;
        }
        tokio::task::yield_now().await;
    }
}

/// Runs a future. Whenever nothing else happens, the time goes on to the next timer.
pub(crate) async fn run<F: Future>(server: &Server, future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        for _ in 0..4 {
            let polled =
                future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
            if let Poll::Ready(output) = polled {
                return output;
            }
            settle().await;
        }
        server.clock.advance_to_timer();
    }
}

/// Returns a JWT whose payload is this, and whose signature is not one.
pub(crate) fn jwt(payload: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", encode(r#"{"alg":"RS256"}"#), encode(payload), encode("signature"))
}

/// Returns a part of a JWT: 0 for the header, 1 for the payload.
pub(crate) fn part(jwt: &str, number: usize) -> serde_json::Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = jwt.split('.').nth(number).expect("a JWT has parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}
