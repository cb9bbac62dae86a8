//! A source of one token: from memory, or from Auth0.
use crate::{
    cache::{CacheKey, Flight, KeyBuilder, Outcome},
    client::Shared,
    error::{Error, ErrorKind},
    metrics,
    secret::Secret,
    server::{Body, Call, Deadline},
    token::{Freshness, Held, Lifetime, Token, Tokens},
};
use arc_swap::ArcSwapOption;
use auth0_core::{
    BoxFuture,
    support::{CallerChallenge, passed_while_running},
    time::Clock,
};
use std::{fmt, pin::pin, sync::Arc, time::Duration};

/// How long a call waits for a token while another is still valid for a moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// A call that has less time left does not start another request.
const SHORTEST_CALL: Duration = Duration::from_millis(50);

/// A source of tokens for one purpose: for this service itself ([`Client::machine`](crate::Client::machine)), on behalf
/// of one caller ([`Delegation`](crate::Delegation)), or of one account in Token Vault
/// ([`Connection`](crate::Connection)). Clones are cheap, and share the token.
///
/// [`token`](Self::token) returns the token in memory, or requests one. However many tasks wait, there is one request;
/// it goes on if a task that waits is dropped. `source.await` is the same as `source.token().await`.
///
/// ```
/// # #[allow(dead_code)]
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
/// # use doc::{run, service};
/// # run(async {
/// let orders = service().machine("https://orders.acme.com").build()?;
/// let (one, two) = (orders.token().await?, orders.token().await?);
/// assert_eq!(one.encoded(), two.encoded());
///
/// // The API answered 401: it does not accept the token any more.
/// assert!(orders.forget(&one));
/// let three = orders.token().await?; // requested anew
/// assert!(!orders.forget(&three)); // once in ten seconds: another one would be refused, too
/// # Ok(())
/// # });
/// ```
#[derive(Clone)]
#[must_use = "a source requests nothing until `token` is called"]
pub struct TokenSource(Arc<Source>);

struct Source {
    slot: ArcSwapOption<Held>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    request: Arc<TokenRequest>,
    subject: Option<Subject>,
    key: CacheKey,
}

/// A request for a token, without its subject.
#[derive(Clone, Debug)]
pub(crate) struct TokenRequest {
    pub(crate) call: Call,
    /// The scopes that are requested.
    pub(crate) scope: Box<str>,
    /// What the token depends on, but for the subject.
    pub(crate) key: KeyBuilder,
    pub(crate) party: Party,
    pub(crate) deadline: Duration,
    /// Why the request cannot be sent.
    pub(crate) mistake: Option<Error>,
}

/// The subject of an exchange.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The token, if it is not among the parameters of the request.
    pub(crate) token: Option<Secret>,
    pub(crate) ends_at: Option<Duration>,
    pub(crate) challenge: CallerChallenge,
}

/// Whose token it is: on this depends what a refusal of another API means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// That of this service.
    Service,
    /// That of the caller.
    Caller,
    /// That of an account of the caller at another provider.
    Account,
}

