//! Claims of an odd type: what validity depends on is strict, and what is not needed is not an error.
use crate::common::{AUDIENCE, NOW, check_with, verdict};
use auth0_core::ErrorCode::{AudienceMismatch, ClaimsInvalid, TokenTypeInvalid};
use auth0_core::policy::{
    acr, any_organization, claim, client, machine, max_age, organization, permission, scope, user,
};
use auth0_core::{Auth0, ErrorCode, SubjectKind, TrustedIssuer, VerifiedToken};
use auth0_testing::{Tenant, TokenBuilder};
use serde_json::{Value, json};

/// Values of every JSON type.
fn odd_values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(7),
        json!(-1.5),
        json!("2020-03-14T18:52:01.180Z"),
        json!([1, null]),
        json!([{ "method": "password", "timestamp": 1 }]),
        json!({ "a": 1 }),
    ]
}

#[tokio::test]
async fn a_claim_that_nobody_needs_may_have_any_type() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    for name in [
        "jti",
        "client_id",
        "azp",
        "scope",
        "permissions",
        "org_id",
        "org_name",
        "sid",
        "auth_time",
        "acr",
        "amr",
        "act",
        "gty",
        "authorization_details",
        "email",
        "typ",
        "token_use",
    ] {
        for value in odd_values() {
            let token = tenant.token().claim(name, &value).mint();
            assert_eq!(verdict(&auth, &token).await, None, "{name}: {value}");
        }
    }
    for name in ["iss", "aud", "exp", "sub"] {
        for value in odd_values() {
            let is_valid = matches!((name, &value), ("sub" | "iss" | "aud", Value::String(_)));
            let is_valid = is_valid || name == "aud" && value == json!([]);
            if is_valid || name == "exp" && value.is_number() {
                continue;
            }
            let token = tenant.token().claim(name, &value).mint();
            assert_eq!(verdict(&auth, &token).await, Some(ClaimsInvalid), "{name}: {value}");
        }
    }
    for name in ["nbf", "iat", "cnf"] {
        for value in odd_values() {
            let is_type = value.is_null()
                || if name == "cnf" { value.is_object() } else { value.is_number() };
            let token = tenant.token().claim(name, &value).mint();
            let expected = (!is_type).then_some(ClaimsInvalid);
            assert_eq!(verdict(&auth, &token).await, expected, "{name}: {value}");
        }
    }
}

/// Only who asks for the claim is refused, as if it were absent.
#[tokio::test]
async fn an_odd_claim_counts_as_absent() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let rows: [(&str, Value, auth0_core::Requirement); 9] = [
        ("scope", json!({ "read": true }), scope("read")),
        ("permissions", json!({ "read": true }), permission("read")),
        ("permissions", json!("read"), permission("read")),
        ("org_id", json!(["org_a1"]), organization("org_a1")),
        ("org_id", json!(null), any_organization()),
        ("azp", json!(["spa"]), client("spa")),
        ("acr", json!(["strong"]), acr("strong")),
        ("auth_time", json!("2026-01-01T00:00:00Z"), max_age(3600)),
        ("plan", json!(null), claim("plan").equals("null")),
    ];
    for (name, value, requirement) in rows {
        let token = auth.verify(&tenant.token().claim(name, &value).mint()).await.unwrap();
        let absent = auth.verify(&tenant.token().without(name).mint()).await.unwrap();
        let refused = |token| auth.authorize(token, &requirement).unwrap_err().code();
        assert_eq!(refused(&token), refused(&absent), "{name}: {value}");
        assert_eq!(token.organization(), None);
        assert_eq!((token.scopes().count(), token.permissions().count()), (0, 0), "{name}");
    }
    let token =
        auth.verify(&tenant.token().claim("scope", ["read:a", "b c", "d"]).mint()).await.unwrap();
    assert_eq!(token.scopes().collect::<Vec<_>>(), ["read:a", "d"], "a space is not in a scope");
    let token = auth.verify(&tenant.token().claim("act", "noActor").mint()).await.unwrap();
    assert_eq!(token.actor().unwrap_err().code(), ClaimsInvalid, "who asks is told");
}

/// Returns a verifier that does not know the issuer as Auth0's.
fn of_another_provider(tenant: &Tenant, change: fn(TrustedIssuer) -> TrustedIssuer) -> Auth0 {
    let issuer = change(TrustedIssuer::new("https://id.example/").key_set(tenant.key_set_json()));
    let auth = Auth0::builder().issuer(issuer).audience(AUDIENCE).clock(tenant.clock().clone());
    auth.build().unwrap()
}

