//! Which issuers are trusted for a request, and what a resolver sees of it.
use super::{Behaviour, BoxError, Customers, auth, host, refusal, send, spawn_send, tenants};
use crate::{
    common::{Documents, Request, fetches, header, settle, until},
    issuer::{API, token},
};
use auth0_core::policy::{check, organization};
use auth0_core::{
    Auth0, BoxFuture, DpopMode, ErrorCode, TrustedIssuer, VerifiedToken,
    resolver::{IssuerResolver, ResolvedIssuers, ResolverContext},
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use auth0_testing::{Document, Failure, Tenant};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

#[tokio::test]
async fn an_issuer_is_trusted_on_the_host_of_its_customer() {
    let tenants = tenants(3);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, customers.clone());
    let [one, two, three] = &tenants[..] else { panic!() };
    let text = token(one).mint();
    for _ in 0..2 {
        assert_eq!(send(&auth, &host(one), &text).await.unwrap(), one.issuer());
        // Also while the token is in the cache.
        assert_eq!(refusal(&auth, &host(two), &text).await, ErrorCode::IssuerMismatch);
        assert_eq!(refusal(&auth, "unknown.test", &text).await, ErrorCode::IssuerMismatch);
        assert_eq!(refusal(&auth, "a/b", &text).await, ErrorCode::IssuerMismatch, "no host");
    }
    let error = send(&auth, &host(two), &text).await.unwrap_err();
    let cause = error.cause().unwrap();
    assert!(cause.contains("https://tenant-0.test/") && cause.contains("resolver"), "{cause}");
    let error = send(&auth, "a/b", &text).await.unwrap_err();
    assert!(error.cause().unwrap().contains("Host"), "{error:?}");
    // First on the wrong host, then on the right one in every spelling.
    let text = token(two).mint();
    assert_eq!(refusal(&auth, &host(three), &text).await, ErrorCode::IssuerMismatch);
    for host in ["tenant-1.api.test", "TENANT-1.API.test:8443", "tenant-1.api.test."] {
        assert_eq!(send(&auth, host, &text).await.unwrap(), two.issuer(), "{host}");
    }
    assert_eq!((fetches(one), fetches(two), fetches(three)), ((1, 1), (1, 1), (0, 0)));
    assert_eq!(customers.calls(), 4, "three customers and an unknown host");
    // Without a request there is no host.
    assert_eq!(auth.verify(&text).await.unwrap_err().code(), ErrorCode::IssuerMismatch);
}

#[tokio::test]
async fn configured_issuers_need_no_resolver() {
    let tenants = tenants(2);
    let customers = Customers::of(&tenants);
    customers.behave(Behaviour::Fails);
    let [configured, resolved] = &tenants[..] else { panic!() };
    let builder = configured.builder_with([resolved]).audience(API).issuer(configured.issuer());
    let auth = builder.issuer_resolver(customers.clone()).build().unwrap();
    auth.warm_up().await.unwrap();
    assert_eq!(auth.issuers().collect::<Vec<_>>(), [configured.issuer()]);
    for host in ["tenant-1.api.test", "anywhere.test"] {
        send(&auth, host, &token(configured).mint()).await.unwrap();
    }
    assert_eq!(customers.calls(), 0);
    let code = refusal(&auth, &host(resolved), &token(resolved).mint()).await;
    assert_eq!(code, ErrorCode::IssuersUnavailable);
    assert!(auth.health().is_available(), "that of the configured issuers");
    assert!(auth.health_of(resolved.issuer()).is_none());
}

#[tokio::test]
async fn a_removed_issuer_is_no_longer_trusted() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let auth = auth(&tenants, customers.clone());
    let text = token(tenant).mint();
    let trusted = || [TrustedIssuer::new(tenant.issuer())];
    // When the answer has expired.
    send(&auth, &host, &text).await.unwrap();
    customers.set(&host, []);
    send(&auth, &host, &text).await.unwrap();
    tenant.clock().advance(Duration::from_secs(60));
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
    // A new issuer is trusted within ten seconds.
    customers.set(&host, trusted());
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
    tenant.clock().advance(Duration::from_secs(10));
    send(&auth, &host, &text).await.unwrap();
    // When the application says so.
    customers.set(&host, []);
    auth.forget_resolved_issuers();
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
    customers.set(&host, trusted());
    auth.refresh().await.unwrap();
    send(&auth, &host, &text).await.unwrap();
    // In the background, when the answer is renewed.
    customers.set(&host, []);
    tenant.clock().advance(Duration::from_secs(50));
    send(&auth, &host, &text).await.unwrap();
    settle().await;
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
    // An answer of a lookup that began before is not remembered.
    customers.set(&host, trusted());
    customers.behave(Behaviour::Waits);
    auth.forget_resolved_issuers();
    let asked = spawn_send(&auth, tenant, &text);
    let calls = customers.calls();
    until(|| customers.calls() > calls).await;
    customers.set(&host, []);
    auth.forget_resolved_issuers();
    customers.release();
    assert!(asked.await.unwrap(), "it was sent before");
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
}