impl TokenSource {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        request: &Arc<TokenRequest>,
        subject: Option<Subject>,
    ) -> Self {
        let mut key = request.key.clone();
        if let Some(token) = subject.as_ref().and_then(|subject| subject.token.as_ref()) {
            key.part("subject_token", token.as_bytes());
        }
        Self(Arc::new(Source {
            slot: ArcSwapOption::empty(),
            clock: Arc::clone(&shared.server.clock),
            shared: Arc::clone(shared),
            request: Arc::clone(request),
            subject,
            key: key.finish(),
        }))
    }

    /// Returns a token that is valid now.
    ///
    /// A token for this service is renewed in the background after 80 % of its life, and serves while Auth0 fails. A
    /// token that was exchanged ends with its subject token at the latest.
    ///
    /// # Errors
    /// [`ErrorKind`] lists the causes. The call takes ten seconds at most unless
    /// [`ClientBuilder::deadline`](crate::ClientBuilder::deadline) says otherwise.
    pub async fn token(&self) -> Result<Token, Error> {
        let source = &*self.0;
        if let Some(held) = source.slot.load_full()
            && held.is_known_fresh(source.clock.monotonic())
        {
            return Ok(Token(held));
        }
        // In a box: the future of a call that finds a fresh token stays small.
        let other = Box::pin(source.token());
        other.await.map(Token).map_err(|error| source.of_caller(error))
    }

    /// Returns the source of tokens in exchange for one that is among the parameters of the request.
    pub(crate) fn of_exchange(
        shared: &Arc<Shared>,
        request: &Arc<TokenRequest>,
        ends_at: Option<Duration>,
    ) -> Self {
        let challenge = CallerChallenge::default();
        Self::new(shared, request, Some(Subject { token: None, ends_at, challenge }))
    }

    /// Returns the access token with those that came with it.
    pub(crate) async fn tokens(&self) -> Result<Tokens, Error> {
        self.token().await.map(|token| Tokens(token.0))
    }

    /// Forgets a token that an API has refused with `401`: the next call of [`token`](Self::token) requests another.
    /// Returns `false`, and keeps the token, if one of the same source was forgotten less than ten seconds ago: the
    /// cause is another one then, such as a wrong audience.
    #[must_use = "if the token was not forgotten, another attempt fails in the same way"]
    pub fn forget(&self, token: &Token) -> bool {
        self.0.shared.cache.forget(&self.0.key, &token.0)
    }

    /// Returns the error of an API that refuses a request with a token of this source, for
    /// [`Error::reply`]: with this status, which is not a success, and this `Retry-After`.
    ///
    /// 401 and 403 are passed on if the token is the caller's. They are a mistake in the configuration if it is this
    /// service's own, because no caller can correct it. A refused token of Token Vault is an account that the user
    /// has to connect again. Other statuses: [`Error::of_downstream`].
    #[must_use]
    pub fn refused(&self, status: u16, retry_after: Option<&str>) -> Error {
        let kind = match (status, self.0.request.party) {
            (401, Party::Caller) => ErrorKind::InvalidGrant,
            (403, Party::Caller | Party::Account) => ErrorKind::Denied,
            (401, Party::Account) => ErrorKind::AccountNotConnected,
            _ => return self.failed(Error::of_downstream(status, retry_after)),
        };
        self.failed(Error::downstream(kind, status, retry_after))
    }

    /// Logs the failure of a request to another API.
    pub(crate) fn failed(&self, error: Error) -> Error {
        let error = self.0.of_caller(error);
        let grant = self.0.request.call.label;
        match error.kind() {
            ErrorKind::Misconfigured => tracing::error!(
                target: "auth0", grant, %error,
                "another API refuses the token of this service: compare the audience with that API, and the \
                 application's permissions"
            ),
            ErrorKind::Denied | ErrorKind::InvalidGrant | ErrorKind::AccountNotConnected => {
                tracing::debug!(target: "auth0", grant, %error, "another API refuses a caller");
            }
            _ => tracing::warn!(target: "auth0", grant, %error, "a request to another API failed"),
        }
        error
    }

    /// Returns the limit of a call.
    #[cfg(feature = "send")]
    pub(crate) fn deadline(&self) -> Duration {
        self.0.request.deadline
    }

    /// Returns the time since 1970.
    #[cfg(feature = "send")]
    pub(crate) fn unix_time(&self) -> Duration {
        self.0.clock.unix_time()
    }

    /// Waits for this long.
    #[cfg(feature = "send")]
    pub(crate) async fn time_passed(&self, limit: Duration) {
        passed_while_running(&self.0.clock, limit).await;
    }
}

impl Source {
    /// Returns a token if the one at hand is not fresh.
    async fn token(&self) -> Outcome {
        let now = self.clock.moment();
        if let Some(held) = self.slot.load_full()
            && held.freshness(now) == Freshness::Fresh
        {
            held.note_fresh(now);
            return Ok(held);
        }
        if let Some(mistake) = &self.request.mistake {
            self.shared.server.log(&self.request.call, mistake);
            return Err(mistake.clone());
        }
        let held = self.newest();
        let deadline = self.deadline(self.request.deadline);
        match held.as_ref().map_or(Freshness::Expired, |held| held.freshness(now)) {
            Freshness::Fresh => {}
            Freshness::Renewable => {
                if self.request.party == Party::Service {
                    self.shared.cache.renew(self.key, &deadline, || self.request(&deadline));
                }
            }
            Freshness::Expiring => return self.replaced(held).await,
            Freshness::Expired => return self.requested(&deadline, self.request.deadline).await,
        }
        metrics::cache_hit(self.request.call.label);
        if let Some(held) = held {
            self.slot.store(Some(Arc::clone(&held)));
            return Ok(held);
        }
        self.requested(&deadline, self.request.deadline).await
    }

