//! Every requirement, asked of every kind of token that Auth0 issues.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use auth0_core::{
    AccessToken, Auth0, ErrorCode,
    ErrorCode::{OrganizationMismatch, RequirementNotMet, StepUpRequired},
    RequestContext, Requirement,
    policy::*,
    testing::{Profile, Tenant, TokenBuilder},
};
use serde_json::json;
use std::{borrow::Cow, time::Duration};

/// Auth0's four dialects: either profile, with and without permissions.
fn dialects(token: impl Fn() -> TokenBuilder) -> Vec<(String, TokenBuilder)> {
    let mut all = Vec::new();
    for profile in [Profile::Auth0, Profile::Rfc9068] {
        let name = format!("{profile:?}");
        all.push((name.clone(), token().profile(profile)));
        all.push((name + " with permissions", token().profile(profile).permissions(["p"])));
    }
    all
}

fn code(auth: &Auth0, token: &AccessToken, requirement: &Requirement) -> Option<ErrorCode> {
    auth.authorize(token, requirement).err().map(|error| error.code())
}

async fn assert_all(
    kind: &str,
    tenant: &Tenant,
    token: impl Fn() -> TokenBuilder,
    rows: &[(Requirement, Option<ErrorCode>)],
) {
    let auth = tenant.auth0();
    for (dialect, token) in dialects(token) {
        let token = auth.verify(&token.mint()).await.unwrap();
        for (requirement, expected) in rows {
            let case = format!("{kind}, {dialect}: {requirement}");
            assert_eq!(code(&auth, &token, requirement), *expected, "{case}");
        }
    }
}

const NOT_MET: Option<ErrorCode> = Some(RequirementNotMet);
const OTHER_ORGANIZATION: Option<ErrorCode> = Some(OrganizationMismatch);
const STEP_UP: Option<ErrorCode> = Some(StepUpRequired);

#[tokio::test]
async fn a_person() {
    let tenant = Tenant::new();
    let rows = [
        (user(), None),
        (machine(), NOT_MET),
        (not_anonymous(), None),
        (client("spa"), None),
        (client("SPA"), NOT_MET),
        (client(""), NOT_MET),
        (any_organization(), OTHER_ORGANIZATION),
        (organization("org_a1"), OTHER_ORGANIZATION),
        (organization(""), OTHER_ORGANIZATION),
        (organization_name(""), OTHER_ORGANIZATION),
        (acr(MFA), STEP_UP),
        (amr("mfa"), STEP_UP),
        (max_age(60), STEP_UP),
    ];
    let ann = || tenant.token().subject("auth0|ann").client("spa");
    assert_all("a person", &tenant, ann, &rows).await;
    let refreshed = || ann().claim("gty", "refresh_token");
    assert_all("a person, refreshed", &tenant, refreshed, &rows).await;
    let password = || ann().claim("gty", "password");
    assert_all("a person, by password", &tenant, password, &rows).await;
    // Who may choose an id in a database of their own must not be taken for a machine.
    for subject in ["auth0|spa@clients", "auth0|x@clients", "auth0|agt_1", "agt_|x"] {
        let ann = || tenant.token().subject(subject).client("spa");
        assert_all(subject, &tenant, ann, &[(user(), None), (machine(), NOT_MET)]).await;
    }
}

/// A subject that looks like a client, and is not the one that the token names, is neither.
#[tokio::test]
async fn neither_for_certain() {
    let tenant = Tenant::new();
    let rows = [(user(), NOT_MET), (machine(), NOT_MET)];
    let odd = || tenant.token().subject("x@clients").client("spa");
    assert_all("another client's subject", &tenant, odd, &rows).await;
}

#[tokio::test]
async fn a_machine() {
    let tenant = Tenant::new();
    let rows = [
        (machine(), None),
        (user(), NOT_MET),
        (not_anonymous(), None),
        (client("reporting"), None),
        (client("other"), NOT_MET),
        (any_organization(), OTHER_ORGANIZATION),
        (acr(MFA), STEP_UP),
        (max_age(60), STEP_UP),
    ];
    let machine = || tenant.token().machine("reporting");
    assert_all("a machine", &tenant, machine, &rows).await;
    assert_all("without gty", &tenant, || machine().without("gty"), &rows).await;
    // RFC 9068 §2.2: the client is the subject.
    assert_all("the client itself", &tenant, || machine().subject("reporting"), &rows).await;
    // Known by the grant type alone.
    let other = || machine().subject("something").claim("gty", "client-credentials");
    assert_all("by its grant", &tenant, other, &rows).await;
    // With an organization (client credentials for one).
    let of_acme = || machine().organization("org_a1", "acme");
    let rows = [(super_requirement(), None), (organization("org_b2"), OTHER_ORGANIZATION)];
    assert_all("for an organization", &tenant, of_acme, &rows).await;
}

