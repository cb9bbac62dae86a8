//! The adapter on rocket's own server gives what `auth0-axum` gives on axum's, byte for byte.
use crate::{
    ReadMessages,
    adapter::{AccessToken, Authorized, MaybeAccessToken, protect},
};
use auth0_axum::{
    Auth0, Dpop,
    policy::*,
    testing::{Failure, Tenant, TokenBuilder},
};
use axum::Router;
use rocket::{Config, config::LogLevel, fairing::AdHoc, get, routes};
use std::{net::SocketAddr, sync::Mutex};
use tokio::{net::TcpListener, sync::oneshot};
use wire_tests::client::{self, Answer};

policy!(Recent = all_of![acr(MFA), max_age(300)]);
policy!(Purge = permission("messages:purge"));
policy!(OfHeader = organization_in_header("x-organization"));

mod by_rocket {
    use super::{
        AccessToken, Authorized, MaybeAccessToken, OfHeader, Purge, ReadMessages, Recent, get,
    };

    #[get("/token")]
    pub(super) fn token(token: AccessToken) -> String {
        token.0.subject().to_owned()
    }
    #[get("/maybe")]
    pub(super) fn maybe(token: MaybeAccessToken) -> String {
        token.0.map_or("anonymous".into(), |token| token.subject().to_owned())
    }
    #[get("/scope")]
    pub(super) fn scope(token: Authorized<ReadMessages>) -> String {
        token.0.subject().to_owned()
    }
    #[get("/permission")]
    pub(super) fn permission(token: Authorized<Purge>) -> String {
        token.0.subject().to_owned()
    }
    #[get("/recent")]
    pub(super) fn recent(token: Authorized<Recent>) -> String {
        token.0.subject().to_owned()
    }
    #[get("/organization")]
    pub(super) fn organization(token: Authorized<OfHeader>) -> String {
        token.0.subject().to_owned()
    }
    #[get("/twice")]
    pub(super) fn twice(token: AccessToken, same: Authorized<ReadMessages>) -> String {
        format!("{} {}", token.0.subject(), same.0.subject())
    }
}

mod by_axum {
    use super::{OfHeader, Purge, ReadMessages, Recent};
    use auth0_axum::{AccessToken, Auth0, Authorized};
    use axum::{Router, routing::get};

    async fn token(token: AccessToken) -> String {
        token.subject().to_owned()
    }
    async fn maybe(token: Option<AccessToken>) -> String {
        token.map_or("anonymous".into(), |token| token.subject().to_owned())
    }
    async fn authorized<P>(token: Authorized<P>) -> String {
        token.subject().to_owned()
    }
    async fn twice(token: AccessToken, same: Authorized<ReadMessages>) -> String {
        format!("{} {}", token.subject(), same.subject())
    }

    pub(super) fn app(auth: Auth0) -> Router {
        let routes = Router::new()
            .route("/token", get(token))
            .route("/maybe", get(maybe))
            .route("/scope", get(authorized::<ReadMessages>))
            .route("/permission", get(authorized::<Purge>))
            .route("/recent", get(authorized::<Recent>))
            .route("/organization", get(authorized::<OfHeader>))
            .route("/twice", get(twice));
        Router::new().nest("/api", routes).with_state(auth)
    }
}

/// Two servers, each with a verifier of its own.
#[derive(Clone, Copy)]
struct Servers {
    rocket: SocketAddr,
    axum: SocketAddr,
}

async fn start(auth: impl Fn() -> Auth0) -> Servers {
    Servers { rocket: start_rocket(auth()).await, axum: start_axum(by_axum::app(auth())).await }
}