    /// Requests a token in place of one that is valid for a moment only, and returns this one if that fails.
    async fn replaced(&self, held: Option<Arc<Held>>) -> Outcome {
        let is_failing = self.shared.cache.has_just_failed(&self.key);
        let result = match (&held, is_failing) {
            (Some(held), true) => return Ok(Arc::clone(held)),
            // The request itself has all the time of a call.
            _ => {
                let limit = self.request.deadline;
                self.requested(&self.deadline(limit), limit.min(PATIENCE)).await
            }
        };
        let is_valid = |held: &Arc<Held>| held.freshness(self.clock.moment()) != Freshness::Expired;
        match (result, held) {
            (Err(error), Some(held)) if self.may_outlive(&error) && is_valid(&held) => Ok(held),
            (result, _) => result,
        }
    }

    /// Returns whether a token that is still valid is better than this error. That of a caller may have been withdrawn.
    fn may_outlive(&self, error: &Error) -> bool {
        let is_own = self.request.party == Party::Service;
        is_own || error.is_temporary() || error.kind() == ErrorKind::Malformed
    }

    /// Waits for a request, which it joins or starts, for so long at most.
    async fn requested(&self, deadline: &Deadline, patience: Duration) -> Outcome {
        let clock = &*self.clock;
        let mut is_over = pin!(passed_while_running(&self.clock, patience));
        let (mut deadline, mut may_repeat) = (deadline.clone(), self.is_repeatable());
        loop {
            let joined = self.shared.cache.join(self.key, &deadline, || self.request(&deadline))?;
            let waiter = match joined {
                Flight::Pending(waiter) => waiter,
                Flight::Ended(held) => {
                    self.slot.store(Some(Arc::clone(&held)));
                    return Ok(held);
                }
            };
            let outcome = tokio::select! {
                biased;
                outcome = waiter.outcome() => outcome,
                () = &mut is_over => return Err(deadline.error()),
            };
            deadline.has_waited();
            match outcome {
                // It ended before this call saw it: its task, or the process, did not run.
                Some(Ok(held)) if may_repeat && held.has_ended(clock.moment()) => {
                    may_repeat = false;
                    deadline = self.deadline(self.request.deadline);
                    is_over.set(passed_while_running(&self.clock, patience));
                }
                Some(Ok(held)) => {
                    if held.lifetime.is_some() {
                        self.slot.store(Some(Arc::clone(&held)));
                    }
                    return Ok(held);
                }
                // The request was that of a call with less time.
                Some(Err(error))
                    if error.kind() == ErrorKind::DeadlineExceeded
                        && deadline.left(clock) > SHORTEST_CALL => {}
                Some(Err(error)) => return Err(error),
                None => {
                    return Err(Error::new(ErrorKind::Unavailable, "The request was abandoned"));
                }
            }
        }
    }

    /// Returns the request, which depends on nothing of this call.
    fn request(&self, deadline: &Deadline) -> impl Future<Output = Outcome> + Send + use<> {
        let deadline = deadline.clone();
        let (shared, request) = (Arc::clone(&self.shared), Arc::clone(&self.request));
        let subject = self.subject.as_ref().map(|subject| (subject.token.clone(), subject.ends_at));
        async move {
            let mut call = request.call.clone();
            let (token, ends_at) = subject.unwrap_or_default();
            if let (Body::Form(parameters), Some(token)) = (&mut call.body, token) {
                parameters.set("subject_token", token);
            }
            shared.tokens(&call, &request.scope, ends_at, None, &deadline).await
        }
    }

    /// Returns whether the request can be sent again. A token exchange is sent once: its subject may be spent.
    fn is_repeatable(&self) -> bool {
        self.subject.as_ref().is_none_or(|subject| subject.token.is_some())
    }

    /// Returns the token in memory that is valid longest.
    fn newest(&self) -> Option<Arc<Held>> {
        let own = self.slot.load_full().filter(|held| !held.is_forgotten());
        let known = self.shared.cache.find(&self.key);
        let end = |held: &Arc<Held>| held.lifetime.as_ref().map(Lifetime::ends_at);
        [own, known].into_iter().flatten().max_by_key(end)
    }

    fn deadline(&self, limit: Duration) -> Deadline {
        Deadline::after(limit, &*self.clock)
    }

    fn of_caller(&self, error: Error) -> Error {
        match &self.subject {
            Some(subject) => error.with_challenge(subject.challenge.clone()),
            None => error,
        }
    }
}

impl IntoFuture for TokenSource {
    type Output = Result<Token, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.token().await })
    }
}

impl<'a> IntoFuture for &'a TokenSource {
    type Output = Result<Token, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.token())
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("grant", &self.0.request.call.label)
            .field("scope", &self.0.request.scope)
            .finish_non_exhaustive()
    }
}