#[tokio::test]
async fn two_answers_may_trust_one_issuer_in_different_ways() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let customers = Customers::default();
    let issuer = || TrustedIssuer::new(tenant.issuer());
    customers.set("plain.test", [issuer()]);
    customers.set("same.test", [issuer()]);
    customers.set("other.test", [issuer().audience("urn:other")]);
    customers.set("org.test", [issuer().require(organization("org_a1"))]);
    customers.set("bound.test", [issuer().dpop(DpopMode::Required)]);
    let auth = auth(&tenants, customers.clone());
    let plain = token(tenant).mint();
    let other = tenant.token().audience("urn:other").mint();
    let member = token(tenant).organization("org_a1", "acme").mint();
    for _ in 0..3 {
        for (host, text, expected) in [
            ("plain.test", &plain, None),
            ("same.test", &plain, None),
            ("other.test", &plain, Some(ErrorCode::AudienceMismatch)),
            ("org.test", &plain, Some(ErrorCode::OrganizationMismatch)),
            ("bound.test", &plain, Some(ErrorCode::SchemeUnsupported)),
            ("plain.test", &other, Some(ErrorCode::AudienceMismatch)),
            ("other.test", &other, None),
            ("plain.test", &member, None),
            ("org.test", &member, None),
        ] {
            let code = send(&auth, host, text).await.err().map(|error| error.code());
            assert_eq!(code, expected, "{host}");
        }
    }
    assert_eq!(fetches(tenant), (1, 1), "one set of keys for all");
    let error = send(&auth, "bound.test", &plain).await.unwrap_err();
    let line = header(&error, "www-authenticate").unwrap();
    assert!(line.starts_with("DPoP "), "that of its issuer: {line}");
}

/// Two checks of one name may be two functions.
#[tokio::test]
async fn checks_of_one_name_are_kept_apart() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let customers = Customers::default();
    let issuer = |passes: fn(&VerifiedToken) -> bool| {
        TrustedIssuer::new(tenant.issuer()).require(check("employee", passes))
    };
    let (ann, bob) =
        (issuer(|token| token.subject() == "ann"), issuer(|token| token.subject() == "bob"));
    customers.set("acme.test", [ann.clone()]);
    customers.set("globex.test", [bob.clone()]);
    let auth = auth(&tenants, customers);
    for (name, good, bad) in
        [("ann", "acme.test", "globex.test"), ("bob", "globex.test", "acme.test")]
    {
        let text = token(tenant).subject(name).mint();
        for _ in 0..2 {
            send(&auth, good, &text).await.unwrap();
            assert_eq!(refusal(&auth, bad, &text).await, ErrorCode::RequirementNotMet);
        }
    }
    let twice = Auth0::builder().audience(API).issuer(ann).issuer(bob);
    assert!(twice.build().unwrap_err().to_string().contains("twice"));
}

#[tokio::test]
async fn an_issuer_may_be_written_as_a_domain() {
    let tenants = tenants(1);
    let customers = Customers::default();
    customers.set("acme.test", ["tenant-0.test".into()]);
    let auth = auth(&tenants, customers);
    send(&auth, "acme.test", &token(&tenants[0]).mint()).await.unwrap();
    let builder = || Auth0::builder().audience(API);
    let auth = builder().issuer("acme.eu.auth0.com").build().unwrap();
    assert_eq!(auth.issuers().collect::<Vec<_>>(), ["https://acme.eu.auth0.com/"]);
    builder().issuer(TrustedIssuer::new("acme.eu.auth0.com")).build().unwrap_err();
}

