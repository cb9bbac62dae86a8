//! Logout tokens: each wrong in one way.
use super::{SID, is_revoked, verifier};
use crate::common::{MINUTE, SECOND};
use auth0_core::{
    BackchannelLogout, Revocations, TrustedIssuer,
    adapter::LogoutResponse,
    resolver::{IssuerResolver, ResolverContext},
    time::Clock,
};
use auth0_testing::{Failure, Tenant, TokenBuilder};
use serde_json::{Value, json};
use std::{error::Error, time::Duration};

const FORM: &[u8] = b"application/x-www-form-urlencoded";
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Returns a logout token as Auth0 sends it.
fn logout_token(tenant: &Tenant) -> TokenBuilder {
    let token = tenant.token().without("azp").audience("web").subject("auth0|ann");
    let token = token.claim("sid", "s1").claim("jti", "l1").claim("trace_id", "t");
    token.claim("events", json!({ EVENT: {} })).expires_in(Duration::from_secs(120))
}

/// The time at which the clock of a tenant begins.
fn now() -> u64 {
    Tenant::new().clock().unix_time().as_secs()
}

async fn send(logout: &BackchannelLogout, token: &str) -> LogoutResponse {
    let body = format!("logout_token={token}");
    logout.respond("POST", Some(FORM), Some(body.as_bytes())).await
}

struct Endpoint {
    tenant: Tenant,
    revocations: Revocations,
    logout: BackchannelLogout,
    auth: auth0_core::Auth0,
}

fn endpoint() -> Endpoint {
    let (tenant, revocations) = (Tenant::new(), Revocations::in_memory());
    let auth = tenant.builder().revocations(&revocations).build().unwrap();
    let logout = BackchannelLogout::new(&auth, ["app", "web"]).unwrap();
    Endpoint { tenant, revocations, logout, auth }
}

type PlainChange = fn(TokenBuilder) -> TokenBuilder;

#[tokio::test]
async fn tokens_that_are_accepted() {
    let accepted: Vec<(&str, PlainChange)> = vec![
        ("of Auth0", |token| token),
        ("typ logout+jwt", |token| token.header("typ", "logout+jwt")),
        ("typ in full", |token| token.header("typ", "application/logout+jwt")),
        ("typ in upper case", |token| token.header("typ", "Logout+JWT")),
        ("no typ", |token| token.without_header("typ")),
        ("empty typ", |token| token.header("typ", "")),
        ("only sub", |token| token.without("sid")),
        ("only sid", |token| token.without("sub")),
        ("several audiences", |token| token.claim("aud", ["other", "app"])),
        ("an event more", |token| token.claim("events", json!({ EVENT: {}, "https://x/y": {} }))),
        ("an event with content", |token| token.claim("events", json!({ EVENT: { "a": 1 } }))),
        ("other claims", |token| token.claim("acme", [1, 2])),
        ("a moment ahead", |token| token.claim("iat", now() + 3)),
        ("valid in a moment", |token| token.claim("nbf", now() + 3)),
        ("valid before", |token| token.claim("nbf", now() - 60)),
        ("valid before 1970", |token| token.claim("nbf", -1)),
    ];
    for (name, change) in accepted {
        let Endpoint { tenant, revocations, logout, auth } = endpoint();
        let token = change(logout_token(&tenant));
        let answer = send(&logout, &token.mint()).await;
        let headers: Vec<_> = answer.headers().collect();
        assert_eq!(
            (answer.status(), &*headers),
            (200, &[("cache-control", "no-store")][..]),
            "{name}"
        );
        assert_eq!(answer.into_body(), "");
        let has_subject =
            serde_json::from_str::<Value>(&token.payload_json()).unwrap()["sub"].is_string();
        assert_eq!(revocations.count(), usize::from(has_subject), "{name}");
        let access = tenant.token().subject("auth0|ann");
        assert_eq!(is_revoked(&auth, &access).await, has_subject, "{name}");
        assert!(!is_revoked(&auth, &tenant.token().subject("auth0|bob")).await, "{name}");
    }
}

