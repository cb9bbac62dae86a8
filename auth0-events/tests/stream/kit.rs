//! A tenant, a subscriber, and a clock whose pauses the tests can wait for.
use auth0_client::Client;
use auth0_core::{Auth0, BoxFuture, Revocations, time::Clock};
use auth0_events::{EventSubscriber, EventSubscriberBuilder};
use auth0_local::{Builder, Client as Registered, ClientGrant, LocalTenant, Membership, User};
use auth0_testing::{ManualClock, SigningKey};
use std::{
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::watch,
    task::{JoinHandle, yield_now},
    time::timeout,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// How often a lease is renewed.
pub(crate) const RENEWAL: Duration = Duration::from_secs(5);

/// The limits of calls and answers, and the interval of renewals: a range of pauses does not mean them.
const LIMITS: [Duration; 3] = [Duration::from_secs(3), RENEWAL, Duration::from_secs(10)];

/// A test that waits for longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A clock that tests advance, and that knows who waits for it. Clones share the time.
#[derive(Clone, Debug)]
pub(crate) struct TestClock {
    inner: ManualClock,
    pauses: watch::Sender<Pauses>,
}

#[derive(Clone, Debug, Default)]
struct Pauses {
    next: u64,
    pending: Vec<(u64, Pause)>,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    time: Duration,
    ends_at: Duration,
}

impl TestClock {
    pub(crate) fn new(inner: &ManualClock) -> Self {
        Self { inner: inner.clone(), pauses: watch::Sender::default() }
    }

    /// Advances the clock, by whole milliseconds.
    pub(crate) fn advance(&self, time: Duration) {
        let millis = time.as_nanos().div_ceil(1_000_000);
        self.inner.advance(Duration::from_millis(u64::try_from(millis).unwrap()));
    }

    /// Waits until something waits for a time in this range. Returns the time.
    pub(crate) async fn pause(&self, range: RangeInclusive<Duration>) -> Duration {
        let mut pauses = self.pauses.subscribe();
        let found = |pauses: &Pauses| {
            let now = self.inner.monotonic();
            let mut all = pauses.pending.iter().map(|(_, pause)| *pause);
            let is_meant = |pause: &Pause| match range.start() == range.end() {
                true => pause.time == *range.start(),
                false => range.contains(&pause.time) && !LIMITS.contains(&pause.time),
            };
            all.find(|pause| pause.ends_at > now && is_meant(pause))
        };
        let wait = async {
            loop {
                if let Some(pause) = found(&pauses.borrow_and_update()) {
                    return pause.time;
                }
                pauses.changed().await.unwrap();
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| {
            panic!("nothing waits for {range:?}, but {:?}", self.pauses.borrow().pending)
        })
    }

    /// Returns whether something has begun to wait for this time less than a second ago.
    pub(crate) fn has_begun(&self, time: Duration) -> bool {
        let least = self.inner.monotonic() + time - SECOND;
        let pauses = self.pauses.borrow();
        pauses.pending.iter().any(|(_, pause)| pause.time == time && pause.ends_at >= least)
    }

    /// Waits until something waits for a time in this range, and lets that time pass.
    pub(crate) async fn skip(&self, range: RangeInclusive<Duration>) -> Duration {
        let pause = self.pause(range).await;
        self.advance(pause);
        pause
    }

    /// Lets time pass in which a leader renews its lease.
    pub(crate) async fn pass(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            self.pause(RENEWAL..=RENEWAL).await;
            let step = left.min(RENEWAL);
            self.advance(step);
            left -= step;
        }
    }
}

impl Clock for TestClock {
    fn unix_time(&self) -> Duration {
        self.inner.unix_time()
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let pause = Pause { time, ends_at: self.monotonic() + time };
        let mut id = 0;
        let sleep = self.inner.sleep(time);
        self.pauses.send_modify(|pauses| {
            pauses.next += 1;
            id = pauses.next;
            pauses.pending.push((id, pause));
        });
        Box::pin(Sleep { id, sleep, pauses: self.pauses.clone() })
    }
}

struct Sleep {
    id: u64,
    sleep: BoxFuture<'static, ()>,
    pauses: watch::Sender<Pauses>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(context)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.pauses.send_modify(|pauses| pauses.pending.retain(|(id, _)| *id != self.id));
    }
}

/// Waits, without a pause, until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            yield_now().await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what} does not happen"));
}

/// A task that ends with the test.
pub(crate) struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) fn run(subscriber: EventSubscriber) -> Running {
    Running(tokio::spawn(subscriber.run()))
}

/// A tenant with two users, its revocations, and a verifier that knows them.
pub(crate) struct Kit {
    pub(crate) tenant: LocalTenant,
    pub(crate) clock: TestClock,
    pub(crate) revocations: Revocations,
    pub(crate) auth: Auth0,
}

impl Kit {
    pub(crate) async fn start() -> Self {
        Self::of(acme()).await
    }

    pub(crate) async fn of(builder: Builder) -> Self {
        Self::with(builder, Revocations::in_memory()).await
    }

    pub(crate) async fn with(builder: Builder, revocations: Revocations) -> Self {
        let tenant = builder.start().await.unwrap();
        let grant = ClientGrant::new(tenant.management_audience()).scopes(["read:events"]);
        tenant.add_client(Registered::confidential("events", "s3cret").grant(grant)).unwrap();
        let auth = tenant.tenant().builder().revocations(&revocations).build().unwrap();
        let clock = TestClock::new(tenant.tenant().clock());
        Self { tenant, clock, revocations, auth }
    }

    pub(crate) fn client(&self) -> Client {
        let client = Client::builder().issuer(self.tenant.issuer()).client_id("events");
        client.client_secret("s3cret").clock(self.tenant.tenant().clock().clone()).build().unwrap()
    }

    pub(crate) fn builder(&self) -> EventSubscriberBuilder {
        let builder = EventSubscriber::builder().client(&self.client());
        builder.revocations(&self.revocations).clock(self.clock.clone())
    }

    /// Runs a subscriber, and waits until it is connected.
    pub(crate) async fn run(&self, builder: EventSubscriberBuilder) -> Running {
        let running = run(builder.build().unwrap());
        self.connected().await;
        running
    }

    pub(crate) async fn connected(&self) {
        until("a connection", || self.connections() == 1).await;
    }

    pub(crate) fn connections(&self) -> usize {
        self.tenant.events().connections()
    }

    /// Waits until there are so many revocations.
    pub(crate) async fn revoked(&self, count: usize) {
        until("a revocation", || self.revocations.count() == count).await;
    }

    pub(crate) async fn accepts(&self, token: &str) -> bool {
        match self.auth.verify(token).await {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.code().as_str(), "token_revoked", "{error}");
                false
            }
        }
    }
}

pub(crate) fn acme() -> Builder {
    LocalTenant::builder()
        .user(User::new("auth0|ann").member_of(Membership::new("org_acme", "acme")))
        .user(User::new("auth0|bob"))
        .keys(&*KEY_FILE)
}

/// The key of all tenants: its generation is slow.
static KEY_FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (file, draft) = ("events-key", format!("events-key-{}", std::process::id()));
    let (file, draft) = (directory.join(file), directory.join(draft));
    if !file.exists() {
        let key = SigningKey::generate(auth0_core::Algorithm::RS256).unwrap();
        fs::write(&draft, key.to_pkcs8().unwrap()).unwrap();
        fs::rename(&draft, &file).unwrap();
    }
    file
});
