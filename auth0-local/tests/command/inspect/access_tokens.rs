//! Each access token is wrong in one way. The check that fails is the one for which the verifier refuses the token.
use super::{undated, with_result};
use crate::kit::{Directory, Inspected};
use auth0_core::{
    Auth0, Builder, Error, Requirement, TrustedIssuer,
    adapter::{HeaderLines, RequestParts},
    policy::{
        acr, any_of, authenticated, claim, machine, max_age, organization, permission, scope,
    },
};
use auth0_local::LocalTenant;
use auth0_testing::{Profile, TokenBuilder};
use serde_json::json;
use std::fs;

const AUDIENCE: &str = "https://api.local.test";

/// A token that is wrong in one way.
struct Wrong {
    token: String,
    check: &'static str,
    options: Vec<&'static str>,
    /// The verifier of an API with these options.
    api: fn(Builder) -> Builder,
    requirement: Requirement,
}

fn wrong(token: &TokenBuilder, check: &'static str) -> Wrong {
    Wrong {
        token: token.mint(),
        check,
        options: Vec::new(),
        api: |builder| builder,
        requirement: authenticated(),
    }
}

impl Wrong {
    fn options(mut self, options: &[&'static str]) -> Self {
        self.options.extend(options);
        self
    }

    fn api(mut self, api: fn(Builder) -> Builder) -> Self {
        self.api = api;
        self
    }

    fn requires(mut self, requirement: Requirement, options: &[&'static str]) -> Self {
        self.requirement = requirement;
        self.options(options)
    }

    fn text(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.token = change(&self.token);
        self
    }
}

/// Returns the verdict of an API.
async fn verdict(wrong: &Wrong, issuer: TrustedIssuer) -> Result<(), Error> {
    let builder = Auth0::builder().issuer(issuer).audience(AUDIENCE);
    let auth = (wrong.api)(builder).build().unwrap();
    let header = format!("Bearer {}", wrong.token.trim_start_matches("Bearer "));
    let line = |name: &str| match name {
        "authorization" => HeaderLines::One(header.as_bytes()),
        _ => HeaderLines::Absent,
    };
    let request = RequestParts::new("GET", "/", &line);
    let token = auth.authenticate(&request.view()).await?;
    auth.authorize(&token, &wrong.requirement)
}

fn tokens(tenant: &LocalTenant) -> Vec<Wrong> {
    let token = || tenant.token();
    let raw = |payload: &str| token().raw_payload(payload.replace("ISSUER", tenant.issuer()));
    let now = json!(auth0_core::time::Clock::unix_time(tenant.tenant().clock()).as_secs());
    let key = tenant.tenant().client_key();
    vec![
        // form
        wrong(&token().header("crit", ["exp"]), "form"),
        wrong(&token().header("b64", false), "form"),
        wrong(&token().header("kid", 5), "form"),
        wrong(&raw("{\"iss\":\"ISSUER\",\"iss\":\"ISSUER\"}"), "form"),
        wrong(&token(), "form").text(|token| {
            let (start, signature) = token.rsplit_once('.').unwrap();
            format!("{}.{signature}", &start[..start.len() - 4])
        }),
        wrong(&token().claim("long", "a".repeat(16 * 1024)), "form"),
        // algorithm
        wrong(&token().unsigned(), "algorithm"),
        wrong(&token().symmetric(), "algorithm"),
        wrong(&token().header("alg", "RS512"), "algorithm"),
        wrong(&token().header("alg", "ES256"), "algorithm"),
        wrong(&token().header("alg", "PS256"), "algorithm")
            .options(&["--algorithm", "RS256"])
            .api(|it| it.algorithms([auth0_core::Algorithm::RS256])),
        // issuer
        wrong(&token().issuer("https://acme.eu.auth0.com/"), "issuer"),
        wrong(&token().issuer(tenant.issuer().trim_end_matches('/')), "issuer"),
        wrong(&token().without("iss"), "issuer"),
        wrong(&token().claim("iss", 5), "issuer"),
        // key and signature
        wrong(&token().header("kid", "other"), "key"),
        wrong(&token().signed_by(&tenant.tenant().unknown_key()), "signature"),
        wrong(&token().broken_signature(), "signature"),
        wrong(&token(), "signature").text(|token| {
            let (start, signature) = token.rsplit_once('.').unwrap();
            format!("{start}.{}", "A".repeat(signature.len() - 2))
        }),
        // type
        wrong(&token().header("typ", "logout+jwt"), "type").options(&["--as", "access-token"]),
        wrong(&token().header("typ", "dpop+jwt"), "type").options(&["--as", "access-token"]),
        wrong(&token().header("typ", "secevent+jwt"), "type"),
        wrong(&token().claim("events", json!({ "http://a.test/b": {} })), "type"),
        wrong(&token().claim("token_use", "id"), "type"),
        wrong(&token().claim("typ", "Refresh"), "type"),
        wrong(&token().claim("jti", "a").claim("client_id", "b"), "type")
            .options(&["--rfc9068-only"])
            .api(|it| it.rfc9068_only(true)),
        // audience
        wrong(&token().audience("https://api.other.test"), "audience"),
        wrong(&token().audience("https://api.local.test/"), "audience"),
        wrong(&token().without("aud"), "audience"),
        wrong(&token().claim("aud", 5), "audience"),
        wrong(&token().claim("aud", [""; 0]), "audience"),
        // times
        wrong(&token().expired(), "expiry"),
        wrong(&token().without("exp"), "expiry"),
        wrong(&token().claim("exp", "soon"), "expiry"),
        wrong(&token().claim("exp", 0), "expiry"),
        wrong(&token().not_yet_valid(), "start"),
        wrong(&token().claim("iat", now.as_u64().unwrap() + 3600), "start"),
        wrong(&token().claim("nbf", "now"), "start"),
        wrong(&token().claim("iat", [1]), "start"),
        // claims
        wrong(&token().without("sub"), "claims"),
        wrong(&token().claim("sub", ""), "claims"),
        wrong(&token().claim("sub", 5), "claims"),
        wrong(&token().claim("cnf", "key"), "claims"),
        wrong(&token().profile(Profile::Rfc9068).without("jti"), "claims")
            .options(&["--rfc9068-only"])
            .api(|it| it.rfc9068_only(true)),
        // binding
        wrong(&token().bound_to(&key), "binding").text(|token| format!("Bearer {token}")),
        wrong(&token().bound_to_certificate(b"der"), "binding").text(|it| format!("Bearer {it}")),
        // requirements
        wrong(&token().scope("a"), "requirement").requires(scope("b"), &["--scope", "b"]),
        wrong(&token().scope("a"), "requirement").requires(scope("a b"), &["--scope", "a b"]),
        wrong(&token().scope("p"), "requirement").requires(permission("p"), &["--permission", "p"]),
        wrong(&token().organization("org_1", "a"), "requirement")
            .requires(organization("org_2"), &["--organization", "org_2"]),
        wrong(&token().claim("plan", "free"), "requirement").requires(
            claim("plan").equals("pro"),
            &["--require", "claim(\"plan\").equals(\"pro\")"],
        ),
        wrong(&token(), "requirement").requires(acr("mfa"), &["--require", "acr(\"mfa\")"]),
        wrong(&token().claim("auth_time", 1_000_000_000), "requirement")
            .requires(max_age(60), &["--require", "max_age(60)"]),
        wrong(&token(), "requirement").requires(
            any_of![machine(), permission("p")],
            &["--require", "any_of[machine(), permission(\"p\")]"],
        ),
    ]
}

#[tokio::test]
async fn the_failing_check_is_the_one_that_the_verifier_refuses_for() {
    let tenant = LocalTenant::start().await.unwrap();
    let directory = Directory::new("inspect-access");
    let (file, keys) = (directory.file("keys.json"), tenant.tenant().key_set_json());
    fs::write(&file, &keys).unwrap();
    let issuer = || TrustedIssuer::new(tenant.issuer()).key_set(&keys);
    let options = ["--issuer", tenant.issuer(), "--jwks", &file, "--audience", AUDIENCE];

    let good = wrong(&tenant.token(), "none");
    assert!(verdict(&good, issuer()).await.is_ok());
    let (status, report) = Inspected::json(&good.token, &options);
    assert_eq!((status, &report["verdict"]), (0, &json!("accepted")), "{report:#}");
    assert_eq!(with_result(&report, "pass").len(), 11);
    assert_eq!(report["signature_verified"], true);

    let all = tokens(&tenant);
    assert!(all.len() >= 25, "{}", all.len());
    for wrong in all {
        let error = verdict(&wrong, issuer()).await.unwrap_err();
        let (status, report) = Inspected::json(&wrong.token, &[&options, &*wrong.options].concat());
        let why = format!("{}: {error:?}\n{report:#}", wrong.check);
        assert_eq!((status, &report["verdict"]), (1, &json!("refused")), "{why}");
        assert_eq!(with_result(&report, "fail"), [wrong.check], "{why}");
        assert_eq!(report["refused_by"], wrong.check, "{why}");
        let checks = report["checks"].as_array().unwrap();
        let failed = checks.iter().find(|check| check["result"] == "fail").unwrap();
        assert_eq!(failed["error_code"], error.code().as_str(), "{why}");
        let cause = error.cause().unwrap();
        let seen = failed["seen"].as_str().unwrap();
        assert!(undated(cause).starts_with(&undated(seen)), "{why}");
        assert!(!failed["expected"].as_str().unwrap().is_empty(), "{why}");
        assert!(!failed["change"].as_str().unwrap().is_empty(), "{why}");
        assert_eq!(report["response"]["status"], error.status(), "{why}");
        assert_eq!(report["response"]["body"]["error_code"], error.code().as_str(), "{why}");
        // Nothing else is wrong with it. A signature is not checked where there is no key for it.
        let unchecked = with_result(&report, "not_checked");
        let expected: &[&str] = match wrong.check {
            "form" => &unchecked,
            "algorithm" | "issuer" => &["key", "signature"],
            "key" => &["signature"],
            "claims" => &["binding"],
            _ => &[],
        };
        assert_eq!(unchecked, expected, "{why}");
    }
}

/// Tokens of an Auth0 tenant have a form of their own, by which ID tokens are told apart.
#[tokio::test]
async fn an_id_token_of_auth0_is_refused_for_its_type() {
    let tenant = LocalTenant::start().await.unwrap();
    let directory = Directory::new("inspect-domain");
    let (file, keys) = (directory.file("keys.json"), tenant.tenant().key_set_json());
    fs::write(&file, &keys).unwrap();
    let token = || tenant.token().issuer("https://tenant.test/");
    let options = ["--domain", "tenant.test", "--jwks", &file, "--audience", AUDIENCE];
    for id_token in [
        token().claim("nonce", "n").audience("web"),
        token().claim("at_hash", "h"),
        token().audience("web").client("web"),
        token().audience("web").without("azp").claim("email", "ann@acme.com").claim("nonce", "n"),
    ] {
        let wrong = wrong(&id_token, "type");
        let issuer = TrustedIssuer::domain("tenant.test").key_set(&keys);
        let error = verdict(&wrong, issuer).await.unwrap_err();
        let (status, report) = Inspected::json(&wrong.token, &options);
        assert_eq!((status, &report["kind"]), (1, &json!("id-token")), "{report:#}");
        assert_eq!(report["checked_as"], "access-token");
        assert_eq!(with_result(&report, "fail")[0], "type", "{report:#}");
        assert_eq!(report["response"]["body"]["error_code"], error.code().as_str());
    }
}

/// A frequent mistake is said: the value is in another claim.
#[tokio::test]
async fn a_permission_in_the_scope_is_a_hint() {
    let tenant = LocalTenant::start().await.unwrap();
    let token = tenant.token().scope("p").mint();
    let (_, report) = Inspected::json(token, &["--permission", "p"]);
    let check = report["checks"].as_array().unwrap().last().unwrap();
    assert_eq!(check["hint"], "\"p\" is in `scope`, not in `permissions`", "{check}");
}

#[tokio::test]
async fn everything_that_is_wrong_is_found() {
    let tenant = LocalTenant::start().await.unwrap();
    let directory = Directory::new("inspect-several");
    let file = directory.file("keys.json");
    fs::write(&file, tenant.tenant().key_set_json()).unwrap();
    let token =
        tenant.token().audience("https://other.test").expired().claim("nbf", 4_000_000_000_u64);
    let options = ["--issuer", tenant.issuer(), "--jwks", &file, "--audience", AUDIENCE];
    let options = [&options[..], &["--scope", "a", "--permission", "b"]].concat();
    for (token, first) in [
        (token.clone(), "audience"),
        (token.clone().broken_signature(), "signature"),
        (token.clone().header("kid", "other"), "key"),
        (token.clone().issuer("https://acme.eu.auth0.com/"), "issuer"),
        (token.clone().symmetric(), "algorithm"),
        (token.clone().claim("token_use", "id").broken_signature(), "signature"),
    ] {
        let (status, report) = Inspected::json(token.mint(), &options);
        let failed = with_result(&report, "fail");
        assert_eq!((status, failed[0]), (1, first), "{report:#}");
        let rest = ["audience", "expiry", "start", "requirement", "requirement"];
        assert!(failed.ends_with(&rest), "{report:#}");
    }
}

/// What is not named is not checked, and no failure is invented for it.
#[tokio::test]
async fn what_is_not_named_is_not_checked() {
    let tenant = LocalTenant::start().await.unwrap();
    let forged = tenant.token().signed_by(&tenant.tenant().unknown_key());
    for token in [
        tenant.token(),
        forged.clone(),
        forged.clone().without_header("kid"),
        forged.clone().issuer("YOUR_DOMAIN"),
        forged.clone().issuer("an issuer\u{1b}[31m with spaces"),
        forged.clone().audience("  "),
        forged.audience("$AUDIENCE"),
    ] {
        let (status, report) = Inspected::json(token.mint(), &[]);
        assert_eq!((status, &report["verdict"]), (0, &json!("incomplete")), "{report:#}");
        assert_eq!(report["signature_verified"], false);
        let unchecked = with_result(&report, "not_checked");
        assert_eq!(unchecked, ["issuer", "key", "signature", "audience"], "{report:#}");
    }
    let (status, report) = Inspected::json(tenant.token().expired().mint(), &[]);
    assert_eq!((status, with_result(&report, "fail")), (1, vec!["expiry"]), "{report:#}");
    let (status, report) = Inspected::json(tenant.token().without("aud").mint(), &[]);
    assert_eq!((status, with_result(&report, "fail")), (1, vec!["audience"]), "{report:#}");

    // The keys alone do not say whose they are.
    let directory = Directory::new("inspect-keys");
    let file = directory.file("keys.json");
    fs::write(&file, tenant.tenant().key_set_json()).unwrap();
    let (status, report) = Inspected::json(tenant.token().mint(), &["--jwks", &file]);
    assert_eq!((status, &report["signature_verified"]), (0, &json!(true)), "{report:#}");
    assert_eq!(with_result(&report, "not_checked"), ["issuer", "audience"], "{report:#}");
    let (status, report) =
        Inspected::json(tenant.token().broken_signature().mint(), &["--jwks", &file]);
    assert_eq!((status, with_result(&report, "fail")), (1, vec!["signature"]), "{report:#}");
}