#[tokio::test]
async fn tokens_that_are_wrong_in_one_way() {
    let stranger = Tenant::named("stranger.test");
    let key = Tenant::new().unknown_key();
    type Change = Box<dyn Fn(TokenBuilder) -> TokenBuilder>;
    fn change(change: impl Fn(TokenBuilder) -> TokenBuilder + 'static) -> Change {
        Box::new(change)
    }
    let claim = |name: &'static str, value: Value| change(move |token| token.claim(name, &value));
    let without = |name: &'static str| change(move |token| token.without(name));
    let header =
        |name: &'static str, value: &'static str| change(move |token| token.header(name, value));
    let wrong: Vec<Change> = vec![
        header("typ", "at+jwt"),
        header("typ", "application/at+jwt"),
        header("typ", "dpop+jwt"),
        header("typ", "secevent+jwt"),
        header("typ", "JWT "),
        header("alg", "HS256"),
        header("alg", "RS512"),
        header("crit", "x"),
        header("kid", "unknown"),
        change(TokenBuilder::unsigned),
        change(TokenBuilder::symmetric),
        change(TokenBuilder::broken_signature),
        change(move |token| token.signed_by(&key)),
        change(move |token| token.issuer(stranger.issuer())),
        without("iss"),
        claim("iss", json!(1)),
        claim("iss", json!([])),
        without("aud"),
        claim("aud", json!("other")),
        claim("aud", json!(["other"])),
        claim("aud", json!([])),
        claim("aud", json!({ "web": 1 })),
        claim("aud", json!(["web", 1])),
        claim("aud", json!(null)),
        without("exp"),
        claim("exp", json!((now() + 100).to_string())),
        claim("exp", json!(now() - 10)),
        claim("exp", json!(-1)),
        claim("exp", json!(null)),
        change(TokenBuilder::expired),
        without("iat"),
        claim("iat", json!(null)),
        claim("iat", json!(now().to_string())),
        claim("iat", json!(now() + 60)),
        claim("nbf", json!("x")),
        claim("nbf", json!(null)),
        claim("nbf", json!(1e300)),
        claim("nbf", json!(now() + 60)),
        without("jti"),
        claim("jti", json!("")),
        claim("jti", json!(1)),
        claim("jti", json!("x".repeat(2000))),
        change(|token| token.without("sub").without("sid")),
        claim("sub", json!("")),
        claim("sub", json!(1)),
        claim("sub", json!(null)),
        claim("sub", json!(["auth0|ann"])),
        claim("sid", json!("")),
        claim("sid", json!(7)),
        claim("sid", json!(null)),
        claim("sid", json!({})),
        without("events"),
        claim("events", json!(null)),
        claim("events", json!({})),
        claim("events", json!([EVENT])),
        claim("events", json!(EVENT)),
        claim("events", json!({ EVENT: null })),
        claim("events", json!({ EVENT: true })),
        claim("events", json!({ EVENT: [] })),
        claim("events", json!({ EVENT: "" })),
        claim("events", json!({ "https://x/y": {} })),
        claim("nonce", json!("n")),
        claim("nonce", json!(null)),
        change(|token| token.raw_payload("{}")),
        change(|token| token.raw_payload("[]")),
        change(|token| {
            let payload = token.payload_json().replacen('{', "{\"sub\":\"auth0|bob\",", 1);
            token.raw_payload(payload)
        }),
    ];
    assert!(wrong.len() >= 60);
    for (number, wrong) in wrong.into_iter().enumerate() {
        let Endpoint { tenant, revocations, logout, auth } = endpoint();
        auth.warm_up().await.unwrap();
        let before = tenant.fetches().key_set;
        let token = wrong(logout_token(&tenant)).mint();
        let answer = send(&logout, &token).await;
        assert_eq!(answer.status(), 400, "{number}");
        let headers: Vec<_> = answer.headers().collect();
        assert!(headers.contains(&("cache-control", "no-store")), "{number}");
        assert!(answer.into_body().starts_with(r#"{"error":"invalid_request","#), "{number}");
        assert_eq!(revocations.count(), 0, "{number}");
        assert!(tenant.fetches().key_set <= before + 1, "{number}");
        // It has used nothing up.
        assert_eq!(send(&logout, &logout_token(&tenant).mint()).await.status(), 200, "{number}");
    }
}

#[tokio::test]
async fn a_token_is_used_once() {
    let Endpoint { tenant, logout, .. } = endpoint();
    let token = logout_token(&tenant).mint();
    assert_eq!(send(&logout, &token).await.status(), 200);
    assert_eq!(send(&logout, &token).await.status(), 400);
    let same_id = logout_token(&tenant).subject("auth0|bob").mint();
    assert_eq!(send(&logout, &same_id).await.status(), 400, "the id counts");
    let other = logout_token(&tenant).claim("jti", "l2").mint();
    assert_eq!(send(&logout, &other).await.status(), 200);
}

#[tokio::test]
async fn while_keys_are_missing_the_issuer_tries_again() {
    let Endpoint { tenant, logout, auth, .. } = endpoint();
    tenant.fail(Failure::Status(500));
    let (token, issued_at) = (logout_token(&tenant).mint(), now());
    let answer = send(&logout, &token).await;
    assert_eq!(answer.status(), 503);
    let headers: Vec<_> = answer.headers().collect();
    assert!(
        headers.contains(&("retry-after", "5")) && headers.contains(&("cache-control", "no-store"))
    );
    tenant.recover();
    tenant.clock().advance(Duration::from_secs(60));
    assert_eq!(send(&logout, &token).await.status(), 200, "it was not used up");
    assert!(is_revoked(&auth, &tenant.token().subject("auth0|ann").claim("iat", issued_at)).await);
}

#[tokio::test]
async fn tokens_after_a_rotation_of_keys() {
    let Endpoint { tenant, logout, auth, .. } = endpoint();
    auth.warm_up().await.unwrap();
    tenant.rotate_keys();
    assert_eq!(send(&logout, &logout_token(&tenant).mint()).await.status(), 200);
}

/// Forged tokens use up the fetches for unknown keys: a genuine one must not be lost then.
#[tokio::test]
async fn a_token_after_a_rotation_of_keys_among_forged_ones() {
    let Endpoint { tenant, revocations, logout, auth } = endpoint();
    auth.warm_up().await.unwrap();
    let before = tenant.fetches().key_set;
    for number in 0..20 {
        let forged = logout_token(&tenant).header("kid", format!("made-up-{number}"));
        let status = send(&logout, &forged.broken_signature().mint()).await.status();
        assert_eq!(status, if number < 2 { 400 } else { 503 }, "{number}");
    }
    let known = logout_token(&tenant).broken_signature().mint();
    assert_eq!(send(&logout, &known).await.status(), 400, "of a known key");
    assert_eq!((tenant.fetches().key_set - before, revocations.count()), (2, 0));
    tenant.rotate_keys();
    let genuine = logout_token(&tenant).mint();
    assert_eq!(send(&logout, &genuine).await.status(), 503);
    tenant.clock().advance(5 * SECOND);
    assert_eq!(send(&logout, &genuine).await.status(), 200);
    assert_eq!(revocations.count(), 1);
}

#[tokio::test]
async fn requests_that_are_no_form() {
    let Endpoint { tenant, revocations, logout, .. } = endpoint();
    let token = logout_token(&tenant).mint();
    let body = format!("logout_token={token}");
    let twice = format!("{body}&{body}");
    let other = format!("x=1&{body}&y=2");
    let form = Some(FORM);
    for (method, content_type, body, status) in [
        ("GET", form, Some(&*body), 405),
        ("PUT", form, Some(&*body), 405),
        ("POST", None, Some(&*body), 415),
        ("POST", Some(&b"application/json"[..]), Some(&*body), 415),
        ("POST", Some(&b"multipart/form-data"[..]), Some(&*body), 415),
        ("POST", form, None, 413),
        ("POST", form, Some(""), 400),
        ("POST", form, Some("logout_token="), 400),
        ("POST", form, Some("logout_token"), 400),
        ("POST", form, Some("token=x"), 400),
        ("POST", form, Some(&*twice), 400),
        ("POST", form, Some("logout_token=%FF%00"), 400),
        (
            "POST",
            Some(&b"Application/X-WWW-form-urlencoded; charset=utf-8"[..]),
            Some(&*other),
            200,
        ),
    ] {
        let answer = logout.respond(method, content_type, body.map(str::as_bytes)).await;
        assert_eq!(answer.status(), status, "{method} {body:?}");
        assert!(answer.headers().any(|header| header == ("cache-control", "no-store")));
    }
    assert_eq!(revocations.count(), 1);
}

#[tokio::test]
async fn sessions_where_tokens_name_them() {
    let (tenant, revocations) = (Tenant::new(), Revocations::in_memory());
    let auth = verifier(&tenant, &revocations);
    let logout = BackchannelLogout::new(&auth, ["web"]).unwrap();
    let access = |session: Option<&str>| {
        let token = tenant.token().subject("auth0|ann");
        session.map_or(token.clone(), |session| token.claim(SID, session))
    };
    // Both are named: this session ends, and tokens that name none.
    assert_eq!(send(&logout, &logout_token(&tenant).mint()).await.status(), 200);
    assert!(is_revoked(&auth, &access(Some("s1"))).await);
    assert!(!is_revoked(&auth, &access(Some("s2"))).await, "on another device");
    assert!(is_revoked(&auth, &access(None)).await);
    // The session alone.
    let of_session = logout_token(&tenant).without("sub").claim("sid", "s2").claim("jti", "l2");
    assert_eq!(send(&logout, &of_session.mint()).await.status(), 200);
    assert!(is_revoked(&auth, &access(Some("s2"))).await);
    assert!(!is_revoked(&auth, &access(Some("s3"))).await);
    // The user alone: every session.
    let of_user = logout_token(&tenant).without("sid").claim("jti", "l3");
    assert_eq!(send(&logout, &of_user.mint()).await.status(), 200);
    assert!(is_revoked(&auth, &access(Some("s3"))).await);
}

/// The endpoint is that of a web application whose tokens name their session. Those of the API name none.
#[tokio::test]
async fn a_verifier_without_sessions_has_the_logouts_of_one_with_them() {
    let (tenant, revocations) = (Tenant::new(), Revocations::in_memory());
    let logout = BackchannelLogout::new(&verifier(&tenant, &revocations), ["web"]).unwrap();
    let api = tenant.builder().revocations(&revocations).build().unwrap();
    let of = |subject| tenant.token().subject(subject);
    let (before, of_bob) = (of("auth0|ann"), of("auth0|bob"));
    assert!(!is_revoked(&api, &before).await);
    assert_eq!(send(&logout, &logout_token(&tenant).mint()).await.status(), 200);
    assert!(is_revoked(&api, &before).await, "all of her tokens, as by an endpoint of its own");
    assert!(!is_revoked(&api, &of_bob).await);
    tenant.clock().advance(2 * MINUTE);
    assert!(!is_revoked(&api, &of("auth0|ann")).await, "she has logged in again");
}

#[tokio::test]
async fn a_logout_token_is_never_an_access_token() {
    let Endpoint { tenant, auth, .. } = endpoint();
    for typ in ["JWT", "at+jwt", "logout+jwt", ""] {
        let token = logout_token(&tenant).audience(tenant.audience()).header("typ", typ).mint();
        let code = auth.verify(&token).await.unwrap_err().code();
        assert_eq!(code.as_str(), "token_type_invalid", "{typ}");
    }
}

/// A tenant with a custom domain is two issuers, and its logout token names one of them.
#[tokio::test]
async fn a_logout_may_concern_other_issuers_as_well() {
    let (tenant, custom) = (Tenant::new(), Tenant::named("custom"));
    let revocations = Revocations::in_memory();
    let both = tenant.builder_with([&custom]).issuers([tenant.issuer(), custom.issuer()]);
    let both = both.audience(tenant.audience()).revocations(&revocations);
    let auth = both.build().unwrap();
    let access = |of: &Tenant| of.token().audience(tenant.audience()).subject("auth0|ann");
    let one = BackchannelLogout::new(&auth, ["web"]).unwrap();
    assert_eq!(send(&one, &logout_token(&custom).mint()).await.status(), 200);
    assert!(is_revoked(&auth, &access(&custom)).await);
    assert!(!is_revoked(&auth, &access(&tenant)).await);

    let all = one.issuers([tenant.issuer(), "custom.test"]).unwrap();
    let next = |of: &Tenant, id: &str| logout_token(of).claim("jti", id).mint();
    assert_eq!(send(&all, &next(&custom, "l2")).await.status(), 200);
    assert!(is_revoked(&auth, &access(&tenant)).await);
    tenant.clock().advance(SECOND);
    assert!(!is_revoked(&auth, &access(&tenant)).await, "of a later login");
    assert_eq!(send(&all, &next(&tenant, "l3")).await.status(), 200);
    assert!(is_revoked(&auth, &access(&tenant)).await);

    for wrong in ["https://other.test/", "http://custom.test/", "custom", ""] {
        assert!(all.clone().issuers([wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn mistakes_of_the_configuration() {
    let tenant = Tenant::new();
    let none: [&str; 0] = [];
    let revocations = Revocations::in_memory();
    let auth = tenant.builder().revocations(&revocations).build().unwrap();
    for result in [
        BackchannelLogout::new(&auth, none),
        BackchannelLogout::new(&auth, [""]),
        BackchannelLogout::new(&auth, [" web"]),
        BackchannelLogout::new(&auth, ["YOUR_CLIENT_ID"]),
    ] {
        assert!(result.unwrap_err().to_string().contains("Client ID"));
    }
    let without = BackchannelLogout::new(&tenant.auth0(), ["web"]).unwrap_err();
    assert!(without.to_string().contains(".revocations(&revocations)"), "{without}");
    let resolved = tenant.builder_with([]).issuer_resolver(NoIssuers).audience(tenant.audience());
    let resolved = resolved.revocations(&revocations).build().unwrap();
    let without = BackchannelLogout::new(&resolved, ["web"]).unwrap_err().to_string();
    assert!(without.contains("configured issuers only"), "{without}");
}

struct NoIssuers;

impl IssuerResolver for NoIssuers {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        None
    }

    async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        Ok(Vec::new())
    }
}