fn of_provider(tenant: &Tenant) -> TokenBuilder {
    tenant.token().issuer("https://id.example/")
}

#[tokio::test]
async fn what_only_looks_like_an_id_token_is_accepted_from_other_providers() {
    let tenant = Tenant::new();
    let other = of_another_provider(&tenant, |issuer| issuer);
    let strict = of_another_provider(&tenant, |issuer| issuer.refuse_likely_id_tokens(true));
    let lax = TrustedIssuer::new(tenant.issuer()).refuse_likely_id_tokens(false);
    let lax = tenant.builder_with([]).issuer(lax).build().unwrap();
    let alike: [fn(TokenBuilder) -> TokenBuilder; 3] = [
        |token| token.claim("nonce", "5f1d"),
        |token| token.claim("at_hash", "h"),
        |token| token.client(AUDIENCE),
    ];
    for change in alike {
        let token = change(of_provider(&tenant)).mint();
        assert_eq!(verdict(&other, &token).await, None);
        assert_eq!(verdict(&strict, &token).await, Some(TokenTypeInvalid));
        let token = change(tenant.token()).mint();
        assert_eq!(verdict(&tenant.auth0(), &token).await, Some(TokenTypeInvalid), "Auth0's");
        assert_eq!(verdict(&lax, &token).await, None);
    }
    // An ID token for its client is suspected where its audience does not fit, and named where the issuer's tokens
    // are known to be of that kind.
    let id_token = of_provider(&tenant).client("spa").audience("spa").mint();
    let error = other.verify(&id_token).await.unwrap_err();
    assert_eq!(error.code(), AudienceMismatch);
    assert!(error.cause().unwrap().contains("may be an ID token"), "{error:?}");
    assert_eq!(verdict(&strict, &id_token).await, Some(TokenTypeInvalid));
    let elsewhere = of_provider(&tenant).audience("spa").mint();
    assert_eq!(verdict(&other, &elsewhere).await, Some(AudienceMismatch));
}