#[test]
fn debug_shows_no_passwords() {
    let issuer = TrustedIssuer::new("https://user:hunter2@acme.com/");
    let issuer = issuer.key_set_url("https://user:hunter2@acme.com/keys");
    assert!(!format!("{issuer:?}").contains("hunter2"));
}

#[tokio::test]
async fn nothing_is_fetched_from_private_addresses() {
    let tenants = tenants(3);
    let [one, two, three] = &tenants[..] else { panic!() };
    let customers = Customers::default();
    let at = |tenant: &Tenant, url: &str| TrustedIssuer::new(tenant.issuer()).key_set_url(url);
    customers.set("address.test", [TrustedIssuer::new("https://10.0.0.7/")]);
    customers.set("loopback.test", [TrustedIssuer::new("http://localhost:4400/")]);
    customers.set("keys.test", [at(one, "https://[fd00::1]/keys")]);
    customers.set("metadata.test", [TrustedIssuer::new(two.issuer())]);
    let metadata =
        format!(r#"{{"issuer":"{}","jwks_uri":"https://169.254.169.254/"}}"#, two.issuer());
    two.fail_at(Document::Metadata, Failure::Answer(HttpResponse::json(metadata)));
    let auth = |private: &[&str]| {
        let resolved = ResolvedIssuers::by(customers.clone());
        auth(&tenants, resolved.private_hosts(private.iter().copied()))
    };
    let guarded = auth(&[]);
    let named = |issuer: &str| token(three).issuer(issuer).mint();
    for (host, text, issuer, reported) in [
        ("address.test", named("https://10.0.0.7/"), "10.0.0.7", "10.0.0.7"),
        ("loopback.test", named("http://localhost:4400/"), "localhost", "localhost"),
        ("keys.test", token(one).mint(), "tenant-0.test", "fd00::1"),
        ("metadata.test", token(two).mint(), "tenant-1.test", "169.254.169.254"),
    ] {
        let error = send(&guarded, host, &text).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{host}");
        let cause = error.cause().unwrap();
        assert!(cause.contains(reported) && cause.contains("private_hosts"), "{cause}");
        // Where it is allowed, the transport is asked, which reaches no such host here.
        let error = send(&auth(&[issuer, reported]), host, &text).await.unwrap_err();
        assert!(error.cause().unwrap().contains("reaches no other host"), "{error:?}");
        if issuer != reported {
            // A host that is allowed for one issuer is not allowed for another.
            let error = send(&auth(&[reported]), host, &text).await.unwrap_err();
            assert!(error.cause().unwrap().contains("private_hosts"), "{error:?}");
        }
    }
    // A configured issuer may be at any address.
    let builder = one.builder_with([]).audience(API).issuer("https://10.0.0.7/");
    let error = builder.build().unwrap().verify(&named("https://10.0.0.7/")).await.unwrap_err();
    assert!(error.cause().unwrap().contains("reaches no other host"), "{error:?}");
}

#[tokio::test]
async fn a_resolver_sees_no_credentials() {
    #[derive(Clone, Default)]
    struct Spy(Arc<Mutex<Vec<String>>>);

    impl IssuerResolver for Spy {
        type Key = ();

        fn key(&self, request: &ResolverContext<'_>) -> Option<()> {
            let mut seen = self.0.lock().unwrap();
            seen.push(format!("{:?} {}", request.host(), request.path()));
            for name in
                ["X-Tenant", "x-twice", "x-none", "Authorization", "DPoP", "proxy-authorization"]
            {
                seen.push(format!("{name}: {:?}", request.header(name)));
            }
            let issuer = request.issuer();
            seen.push(format!("{issuer:?} {}", issuer == "https://tenant-0.test/"));
            let table = HashMap::from([("https://tenant-0.test/".to_owned(), 7)]);
            seen.push(format!("{:?}", issuer.find_in(&table)));
            None
        }

        async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, BoxError> {
            panic!("without a key there is no lookup");
        }
    }

    let tenants = tenants(1);
    let spy = Spy::default();
    let auth = auth(&tenants, spy.clone());
    let text = token(&tenants[0]).mint();
    let headers = [
        ("x-tenant", "acme"),
        ("x-twice", "a"),
        ("x-twice", "b"),
        ("dpop", "proof"),
        ("proxy-authorization", "Basic eA=="),
        ("x-forwarded-host", "evil.test"),
    ];
    let request = Request::to("API.Acme.test:8443").authorized("Bearer", &text);
    let request =
        headers.into_iter().fold(request, |request, (name, value)| request.with(name, value));
    let error = request.authenticate(&auth).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::IssuerMismatch);
    assert_eq!(
        *spy.0.lock().unwrap(),
        [
            r#"Some("api.acme.test") /me"#,
            r#"X-Tenant: Some("acme")"#,
            "x-twice: None",
            "x-none: None",
            "Authorization: None",
            "DPoP: None",
            "proxy-authorization: None",
            "UnverifiedIssuer([unverified]) true",
            "Some(7)",
        ]
    );
    spy.0.lock().unwrap().clear();
    auth.verify(&text).await.unwrap_err();
    assert_eq!(spy.0.lock().unwrap()[0], "None ");
}