fn super_requirement() -> Requirement {
    machine().and(organization("org_a1")).and(any_organization())
}

#[tokio::test]
async fn an_agent() {
    let tenant = Tenant::new();
    let rows = [(machine(), None), (user(), NOT_MET), (not_anonymous(), None)];
    let agent = || tenant.token().subject("agt_01hxyz").client("platform");
    assert_all("an agent", &tenant, agent, &rows).await;
    // An agent that acts for a person is not who is asked about: the person is.
    let rows = [(user(), None), (machine(), NOT_MET)];
    let for_ann = || {
        tenant
            .token()
            .subject("auth0|ann")
            .client("platform")
            .claim("act", json!({ "sub": "agt_1" }))
    };
    assert_all("an agent for a person", &tenant, for_ann, &rows).await;
}

#[tokio::test]
async fn an_anonymous_session() {
    let tenant = Tenant::new();
    let rows = [(not_anonymous(), NOT_MET), (user(), None), (machine(), NOT_MET)];
    let anonymous = || tenant.token().subject("anon@4f1c").client("spa");
    assert_all("an anonymous session", &tenant, anonymous, &rows).await;
}

#[tokio::test]
async fn an_organization() {
    let tenant = Tenant::new();
    let rows = [
        (any_organization(), None),
        (organization("org_a1"), None),
        (organization("org_A1"), OTHER_ORGANIZATION),
        (organization("org_a"), OTHER_ORGANIZATION),
        (organization("acme"), OTHER_ORGANIZATION),
        (organization_name("acme"), None),
        (organization_name("Acme"), None),
        (organization_name("acm"), OTHER_ORGANIZATION),
        (organization_name("org_a1"), OTHER_ORGANIZATION),
        (Requirement::organization_with_id(String::from("org_a1")), None),
        (any_of![organization("org_b2"), organization_name("acme")], None),
        (all_of![organization("org_b2"), scope("x")], Some(ErrorCode::InsufficientScope)),
        (all_of![organization("org_b2"), acr(MFA)], OTHER_ORGANIZATION),
    ];
    let ann = || tenant.token().organization("org_a1", "acme");
    assert_all("an organization", &tenant, ann, &rows).await;
    let rows = [(organization("org_a1"), None), (organization_name("acme"), OTHER_ORGANIZATION)];
    assert_all("its id only", &tenant, || ann().without("org_name"), &rows).await;
    let rows =
        [(organization_name("acme"), OTHER_ORGANIZATION), (any_organization(), OTHER_ORGANIZATION)];
    assert_all("its name only", &tenant, || ann().without("org_id"), &rows).await;
    let rows = [(any_organization(), OTHER_ORGANIZATION), (organization(""), OTHER_ORGANIZATION)];
    assert_all("an empty id", &tenant, || ann().organization("", ""), &rows).await;
}

struct Request(Option<&'static str>);

impl RequestContext for Request {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.filter(|_| name == "org").map(Cow::Borrowed)
    }
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.0.filter(|_| name == "x-org").map(str::as_bytes)
    }
}

#[tokio::test]
async fn the_organization_of_the_request() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().organization("org_a1", "acme").mint();
    let token = auth.verify(&token).await.unwrap();
    let nobody = auth.verify(&tenant.token().mint()).await.unwrap();
    for (stated, expected) in [
        ("org_a1", None),
        ("acme", None),
        ("ACME", None),
        ("org_b2", OTHER_ORGANIZATION),
        ("other", OTHER_ORGANIZATION),
        ("org_", OTHER_ORGANIZATION),
        ("org_a1 ", OTHER_ORGANIZATION),
        ("org_A1", OTHER_ORGANIZATION),
        ("Org_a1", OTHER_ORGANIZATION),
        ("ac\u{212a}me", OTHER_ORGANIZATION),
        ("", OTHER_ORGANIZATION),
    ] {
        for requirement in [organization_in_path("org"), organization_in_header("x-org")] {
            let judge = |token| {
                let verdict = auth.authorize_request(token, &requirement, &Request(Some(stated)));
                verdict.err().map(|error| error.code())
            };
            assert_eq!(judge(&token), expected, "{requirement} is {stated:?}");
            assert_eq!(judge(&nobody), OTHER_ORGANIZATION, "{requirement} is {stated:?}");
        }
    }
    let judge = |requirement: &Requirement| {
        let verdict = auth.authorize_request(&token, requirement, &Request(None));
        verdict.unwrap_err().code()
    };
    assert_eq!(judge(&organization_in_header("x-org")), OrganizationMismatch, "no such header");
    assert_eq!(judge(&organization_in_path("org")), ErrorCode::Misconfigured, "no such parameter");
    let all = scope("x").and(organization_in_path("org"));
    assert_eq!(judge(&all), ErrorCode::Misconfigured, "and never taken for something else");
    // Without a request it is not met either.
    let code = auth.authorize(&token, &organization_in_header("x-org")).unwrap_err().code();
    assert_eq!(code, ErrorCode::Misconfigured);
}