async fn start_axum(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn start_rocket(auth: Auth0) -> SocketAddr {
    let (sender, receiver) = oneshot::channel();
    let sender = Mutex::new(Some(sender));
    let started = AdHoc::on_liftoff("address", move |rocket| {
        let config = rocket.config();
        let address = SocketAddr::new(config.address, config.port);
        let sender = sender.lock().unwrap().take();
        Box::pin(async move { sender.unwrap().send(address).unwrap() })
    });
    let config = Config { port: 0, log_level: LogLevel::Off, ..Config::debug_default() };
    let routes = routes![
        by_rocket::token,
        by_rocket::maybe,
        by_rocket::scope,
        by_rocket::permission,
        by_rocket::recent,
        by_rocket::organization,
        by_rocket::twice
    ];
    let rocket = rocket::custom(config).attach(protect(auth)).attach(started).mount("/api", routes);
    tokio::spawn(async move { rocket.launch().await.map(drop) });
    receiver.await.unwrap()
}

impl Servers {
    /// Sends a request to both. The responses are equal.
    async fn get(&self, path: &str, lines: &[(&str, &[u8])]) -> Answer {
        let rocket = of_rocket(client::get(self.rocket, path, lines).await);
        let axum = client::get(self.axum, path, lines).await;
        assert_eq!(rocket, axum, "{path} {lines:?}");
        axum
    }
}

/// Removes the headers that rocket adds to every response.
fn of_rocket(mut answer: Answer) -> Answer {
    let own = ["permissions-policy", "server", "x-content-type-options", "x-frame-options"];
    for name in own {
        assert_eq!(answer.lines(name).len(), 1, "{name}");
    }
    answer.headers.retain(|(name, _)| !own.contains(&&**name));
    answer
}

fn bearer(token: &TokenBuilder) -> String {
    format!("Bearer {}", token.mint())
}

/// Returns the statuses that a path has for each of these headers.
async fn statuses(servers: Servers, path: &str, headers: &[&[&str]]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for values in headers {
        let lines: Vec<_> =
            values.iter().map(|value| ("authorization", value.as_bytes())).collect();
        statuses.push(servers.get(path, &lines).await.status);
    }
    statuses
}

#[rocket::async_test]
async fn refusals_have_the_same_bytes() {
    let tenant = Tenant::new();
    let (good, expired) = (bearer(&tenant.token()), bearer(&tenant.token().expired()));
    let forged = bearer(&tenant.token().broken_signature());
    let other = bearer(&tenant.token().audience("https://other.test"));
    let stranger = bearer(&tenant.token().issuer("https://stranger.test/"));
    let unknown = bearer(&tenant.token().signed_by(&tenant.unknown_key()));
    let long = format!("Bearer {}", "a".repeat(17 * 1024));
    let credentials: [&[&str]; 18] = [
        &[],
        &["Bearer"],
        &["Bearer "],
        &["Basic YTpi"],
        &["bearer x"],
        &["Bearer x y"],
        &["Bearer a.b.c.d.e"],
        &["Bearer \u{e4}"],
        &["DPoP x"],
        &[&good, &good],
        &[&good, "Bearer x"],
        &["Basic YTpi", &good],
        &[&expired],
        &[&forged],
        &[&other],
        &[&stranger],
        &[&unknown],
        &[&long],
    ];
    let expected =
        [401, 400, 400, 401, 401, 400, 401, 400, 401, 400, 400, 400, 401, 401, 401, 401, 401, 400];
    let builder = || tenant.builder();
    for servers in [
        start(|| builder().build().unwrap()).await,
        start(|| builder().realm("messages \"a\"").dpop(Dpop::disabled()).build().unwrap()).await,
        start(|| builder().resource("https://api.test/api").build().unwrap()).await,
    ] {
        for path in ["/api/token", "/api/scope", "/api/twice"] {
            assert_eq!(statuses(servers, path, &credentials).await, expected, "{path}");
            assert_eq!(servers.get(path, &[("authorization", b"")]).await.status, 400);
        }
        // Optional: only the request without credentials is admitted.
        let [_, refused @ ..] = &expected;
        let optional = statuses(servers, "/api/maybe", &credentials).await;
        assert_eq!((optional[0], &optional[1..]), (200, &refused[..]));
        assert_eq!(statuses(servers, "/api/maybe", &[&[&good]]).await, [200]);
        assert_eq!(statuses(servers, "/api/token", &[&[&good]]).await, [200]);
    }
}

#[rocket::async_test]
async fn requirements_have_the_same_bytes() {
    let tenant = Tenant::new();
    let servers = start(|| tenant.auth0()).await;
    let now = tenant.clock().clone();
    let now = auth0_axum::auth0_core::time::Clock::unix_time(&now).as_secs();
    let (plain, reader) = (tenant.token(), tenant.token().scope("read:messages"));
    let admin = tenant.token().permissions(["messages:purge"]);
    let strong = tenant.token().claim("acr", MFA).claim("auth_time", now - 10);
    let old = tenant.token().claim("acr", MFA).claim("auth_time", now - 1000);
    let member = tenant.token().organization("org_a1", "acme");
    for (path, token, status) in [
        ("/api/scope", &plain, 403),
        ("/api/scope", &reader, 200),
        ("/api/twice", &plain, 403),
        ("/api/twice", &reader, 200),
        ("/api/permission", &plain, 403),
        ("/api/permission", &admin, 200),
        ("/api/recent", &plain, 401),
        ("/api/recent", &old, 401),
        ("/api/recent", &strong, 200),
        ("/api/organization", &plain, 403),
        ("/api/organization", &member, 200),
    ] {
        let authorization = bearer(token);
        let lines: [(&str, &[u8]); 2] =
            [("authorization", authorization.as_bytes()), ("X-Organization", b"org_a1")];
        assert_eq!(servers.get(path, &lines).await.status, status, "{path}");
    }
}

#[rocket::async_test]
async fn an_outage_is_503() {
    let tenant = Tenant::new();
    tenant.fail(Failure::Unreachable);
    let servers = start(|| tenant.auth0()).await;
    let authorization = bearer(&tenant.token());
    for path in ["/api/token", "/api/maybe", "/api/scope"] {
        let answer = servers.get(path, &[("authorization", authorization.as_bytes())]).await;
        assert_eq!((answer.status, answer.lines("retry-after").len()), (503, 1), "{path}");
        assert_eq!(answer.lines("www-authenticate").len(), 0, "{path}");
    }
}

/// Sends a proof to each server, for its own URL. The responses are equal.
async fn prove(
    servers: Servers,
    path: &str,
    lines: impl Fn(&str) -> Vec<(&'static str, String)>,
) -> Answer {
    let mut answers = Vec::new();
    for server in [servers.rocket, servers.axum] {
        let lines = lines(&format!("http://{server}{path}"));
        let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        answers.push(client::get(server, path, &lines).await);
    }
    let axum = answers.pop().unwrap();
    assert_eq!(of_rocket(answers.pop().unwrap()), axum, "{path}");
    axum
}

#[rocket::async_test]
async fn proofs_are_checked_for_the_url_and_once() {
    let tenant = Tenant::new();
    let token = tenant.token().scope("read:messages").bound_to(&tenant.client_key()).mint();
    let authorization = ("authorization", format!("DPoP {token}"));
    let proof =
        |method: &str, url: &str| ("dpop", tenant.proof(method, url).for_token(&token).mint());
    for dpop in [Dpop::allowed(), Dpop::required()] {
        let servers = start(|| tenant.builder().dpop(dpop.clone()).build().unwrap()).await;
        let answer = prove(servers, "/api/token", |_| vec![authorization.clone()]).await;
        assert!(answer.body.contains("dpop_proof_missing"), "{answer:?}");
        let answer =
            prove(servers, "/api/token", |url| vec![authorization.clone(), proof("POST", url)]);
        assert!(answer.await.body.contains("dpop_proof_invalid"));
        let answer = prove(servers, "/api/token", |url| {
            vec![authorization.clone(), proof("GET", &url.replace("/api", ""))]
        });
        assert!(answer.await.body.contains("dpop_proof_invalid"));
        let answer = prove(servers, "/api/token", |url| {
            vec![authorization.clone(), proof("GET", url), proof("GET", url)]
        });
        assert!(answer.await.body.contains("request_malformed"));
        let bearer = ("authorization", format!("Bearer {token}"));
        assert_eq!(prove(servers, "/api/token", |_| vec![bearer.clone()]).await.status, 401);
        // Two guards verify once: a second verification would refuse the proof as used.
        let kept = Mutex::new(Vec::new());
        let answer = prove(servers, "/api/twice", |url| {
            let lines = vec![authorization.clone(), proof("GET", url)];
            kept.lock().unwrap().push(lines.clone());
            lines
        });
        assert_eq!(answer.await.status, 200);
        let kept = Mutex::new(kept.into_inner().unwrap().into_iter());
        let again = prove(servers, "/api/twice", |_| kept.lock().unwrap().next().unwrap()).await;
        assert!(again.body.contains("dpop_proof_replayed"), "{again:?}");
    }
}

#[rocket::async_test]
async fn a_nonce_is_sent() {
    let tenant = Tenant::new();
    let token = tenant.token().bound_to(&tenant.client_key()).mint();
    let nonces = || {
        let secret = auth0_axum::auth0_core::dpop::DpopNonces::with_secret([7; 32]);
        Dpop::required().nonces(secret)
    };
    let servers = start(|| tenant.builder().dpop(nonces()).build().unwrap()).await;
    let lines = |url: &str, nonce: &str| {
        let proof = tenant.proof("GET", url).for_token(&token);
        let proof = if nonce.is_empty() { proof } else { proof.nonce(nonce) };
        vec![("authorization", format!("DPoP {token}")), ("dpop", proof.mint())]
    };
    let answer = prove(servers, "/api/token", |url| lines(url, "")).await;
    assert!(answer.body.contains("dpop_nonce_required"), "{answer:?}");
    let nonce = answer.lines("dpop-nonce")[0].to_owned();
    assert_eq!(prove(servers, "/api/token", |url| lines(url, &nonce)).await.status, 200);
}

/// Over HTTP/2, the authority takes the place of `Host`.
#[rocket::async_test]
async fn proofs_are_checked_over_http2() {
    let tenant = Tenant::new();
    let servers = start(|| tenant.auth0()).await;
    let token = tenant.token().bound_to(&tenant.client_key()).mint();
    for server in [servers.rocket] {
        let url = format!("http://{server}/api/token");
        for (proof_url, status) in [(&*url, 200), ("http://other.test/api/token", 401)] {
            let proof = tenant.proof("GET", proof_url).for_token(&token).mint();
            let authorization = format!("DPoP {token}");
            let lines = [("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
            assert_eq!(client::get_over_http2(server, &url, &lines).await, status, "{proof_url}");
        }
    }
}

/// What rocket does before a guard sees the request, and the page says.
#[rocket::async_test]
async fn limits_of_rocket() {
    let tenant = Tenant::new();
    let servers = start(|| tenant.auth0()).await;
    // A header that is not UTF-8 does not reach a guard.
    let lines: [(&str, &[u8]); 1] = [("authorization", b"Bearer \xff")];
    assert_eq!(client::get(servers.rocket, "/api/token", &lines).await.status, 401);
    assert_eq!(client::get(servers.axum, "/api/token", &lines).await.status, 400);
    // For HEAD, rocket calls the handler of GET with that method.
    let token = tenant.token().bound_to(&tenant.client_key()).mint();
    for (method, status) in [("GET", "200"), ("HEAD", "401")] {
        let url = format!("http://{}/api/token", servers.rocket);
        let proof = tenant.proof(method, &url).for_token(&token).mint();
        let authorization = format!("DPoP {token}");
        let lines = [("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
        let host = format!("host: {}\r\n", servers.rocket);
        let answer = client::send(servers.rocket, "HEAD /api/token", &host, &lines).await;
        assert_eq!(answer.status.to_string(), status, "{method}");
    }
}
