//! How requirements print and compare.
use auth0_core::policy::{
    Condition, MFA, acr, all_of, amr, any_of, any_organization, any_scope, authenticated, check,
    claim, client, machine, max_age, not_anonymous, organization, organization_in_header,
    organization_in_path, organization_name, permission, scope, user,
};
use auth0_core::{Requirement, VerifiedToken};

#[test]
fn requirements_print_as_they_are_written() {
    for (requirement, expected) in [
        (authenticated(), "authenticated()"),
        (scope("a b"), r#"scope("a b")"#),
        (permission("p"), r#"permission("p")"#),
        (check("c", no), r#"check("c")"#),
        (all_of![scope("a"), permission("p")], r#"all_of[scope("a"), permission("p")]"#),
        (any_of![scope("a")], r#"any_of[scope("a")]"#),
        (
            scope("a").and(scope("b")).or(scope("c")),
            r#"any_of[all_of[scope("a"), scope("b")], scope("c")]"#,
        ),
        (Requirement::all_of(&[]), "all_of[]"),
        (Requirement::scope_named("a\"\n\u{202e}"), r#"scope("a\"\n\u{202e}")"#),
    ] {
        assert_eq!(requirement.to_string(), expected);
        assert_eq!(format!("{requirement:?}"), expected);
    }
}

#[test]
fn requirements_are_equal_if_they_are_written_alike() {
    let alike = [
        (scope("a"), Requirement::scope_named("a")),
        (permission("a"), Requirement::permission_named("a")),
        (check("c", yes), check("c", no)), // identified by its name
        (scope("a").and(scope("b")), all_of![scope("a"), scope("b")]),
        (scope("a").or(scope("b")), any_of![scope("a"), scope("b")]),
    ];
    for (left, right) in alike {
        assert_eq!(left, right);
    }
    let different = [
        authenticated(),
        scope("a"),
        scope("b"),
        scope("a b"),
        permission("a"),
        check("a", yes),
        all_of![scope("a")],
        any_of![scope("a")],
        all_of![scope("a"), scope("b")],
        all_of![scope("b"), scope("a")],
        any_of![scope("a"), scope("b")],
        Requirement::all_of(&[]),
        Requirement::any_of(&[]),
    ];
    for (i, left) in different.iter().enumerate() {
        for (j, right) in different.iter().enumerate() {
            assert_eq!(left == right, i == j, "{left} and {right}");
        }
    }
}

fn yes(_: &VerifiedToken) -> bool {
    true
}

fn no(_: &VerifiedToken) -> bool {
    false
}

#[test]
fn every_constructor_prints_and_compares_as_it_is_written() {
    for (requirement, expected) in [
        (any_scope(&["a", "b"]), r#"any_scope(["a", "b"])"#),
        (claim("https://a/b").contains("x"), r#"claim("https://a/b").contains("x")"#),
        (claim("a").equals("\"x"), r#"claim("a").equals("\"x")"#),
        (claim("a").equals_number(5.0), r#"claim("a").equals_number(5.0)"#),
        (claim("a").equals_integer(-5), r#"claim("a").equals_integer(-5)"#),
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
        claim("a").equals_integer(0),
        claim("a").equals_integer(1),
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

#[test]
fn each_condition_has_a_public_view() {
    for (requirement, expected) in [
        (scope("a b"), Condition::Scope("a b")),
        (permission("p"), Condition::Permission("p")),
        (claim("plan").equals("beta"), Condition::Claim("plan")),
        (organization("org_1"), Condition::Organization("org_1")),
        (organization_name("acme"), Condition::OrganizationName("acme")),
        (any_organization(), Condition::AnyOrganization),
        (organization_in_path("org"), Condition::OrganizationInPath("org")),
        (organization_in_header("x-org"), Condition::OrganizationInHeader("x-org")),
        (acr(MFA), Condition::Acr(MFA)),
        (amr("mfa"), Condition::Amr("mfa")),
        (max_age(300), Condition::MaxAge(300)),
        (machine(), Condition::Machine),
        (user(), Condition::User),
        (not_anonymous(), Condition::NotAnonymous),
        (client("spa"), Condition::Client("spa")),
        (check("c", no), Condition::Check("c")),
    ] {
        assert_eq!(requirement.condition(), Some(expected), "{requirement}");
        let alternatives = requirement.alternatives().unwrap();
        assert_eq!(alternatives[0].conditions()[0].condition(), Some(expected));
    }
    for list in [authenticated(), any_scope(&["a"]), any_of![user()], all_of![user()]] {
        assert_eq!(list.condition(), None, "{list}");
    }
}