#[tokio::test]
async fn a_claim_of_the_applications_own() {
    const ROLES: &str = "https://acme.com/roles";
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let claims = |name: &str, value: serde_json::Value| tenant.token().claim(name, value).mint();
    for (name, value, requirement, is_met) in [
        (ROLES, json!(["dev", "admin"]), claim(ROLES).contains("admin"), true),
        (ROLES, json!(["dev", "administrator"]), claim(ROLES).contains("admin"), false),
        (ROLES, json!(["dev", 7, ["admin"]]), claim(ROLES).contains("admin"), false),
        (ROLES, json!(["dev", 7, "admin"]), claim(ROLES).contains("admin"), true),
        (ROLES, json!("admin"), claim(ROLES).contains("admin"), true),
        (ROLES, json!("dev admin"), claim(ROLES).contains("admin"), false),
        (ROLES, json!({ "admin": true }), claim(ROLES).contains("admin"), false),
        (ROLES, json!(["\u{e4}\"dmin"]), claim(ROLES).contains("\u{e4}\"dmin"), true),
        (ROLES, json!([]), claim(ROLES).contains(""), false),
        (ROLES, json!(["admin"]), claim("https://acme").contains("admin"), false),
        ("a.b", json!("x"), claim("a.b").equals("x"), true),
        ("a", json!({ "b": "x" }), claim("a.b").equals("x"), false),
        ("a/b", json!("x"), claim("a/b").equals("x"), true),
        ("plan", json!("gold"), claim("plan").equals("gold"), true),
        ("plan", json!("Gold"), claim("plan").equals("gold"), false),
        ("plan", json!(["gold"]), claim("plan").equals("gold"), false),
        ("plan", json!(null), claim("plan").equals("null"), false),
        ("on", json!(true), claim("on").equals_bool(true), true),
        ("on", json!("true"), claim("on").equals_bool(true), false),
        ("on", json!(true), claim("on").equals("true"), false),
        ("on", json!(1), claim("on").equals_bool(true), false),
        ("on", json!(false), claim("on").equals_bool(false), true),
        ("on", json!(null), claim("on").equals_bool(false), false),
        ("level", json!(5), claim("level").equals_number(5.0), true),
        ("level", json!(5.0), claim("level").equals_number(5.0), true),
        ("level", json!(-0.5), claim("level").equals_number(-0.5), true),
        ("level", json!("5"), claim("level").equals_number(5.0), false),
        ("level", json!(5), claim("level").equals("5"), false),
        ("level", json!(6), claim("level").equals_number(5.0), false),
        ("sub", json!("auth0|ann"), claim("sub").equals("auth0|ann"), true),
    ] {
        let token = auth.verify(&claims(name, value.clone())).await.unwrap();
        let expected = if is_met { None } else { NOT_MET };
        assert_eq!(code(&auth, &token, &requirement), expected, "{requirement} of {value}");
    }
    let bare = auth.verify(&tenant.token().mint()).await.unwrap();
    assert_eq!(code(&auth, &bare, &claim("level").equals_number(0.0)), NOT_MET, "absent");
}

/// The challenge of a refusal, from its error code on.
fn challenge(auth: &Auth0, token: &AccessToken, requirement: &Requirement) -> (u16, String) {
    let challenge = auth.authorize(token, requirement).unwrap_err().challenge();
    let (_, line) = challenge.headers().find(|(name, _)| *name == "www-authenticate").unwrap();
    let (_, rest) = line.split_once("error=").unwrap();
    let (error, rest) = rest.split_once(", error_description=\"").unwrap();
    let (_, parameters) = rest.split_once('"').unwrap();
    (challenge.status(), format!("{error}{parameters}"))
}