/// After `refresh`, a key that was withdrawn before is refused, even if an older fetch delivers it late.
#[tokio::test]
async fn keys_of_a_fetch_before_refresh_are_not_used() {
    let tenants = tenants(3);
    let [one, two, three] = &tenants[..] else { panic!() };
    let gate = Arc::new(Semaphore::new(0));
    let held = Held { tenants: tenants.clone(), gate: Arc::clone(&gate), waiting: Arc::default() };
    let resolved = ResolvedIssuers::by(Customers::of(&tenants)).max_issuers(1);
    let builder = one.builder_with([]).audience(API).http_client(held.clone());
    let auth = builder.issuer_resolver(resolved).build().unwrap();
    let stolen = token(one).mint();
    let first = spawn_send(&auth, one, &stolen);
    until(|| held.waiting.load(Ordering::SeqCst) == 1).await; // the fetch has read the old keys
    for tenant in [two, three] {
        send(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    one.rotate_keys();
    one.withdraw_old_keys();
    let refreshed = {
        let auth = auth.clone();
        tokio::spawn(async move { auth.refresh().await.is_ok() })
    };
    tokio::task::yield_now().await; // the refresh begins
    gate.add_permits(100);
    assert!(refreshed.await.unwrap());
    first.await.unwrap();
    for other in [two, three, two] {
        assert_eq!(refusal(&auth, &host(one), &stolen).await, ErrorCode::KeyUnknown);
        send(&auth, &host(other), &token(other).mint()).await.unwrap();
    }
}

/// Reads the keys of the first tenant, and delivers them when the gate opens.
#[derive(Clone, Debug)]
struct Held {
    tenants: Vec<Tenant>,
    gate: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl HttpClient for Held {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let of = |tenant: &&Tenant| request.url.starts_with(tenant.issuer());
            let tenant = self.tenants.iter().find(of).unwrap();
            if request.url.ends_with("configuration") {
                return Ok(HttpResponse::json(tenant.metadata_json()));
            }
            let keys = tenant.key_set_json();
            if tenant.issuer() == self.tenants[0].issuer() {
                self.waiting.fetch_add(1, Ordering::SeqCst);
                self.gate.acquire().await.unwrap().forget();
            }
            Ok(HttpResponse::json(keys))
        })
    }
}

/// After `refresh`, evicted keys are fetched again, and from where the metadata says.
#[tokio::test]
async fn refresh_includes_issuers_whose_keys_were_evicted() {
    let tenants = tenants(2);
    let [moved, other] = &tenants[..] else { panic!() };
    let web = Documents::default();
    for (tenant, path) in [(moved, "old"), (other, "keys")] {
        web.put_metadata(tenant, path);
        web.put_key_set(tenant, path);
    }
    let resolved = ResolvedIssuers::by(Customers::of(&tenants)).max_issuers(1);
    let builder = moved.builder_with([]).audience(API).http_client(web.clone());
    let auth = builder.issuer_resolver(resolved).build().unwrap();
    let stolen = token(moved).mint();
    for (tenant, text) in [(moved, stolen.clone()), (other, token(other).mint())] {
        send(&auth, &host(tenant), &text).await.unwrap();
    }
    moved.rotate_keys();
    moved.withdraw_old_keys();
    // The old keys stay at the old location.
    web.put_metadata(moved, "new");
    web.put_key_set(moved, "new");
    auth.refresh().await.unwrap();
    assert_eq!(refusal(&auth, &host(moved), &stolen).await, ErrorCode::KeyUnknown);
    send(&auth, &host(moved), &token(moved).mint()).await.unwrap();
}
