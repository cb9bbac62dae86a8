//! A tenant with the clients of the tests, and a transport that knows whether a request is pending.
use auth0_client::{Client, ClientBuilder, SigningKey};
use auth0_core::{
    Algorithm, BoxFuture,
    support::{default_client, fetch_thread},
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use auth0_local::{Api, Builder, Client as Registered, LocalTenant, Membership, User};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The API of the caller, and two that it calls.
pub(crate) const API: &str = auth0_local::DEFAULT_AUDIENCE;
pub(crate) const DOWN: &str = "https://down.test";
pub(crate) const FAR: &str = "https://far.test";
pub(crate) const CALLBACK: &str = "http://localhost:3000/callback";
pub(crate) const SECRET: &str = "s3cret a+b/%:é";
pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A tenant with two users, three APIs with a client each, a machine and a web application.
pub(crate) fn acme() -> Builder {
    acme_with_new_keys().keys(&*KEY_FILE)
}

/// The same with a key of its own.
pub(crate) fn acme_with_new_keys() -> Builder {
    let acme = Membership::new("org_acme", "acme").permissions(["read:invoices"]);
    LocalTenant::builder()
        .user(User::new("auth0|ann").name("Ann").email("ann@acme.com").member_of(acme))
        .user(User::new("auth0|bob").name("Bob").email("bob@acme.com"))
        .api(Api::new(API).scopes(["read:messages", "write:messages"]).allow_offline_access())
        .api(Api::new(DOWN).scopes(["read:a", "read:b"]))
        .api(Api::new(FAR).scopes(["read:a"]))
        .client(Registered::confidential("api", SECRET).resource_server(API))
        .client(Registered::confidential("down", SECRET).resource_server(DOWN))
        .client(Registered::confidential("far", SECRET).resource_server(FAR))
        .client(Registered::confidential("service", SECRET))
        .client(Registered::confidential("web", SECRET).callback(CALLBACK))
        .client(Registered::public("spa").callback(CALLBACK))
}

/// Starts the configuration of a client that has the clock of the tenant.
pub(crate) fn builder(tenant: &LocalTenant, id: &str) -> ClientBuilder {
    let clock = tenant.tenant().clock().clone();
    Client::builder().issuer(tenant.issuer()).client_id(id).clock(clock)
}

/// Returns a client with a secret.
pub(crate) fn client(tenant: &LocalTenant, id: &str) -> Client {
    builder(tenant, id).client_secret(SECRET).build().unwrap()
}

/// Returns the claims of a token that the tenant has signed.
pub(crate) fn claims(tenant: &LocalTenant, token: &str) -> Value {
    tenant.tenant().signed_claims(token).expect("a token of the tenant")
}

/// Returns the token of a user as the caller of the API.
pub(crate) fn token_of(tenant: &LocalTenant, user: &str) -> String {
    tenant.token().subject(user).client("spa").scope("read:messages").mint()
}

pub(crate) fn advance(tenant: &LocalTenant, time: Duration) {
    tenant.tenant().clock().advance(time);
}

/// Two RSA keys in the forms of the tenant and of the client: their generation is slow.
static KEYS: LazyLock<[auth0_testing::SigningKey; 2]> =
    LazyLock::new(|| [(); 2].map(|()| new_key()));

/// The key of the tenants: one for all tests of this process and of later ones.
static KEY_FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (file, draft) = ("tenant-key", format!("tenant-key-{}", std::process::id()));
    let (file, draft) = (directory.join(file), directory.join(draft));
    if !file.exists() {
        fs::write(&draft, pem(&new_key())).unwrap();
        fs::rename(&draft, &file).unwrap();
    }
    file
});

fn new_key() -> auth0_testing::SigningKey {
    auth0_testing::SigningKey::generate(Algorithm::RS256).unwrap()
}

fn pem(key: &auth0_testing::SigningKey) -> String {
    let body = STANDARD.encode(key.to_pkcs8().unwrap());
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

/// Returns a key pair: the private key of the client, and the public one.
pub(crate) fn key_pair(number: usize) -> (SigningKey, Value) {
    (SigningKey::from_pem(pem(&KEYS[number])).unwrap(), KEYS[number].jwk())
}

/// The transport of the client, with headers that it adds, and the number of requests that are pending.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    inner: Arc<dyn HttpClient>,
    headers: Vec<(&'static str, String)>,
    pending: Arc<AtomicUsize>,
    step: Duration,
}

impl Wire {
    pub(crate) fn new() -> Self {
        let inner = default_client("http://127.0.0.1/", None).unwrap();
        Self { inner, headers: Vec::new(), pending: Arc::default(), step: SECOND }
    }

    /// Lets time pass in these steps, not in seconds.
    pub(crate) fn in_steps_of(step: Duration) -> Self {
        Self { step, ..Self::new() }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Waits until no request is pending, and none follows without time passing.
    pub(crate) async fn idle(&self) {
        let mut rounds = 0;
        while rounds < 32 {
            fetch_thread::spawn(tokio::task::yield_now()).unwrap().await.unwrap();
            tokio::task::yield_now().await;
            rounds = if self.pending.load(Ordering::SeqCst) == 0 { rounds + 1 } else { 0 };
        }
    }

    /// Runs a future. Time passes on the clock of the tenant whenever the future waits for that only.
    pub(crate) async fn run<F: Future>(&self, tenant: &LocalTenant, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => return output,
                () = self.idle() => advance(tenant, self.step),
            }
        }
    }
}

/// A request that ends or is cancelled.
struct Pending<'a>(&'a AtomicUsize);

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl HttpClient for Wire {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            self.pending.fetch_add(1, Ordering::SeqCst);
            let _pending = Pending(&self.pending);
            let mut headers = request.headers.to_vec();
            headers.extend(self.headers.iter().map(|(name, value)| (*name, value.as_str())));
            let mut request = request;
            request.headers = &headers;
            self.inner.send(request).await
        })
    }
}

/// The members of `authorization_details`, in no order.
pub(crate) fn authorization_details(tokens: &auth0_client::Tokens) -> serde_json::Value {
    serde_json::from_str(tokens.authorization_details().expect("there are details")).unwrap()
}