#[tokio::test]
async fn a_login_that_is_too_weak_or_too_old() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let now = 1_767_225_600;
    let verify = async |token: TokenBuilder| auth.verify(&token.mint()).await.unwrap();
    let weak = verify(tenant.token().claim("acr", "pwd").claim("auth_time", now - 1000)).await;
    let strong = verify(tenant.token().claim("acr", MFA).claim("auth_time", now - 1000)).await;
    let fresh = verify(tenant.token().claim("acr", "pwd").claim("auth_time", now - 10)).await;
    let mfa = verify(tenant.token().claim("amr", ["pwd", "mfa"])).await;

    for (token, requirement) in [
        (&strong, acr(MFA)),
        (&strong, any_of![acr("x"), acr(MFA)]),
        (&strong, all_of![acr(MFA), max_age(1000)]),
        (&strong, max_age(995)), // within the leeway
        (&fresh, max_age(10)),
        (&mfa, amr("mfa")),
        (&mfa, any_of![acr(MFA), amr("mfa")]),
    ] {
        assert_eq!(code(&auth, token, &requirement), None, "{requirement}");
    }

    const E: &str = r#""insufficient_user_authentication""#;
    let values = |values: &str| format!(r#"{E}, acr_values="{values}""#);
    for (token, requirement, expected) in [
        (&weak, acr(MFA), values(MFA)),
        (&weak, any_of![acr("x"), acr("y"), acr("x")], values("x y")),
        (&weak, all_of![acr(MFA), max_age(300)], format!(r#"{}, max_age="300""#, values(MFA))),
        (&strong, all_of![acr(MFA), max_age(300)], format!(r#"{E}, max_age="300""#)),
        (&fresh, all_of![acr(MFA), max_age(300)], values(MFA)),
        (&weak, all_of![max_age(300), max_age(60)], format!(r#"{E}, max_age="60""#)),
        (&strong, max_age(994), format!(r#"{E}, max_age="994""#)),
        (&weak, max_age(0), format!(r#"{E}, max_age="0""#)),
        (&weak, amr("mfa"), values(MFA)),
        (&weak, amr("hwk"), E.to_owned()),
        (&weak, any_of![acr("x"), max_age(5)], values("x")),
        (&weak, any_of![amr("hwk"), acr("x")], values("x")),
        // What another login does not mend is said first.
        (
            &weak,
            all_of![acr(MFA), scope("a"), max_age(5)],
            r#""insufficient_scope", scope="a""#.to_owned(),
        ),
        (&weak, all_of![acr(MFA), permission("p")], r#""insufficient_scope""#.to_owned()),
        (&weak, all_of![acr(MFA), machine()], r#""insufficient_scope""#.to_owned()),
        // Where either would do, what the client can do.
        (&weak, any_of![permission("p"), acr(MFA)], values(MFA)),
        (&weak, any_of![machine(), acr(MFA)], values(MFA)),
        (
            &weak,
            any_of![all_of![acr(MFA), scope("a")], permission("p")],
            r#""insufficient_scope", scope="a""#.to_owned(),
        ),
    ] {
        let (status, challenge) = challenge(&auth, token, &requirement);
        assert_eq!(challenge, expected, "{requirement}");
        assert_eq!(status, if challenge.starts_with(E) { 401 } else { 403 }, "{requirement}");
    }

    // A login in the future is a mistake, such as milliseconds, and not the newest of all.
    for odd in [json!(now + 6), json!(u64::from(now as u32) * 1000), json!(1e300), json!(-5)] {
        let token = verify(tenant.token().claim("auth_time", &odd)).await;
        assert_eq!(code(&auth, &token, &max_age(300)), STEP_UP, "{odd}");
    }
    let ahead = verify(tenant.token().claim("auth_time", now + 5)).await;
    assert_eq!(code(&auth, &ahead, &max_age(300)), None, "within the leeway");
    for requirement in [acr(""), amr("")] {
        let token = verify(tenant.token().claim("acr", "").claim("amr", [""])).await;
        assert_eq!(code(&auth, &token, &requirement), STEP_UP, "{requirement}");
    }

    // A login grows old while its token is good.
    assert_eq!(code(&auth, &fresh, &max_age(60)), None);
    tenant.clock().advance(Duration::from_secs(56));
    assert_eq!(code(&auth, &fresh, &max_age(60)), STEP_UP);
}

#[test]
fn they_print_and_compare_as_they_are_written() {
    for (requirement, expected) in [
        (any_scope(&["a", "b"]), r#"any_scope(["a", "b"])"#),
        (claim("https://a/b").contains("x"), r#"claim("https://a/b").contains("x")"#),
        (claim("a").equals("\"x"), r#"claim("a").equals("\"x")"#),
        (claim("a").equals_number(5.0), r#"claim("a").equals_number(5.0)"#),
        (claim("a").equals_bool(true), r#"claim("a").equals_bool(true)"#),
        (organization("org_1"), r#"organization("org_1")"#),
        (organization_name("acme"), r#"organization_name("acme")"#),
        (any_organization(), "any_organization()"),
        (organization_in_path("org"), r#"organization_in_path("org")"#),
        (organization_in_header("x-org"), r#"organization_in_header("x-org")"#),
        (
            all_of![acr(MFA), amr("mfa"), max_age(300)],
            r#"all_of[acr("http://schemas.openid.net/pape/policies/2007/06/multi-factor"), amr("mfa"), max_age(300)]"#,
        ),
        (any_of![machine(), user(), not_anonymous()], "any_of[machine(), user(), not_anonymous()]"),
        (client("spa"), r#"client("spa")"#),
    ] {
        assert_eq!(requirement.to_string(), expected);
        assert_eq!(format!("{requirement:?}"), expected);
        assert!(requirement == requirement.clone());
    }
    let all = [
        claim("a").equals("x"),
        claim("a").equals_number(f64::NAN),
        claim("a").equals_number(0.0),
        claim("a").equals_bool(true),
        claim("a").contains("x"),
        claim("b").equals("x"),
        machine(),
        user(),
        organization("x"),
        organization_name("x"),
        organization_in_path("x"),
        organization_in_header("x"),
        acr("x"),
        amr("x"),
        max_age(1),
        max_age(2),
        client("x"),
        any_scope(&["x"]),
        any_scope(&["x", "y"]),
    ];
    for (i, a) in all.iter().enumerate() {
        for (j, b) in all.iter().enumerate() {
            assert_eq!(a == b, i == j, "{a} and {b}");
        }
    }
}

#[tokio::test]
async fn any_scope_asks_for_one() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = auth.verify(&tenant.token().scope("a b").mint()).await.unwrap();
    assert_eq!(code(&auth, &token, &any_scope(&["x", "b"])), None);
    for requirement in [any_scope(&["x", "y"]), any_scope(&[]), any_scope(&[""])] {
        let refused = Some(ErrorCode::InsufficientScope);
        assert_eq!(code(&auth, &token, &requirement), refused, "{requirement}");
    }
    let (_, parameters) = challenge(&auth, &token, &any_scope(&["x", "y"]));
    assert_eq!(parameters, r#""insufficient_scope", scope="x y""#);
}

#[tokio::test]
async fn what_a_token_tells_in_types() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let verify = async |token: TokenBuilder| auth.verify(&token.mint()).await.unwrap();
    let bare = verify(tenant.token()).await;
    assert!(bare.organization().is_none() && bare.actor().unwrap().is_none());
    assert!(bare.confirmation().unwrap().is_none());
    assert!(bare.authorization_details::<serde_json::Value>().unwrap().is_empty());
    assert!(bare.authentication().acr().is_none() && !bare.authentication().is_multi_factor());
    assert_eq!(auth.organization_of(&bare).unwrap_err().code(), OrganizationMismatch);

    let entry = json!({ "type": "payment" });
    for details in [json!([entry]), entry.clone()] {
        let token = verify(tenant.token().claim("authorization_details", details)).await;
        assert_eq!(
            token.authorization_details::<serde_json::Value>().unwrap(),
            std::slice::from_ref(&entry)
        );
    }
    let odd = verify(tenant.token().claim("authorization_details", 7).claim("act", "x")).await;
    let claims_invalid = |code| assert_eq!(code, ErrorCode::ClaimsInvalid);
    claims_invalid(odd.authorization_details::<serde_json::Value>().unwrap_err().code());
    claims_invalid(odd.actor().unwrap_err().code());

    let act =
        json!({ "sub": "agt_1", "client_id": "c", "iss": "https://x/", "act": { "sub": "b" } });
    let token = verify(tenant.token().claim("act", act).claim("cnf", json!({ "kid": "k" }))).await;
    let actor = token.actor().unwrap().unwrap();
    assert_eq!((actor.client_id(), actor.issuer()), (Some("c"), Some("https://x/")));
    assert_eq!(actor.chain().count(), 2);
    let confirmation = token.confirmation().unwrap().unwrap();
    assert_eq!(
        (confirmation.key_thumbprint(), confirmation.certificate_thumbprint()),
        (None, None)
    );

    let token =
        verify(tenant.token().claim("amr", ["mfa"]).claim("auth_time", 1_767_225_000)).await;
    assert!(token.authentication().is_multi_factor());
    assert_eq!(token.authentication().auth_time(), token.auth_time());
}
