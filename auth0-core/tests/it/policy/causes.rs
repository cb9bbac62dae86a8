//! The cause of a refusal by a requirement, or by the type of the application's claims.
use auth0_core::{Auth0, TrustedIssuer, VerifiedToken, policy::*};
use auth0_testing::{Tenant, check};
use serde::Deserialize;
use serde_json::json;

fn cause(token: &VerifiedToken, requirement: &Requirement) -> String {
    check(token, requirement).unwrap_err().cause().unwrap().to_owned()
}

/// A claim in another type: the log says what to write for the token as it is.
#[test]
fn a_claim_in_another_type_is_named_with_what_to_write() {
    let tenant = Tenant::new();
    for (value, requirement, seen, write) in [
        (json!("true"), claim("c").equals_bool(true), "is a string", "require .equals(\"true\")"),
        (json!(true), claim("c").equals("true"), "is a boolean", "require .equals_bool(true)"),
        (json!("5"), claim("c").equals_number(5.0), "is a string", "require .equals(\"5\")"),
        (json!(5), claim("c").equals("5"), "is a number", "require .equals_number(5.0)"),
        (json!(["a"]), claim("c").equals("a"), "is an array", "require .contains(\"a\")"),
        (json!("s3cr3t"), claim("c").equals_bool(true), "is a string", "setCustomClaim"),
        (json!("s3cr3t"), claim("c").equals("a"), "is another string", "setCustomClaim"),
        (json!({ "s3cr3t": 1 }), claim("c").contains("a"), "is an object", "setCustomClaim"),
        (json!(false), claim("c").equals_bool(true), "is the other boolean", "setCustomClaim"),
        (json!(null), claim("c").equals("a"), "is null", "setCustomClaim"),
    ] {
        let token = tenant.token().claim("c", value).verified();
        let cause = cause(&token, &requirement);
        let expected = format!("; expected {requirement}. ");
        for part in [&format!("the claim \"c\" {seen}"), &expected, write] {
            assert!(cause.contains(part), "{part} in {cause}");
        }
        assert!(!cause.contains("s3cr3t"), "{cause}");
    }
}

/// What to do depends on where the provider's tokens have it.
#[tokio::test]
async fn the_claims_of_another_provider_are_named() {
    const ISSUER: &str = "https://login.acme.com/";
    let tenant = Tenant::new();
    let issuer = TrustedIssuer::new(ISSUER).key_set(tenant.key_set_json());
    let issuer = issuer.permissions_claim(["realm_access", "roles"]);
    let auth = Auth0::builder().issuer(issuer).audience(tenant.audience());
    let auth = auth.clock(tenant.clock().clone()).build().unwrap();
    let token = auth.verify(&tenant.token().issuer(ISSUER).mint()).await.unwrap();
    for (requirement, part) in [
        (permission("admin"), "has no claim \"realm_access > roles\""),
        (permission("admin"), "Let the issuer write it into the claim \"realm_access > roles\""),
        (scope("read"), "TrustedIssuer::scope_claim"),
        (claim("plan").equals("gold"), "Let the issuer write the claim"),
        (organization("org_1"), "Let the issuer write the organization"),
    ] {
        let error = auth.authorize(&token, &requirement).unwrap_err();
        let cause = error.cause().unwrap();
        assert!(cause.contains(part) && !cause.contains("Dashboard"), "{cause}");
    }
}

/// Of several requirements, the one that fails is named. Of alternatives, all are.
#[test]
fn the_part_that_fails_is_named() {
    let token = Tenant::new().token().scope("a").claim("amr", ["pwd"]).verified();
    for (requirement, expected, other) in [
        (all_of![scope("a"), scope("b")], "scope(\"b\")", "scope(\"a\")"),
        (all_of![scope("a"), permission("p")], "permission(\"p\")", "scope(\"a\")"),
        (all_of![acr("x"), scope("b")], "scope(\"b\")", "acr"),
        (all_of![scope("a"), all_of![scope("a"), machine()]], "machine()", "scope(\"a\")"),
    ] {
        let cause = cause(&token, &requirement);
        let (_, rest) = cause.split_once("; expected ").unwrap();
        assert!(rest.starts_with(expected) && !rest.contains(other), "{cause}");
    }
    let cause = cause(&token, &any_of![acr(MFA), amr("mfa")]);
    assert!(
        cause.starts_with("the token has no acr, and the token's amr is \"pwd\"; expected any_of["),
        "{cause}"
    );
}

#[test]
fn claims_that_are_not_the_type_are_named_and_never_quoted() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "they are only read")]
    struct Mine {
        admin: bool,
        #[serde(default)]
        level: Option<Level>,
        #[serde(default)]
        nested: Option<Nested>,
    }
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Level {
        High,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is only read")]
    struct Nested {
        inside: u8,
    }
    let tenant = Tenant::new();
    let token = || tenant.token();
    let good = || token().claim("admin", true);
    for (token, seen, expected) in [
        (token(), "the token has no claim \"admin\"", "it, for the type"),
        (
            token().claim("admin", "s3cr3t"),
            "the claim \"admin\" has another type",
            "a boolean for the type",
        ),
        (
            token().claim("admin", json!(["s3cr3t"])),
            "the claim \"admin\" has another type",
            "a boolean",
        ),
        (token().claim("admin", json!(null)), "the claim \"admin\" has another type", "a boolean"),
        (good().claim("level", "s3cr3t"), "the claim \"level\" has another type", "`high`"),
        (
            good().claim("nested", json!({ "inside": "s3cr3t" })),
            "the claim \"nested\" has another type",
            "u8",
        ),
        (
            good().claim("nested", json!({ "inside": 1000 })),
            "the claim \"nested\" has another type",
            "u8",
        ),
        (
            good().claim("nested", json!({ "s3cr3t": 1 })),
            "the claim \"nested\" has no member \"inside\"",
            "it, for the type",
        ),
        (
            token().claim("admin", "s3cr3t, expected s3cr3t at line 1 column 1"),
            "the claim \"admin\" has another type",
            "a boolean for the type",
        ),
    ] {
        let error = token.verified().with_claims::<Mine>().unwrap_err();
        let cause = error.cause().unwrap();
        let (first, rest) = cause.split_once("; expected ").unwrap();
        assert!(first.contains(seen), "{seen}: {cause}");
        assert!(rest.contains(expected) && rest.contains("Mine"), "{expected}: {cause}");
        assert!(!cause.contains("s3cr3t"), "{cause}");
    }
    let token = token().claim("n", "s3cr3t").verified();
    let error = token.claim::<u8>("n").unwrap_err();
    let cause = error.cause().unwrap();
    assert!(
        cause.starts_with("the claim \"n\" has another type; expected u8 for the type u8"),
        "{cause}"
    );
}