#[tokio::test]
async fn sure_signs_of_other_tokens_count_for_every_issuer() {
    let tenant = Tenant::new();
    for auth in [tenant.auth0(), of_another_provider(&tenant, |issuer| issuer)] {
        let issuer = auth.issuers().next().unwrap().to_string();
        for (name, value) in [
            ("typ", json!("ID")),
            ("typ", json!("Id")),
            ("typ", json!("Refresh")),
            ("typ", json!("Offline")),
            ("typ", json!("Logout")),
            ("token_use", json!("id")),
            ("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
            ("token_use", json!("id_token")),
        ] {
            let token = tenant.token().issuer(&issuer).claim(name, &value).mint();
            assert_eq!(
                verdict(&auth, &token).await,
                Some(TokenTypeInvalid),
                "{issuer} {name} {value}"
            );
        }
        for (name, value) in [
            ("typ", json!("Bearer")),
            ("typ", json!("DPoP")),
            ("token_use", json!("access")),
            ("events", json!(["signup"])),
        ] {
            let token = tenant.token().issuer(&issuer).claim(name, &value).mint();
            assert_eq!(verdict(&auth, &token).await, None, "{issuer} {name} {value}");
        }
    }
}

#[tokio::test]
async fn another_claim_can_be_the_subject() {
    let tenant = Tenant::new();
    let auth = of_another_provider(&tenant, |issuer| {
        issuer.subject_claim(["sub"]).subject_claim(["user", "id"]).subject_claim(["client_id"])
    });
    let token = || of_provider(&tenant).without("sub").without("azp");
    check_with(
        &tenant,
        &auth,
        &[
            (
                "none of them",
                |t| t.issuer("https://id.example/").without("sub"),
                Some(ClaimsInvalid),
            ),
            (
                "sub a number",
                |t| t.issuer("https://id.example/").claim("sub", 1).client("x"),
                Some(ClaimsInvalid),
            ),
        ],
    )
    .await;
    for (claims, expected) in [
        (json!({ "sub": "ann", "client_id": "x" }), "ann"),
        (json!({ "sub": null, "client_id": "x" }), "x"),
        (json!({ "sub": "", "user": { "id": "u1" }, "client_id": "x" }), "u1"),
        (json!({ "user": { "id": 7 }, "client_id": "x" }), "x"),
        (json!({ "client_id": "x" }), "x"),
    ] {
        let mut token = token();
        for (name, value) in claims.as_object().unwrap() {
            token = token.claim(name, value);
        }
        let token = auth.verify(&token.mint()).await.unwrap();
        assert_eq!(token.subject(), expected, "{claims}");
    }
    let machine = auth.verify(&token().claim("client_id", "x").mint()).await.unwrap();
    assert_eq!(machine.subject_kind(), Some(SubjectKind::Machine), "the client itself");
    let empty = token().claim("client_id", "").mint();
    assert_eq!(verdict(&auth, &empty).await, Some(ClaimsInvalid));

    let strict = of_another_provider(&tenant, |issuer| issuer);
    let error = strict.verify(&token().claim("client_id", "x").mint()).await.unwrap_err();
    assert_eq!(error.code(), ClaimsInvalid);
    assert!(error.cause().unwrap().contains("TrustedIssuer::subject_claim"), "{error:?}");
}

#[tokio::test]
async fn roles_come_as_a_text_a_list_or_the_names_of_members() {
    let tenant = Tenant::new();
    let listed = of_another_provider(&tenant, |issuer| issuer.permissions_claim(["roles"]));
    let named = of_another_provider(&tenant, |issuer| issuer.permissions_from_members(["roles"]));
    for (value, of_list, of_members) in [
        (json!("admin"), vec!["admin"], vec![]),
        (json!("two words"), vec!["two words"], vec![]),
        (json!(["admin", "a\"b"]), vec!["admin", "a\"b"], vec![]),
        (json!({ "admin": { "1": "acme" }, "ed\u{e9}": {} }), vec![], vec!["admin", "ed\u{e9}"]),
        (json!({}), vec![], vec![]),
        (json!([{ "key": "admin" }]), vec![], vec![]),
        (json!(null), vec![], vec![]),
        (json!(1), vec![], vec![]),
    ] {
        let token = of_provider(&tenant).claim("roles", &value).mint();
        let permissions = async |auth: &Auth0| -> Vec<String> {
            let token = auth.verify(&token).await.unwrap();
            token.permissions().map(Into::into).collect()
        };
        assert_eq!(permissions(&listed).await, of_list, "{value}");
        assert_eq!(permissions(&named).await, of_members, "{value}");
    }
}

/// A machine never meets `user()`, and a person never `machine()`; what is not known meets neither.
#[tokio::test]
async fn signs_of_providers_tell_persons_from_machines() {
    use SubjectKind::{Machine, User};
    let tenant = Tenant::new();
    let auth = of_another_provider(&tenant, |issuer| issuer);
    for (name, claims, expected) in [
        ("no sign", json!({ "sub": "s", "client_id": "c" }), None),
        ("the client", json!({ "sub": "c", "client_id": "c" }), Some(Machine)),
        ("the client in azp", json!({ "sub": "c", "azp": "c" }), Some(Machine)),
        // People can choose such names, so they say nothing beside a login.
        ("the audience", json!({ "sub": AUDIENCE, "auth_time": 1 }), Some(User)),
        ("the name of the client", json!({ "sub": "web", "azp": "web", "sid": "s" }), None),
        (
            "the name of an agent",
            json!({ "sub": "agt_eve", "auth_time": 1, "sid": "s" }),
            Some(User),
        ),
        ("the name of a workload", json!({ "sub": "spiffe://x", "amr": ["pwd"] }), None),
        (
            "the name of a service account",
            json!({ "sub": "s", "azp": "web", "preferred_username": "service-account-x", "sid": "s" }),
            Some(User),
        ),
        (
            "the name of the client's service account",
            json!({ "sub": "s", "azp": "web", "preferred_username": "service-account-web", "sid": "s" }),
            None,
        ),
        (
            "the name of a provider's account",
            json!({ "sub": "s", "preferred_username": "ak-eve-client_credentials", "auth_time": 1 }),
            None,
        ),
        ("an address", json!({ "sub": "s", "email": "eve@evil.gserviceaccount.com" }), Some(User)),
        ("no methods", json!({ "sub": "m1", "amr": [] }), None),
        ("Entra, scopes in a list", json!({ "sub": "o", "oid": "o", "scp": ["read"] }), Some(User)),
        (
            "Cognito, a machine",
            json!({ "sub": "c", "client_id": "c", "token_use": "access", "auth_time": 1 }),
            Some(Machine),
        ),
        ("Auth0, a user", json!({ "sub": "auth0|ann", "azp": "c" }), Some(User)),
        ("Auth0, a machine", json!({ "sub": "c@clients", "azp": "c" }), Some(Machine)),
        ("Auth0, another client", json!({ "sub": "d@clients", "azp": "c", "sid": "s" }), None),
        (
            "Auth0, an agent",
            json!({ "sub": "agt_1", "client_id": "c", "sub_profile": "ai_agent" }),
            Some(Machine),
        ),
        (
            "Entra, said",
            json!({ "sub": "s", "oid": "o", "idtyp": "app", "amr": ["pwd"] }),
            Some(Machine),
        ),
        ("Entra, a user", json!({ "sub": "s", "oid": "o", "idtyp": "user" }), Some(User)),
        ("Entra, an application", json!({ "sub": "o", "oid": "o", "roles": ["r"] }), Some(Machine)),
        ("Entra, scopes", json!({ "sub": "s", "oid": "o", "scp": "read" }), Some(User)),
        ("Keycloak, a user", json!({ "sub": "s", "preferred_username": "ann" }), Some(User)),
        (
            "Keycloak, a service account",
            json!({ "sub": "s", "azp": "Job", "preferred_username": "service-account-job", "email": "j@x" }),
            Some(Machine),
        ),
        ("Keycloak, the host", json!({ "sub": "s", "clientHost": "10.0.0.1" }), Some(Machine)),
        (
            "authentik",
            json!({ "sub": "s", "preferred_username": "ak-api-client_credentials" }),
            Some(Machine),
        ),
        ("a person's address", json!({ "sub": "s", "email": "ann@acme.com" }), Some(User)),
        ("Cognito", json!({ "sub": "s", "client_id": "c", "username": "ann" }), Some(User)),
        ("Kubernetes", json!({ "sub": "system:serviceaccount:a:b" }), Some(Machine)),
        (
            "GitHub",
            json!({ "sub": "repo:a/b:ref", "repository": "a/b", "run_id": "1", "actor": "x" }),
            Some(Machine),
        ),
        (
            "GitLab",
            json!({ "sub": "project_path:a/b:ref", "project_path": "a/b", "pipeline_id": "1" }),
            Some(Machine),
        ),
        ("one claim of a workflow", json!({ "sub": "s", "repository": "a/b" }), None),
        ("SPIFFE", json!({ "sub": "spiffe://acme.com/ns/a/sa/b" }), Some(Machine)),
        (
            "methods of a login",
            json!({ "sub": "s", "amr": [{ "method": "password" }] }),
            Some(User),
        ),
        ("nulls", json!({ "sub": "s", "email": null, "amr": null, "sid": "" }), None),
    ] {
        let mut payload = claims;
        payload["iss"] = "https://id.example/".into();
        payload["exp"] = (NOW + 3600).into();
        if payload["aud"].is_null() {
            payload["aud"] = AUDIENCE.into();
        }
        let token = tenant.token().raw_payload(payload.to_string()).mint();
        let token = auth.verify(&token).await.unwrap();
        assert_eq!(token.subject_kind(), expected, "{name}");
        let meets = |requirement| auth.authorize(&token, &requirement).is_ok();
        assert_eq!(
            (meets(user()), meets(machine())),
            (expected == Some(User), expected == Some(Machine)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_application_can_say_who_is_a_machine() {
    fn kind(token: &VerifiedToken) -> Option<SubjectKind> {
        match token.claim::<String>("kind").ok()??.as_str() {
            "person" => Some(SubjectKind::User),
            "job" => Some(SubjectKind::Machine),
            _ => None,
        }
    }
    let tenant = Tenant::new();
    let auth = of_another_provider(&tenant, |issuer| issuer.subject_kind(kind));
    for (value, expected) in [
        (json!("person"), Some(SubjectKind::User)),
        (json!("job"), Some(SubjectKind::Machine)),
        (json!("other"), None),
        (json!(1), None),
    ] {
        let token = auth.verify(&of_provider(&tenant).claim("kind", &value).mint()).await.unwrap();
        assert_eq!(token.subject_kind(), expected, "{value}");
    }
}

/// RFC 9068 requires these claims, so they must be texts.
#[tokio::test]
async fn the_profile_of_rfc_9068_stays_strict() {
    let tenant = Tenant::new();
    let auth = tenant.builder().rfc9068_only(true).build().unwrap();
    let token = || tenant.token().profile(auth0_testing::Profile::Rfc9068);
    assert_eq!(verdict(&auth, &token().mint()).await, None);
    for name in ["client_id", "jti"] {
        for value in [json!(1), json!(null), json!(["x"])] {
            let token = token().claim(name, &value).mint();
            assert_eq!(
                verdict(&auth, &token).await,
                Some(ErrorCode::ClaimsInvalid),
                "{name} {value}"
            );
        }
    }
}
