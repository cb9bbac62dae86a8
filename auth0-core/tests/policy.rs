//! What meets a requirement, what is missing first, and how requirements print and compare.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use auth0_core::{
    AccessToken, ErrorCode,
    ErrorCode::{InsufficientPermissions, InsufficientScope, RequirementNotMet},
    Policy, Requirement,
    policy::{self, all_of, any_of, authenticated, check, permission, scope},
    testing::Tenant,
};
use proptest::prelude::*;

fn yes(_: &AccessToken) -> bool {
    true
}

fn no(_: &AccessToken) -> bool {
    false
}

fn is_ann(token: &AccessToken) -> bool {
    token.subject() == "auth0|ann"
}

/// Has the scopes `a` and `b`, the permissions `p`, `q r` and the empty one.
async fn token() -> AccessToken {
    let tenant = Tenant::new();
    let token = tenant.token().subject("auth0|ann").scope("a b").permissions(["p", "q r", ""]);
    tenant.auth0().verify(&token.mint()).await.unwrap()
}

fn missing(requirement: &Requirement, token: &AccessToken) -> Option<ErrorCode> {
    requirement.check(token).err().map(|error| error.code())
}

#[tokio::test]
async fn a_requirement_is_met_or_says_what_is_missing() {
    let token = token().await;
    let rows = [
        (authenticated(), None),
        (scope("a"), None),
        (scope("c"), Some(InsufficientScope)),
        (scope("A"), Some(InsufficientScope)),
        (scope("p"), Some(InsufficientScope)), // a permission is no scope
        (scope("a b"), None),
        (scope(" b\ta  "), None),
        (scope("a c"), Some(InsufficientScope)),
        (scope(""), Some(InsufficientScope)),
        (scope("  "), Some(InsufficientScope)),
        (Requirement::scope_named(String::from("a")), None),
        (Requirement::scope_named(""), Some(InsufficientScope)),
        (permission("p"), None),
        (permission("q r"), None),
        (permission("q"), Some(InsufficientPermissions)),
        (permission("a"), Some(InsufficientPermissions)), // a scope is no permission
        (permission("P"), Some(InsufficientPermissions)),
        (permission("p q"), Some(InsufficientPermissions)),
        (permission(""), Some(InsufficientPermissions)), // even though the token lists it
        (Requirement::permission_named(String::from("p")), None),
        (check("yes", yes), None),
        (check("no", no), Some(RequirementNotMet)),
        (check("ann", is_ann), None),
    ];
    for (requirement, expected) in rows {
        assert_eq!(missing(&requirement, &token), expected, "{requirement}");
    }
}

#[tokio::test]
async fn of_all_that_is_missing_the_scope_comes_first_and_the_check_last() {
    const NO: Requirement = check("no", no);
    let token = token().await;
    let rows = [
        (all_of![scope("a"), permission("p"), check("yes", yes)], None),
        (all_of![NO, permission("x"), scope("x")], Some(InsufficientScope)),
        (all_of![NO, permission("x"), scope("a")], Some(InsufficientPermissions)),
        (all_of![NO, permission("p"), scope("a")], Some(RequirementNotMet)),
        (all_of![authenticated(), NO], Some(RequirementNotMet)),
        (any_of![NO, permission("x"), scope("x")], Some(InsufficientScope)),
        (any_of![NO, permission("x")], Some(InsufficientPermissions)),
        (any_of![NO], Some(RequirementNotMet)),
        (any_of![NO, permission("x"), scope("a")], None),
        (any_of![scope("x"), authenticated()], None),
        (all_of![any_of![scope("x"), scope("a")], permission("p")], None),
        (all_of![any_of![NO, permission("x")], scope("a")], Some(InsufficientPermissions)),
        (any_of![all_of![scope("a"), permission("x")], NO], Some(InsufficientPermissions)),
        (scope("a").and(permission("p")), None),
        (permission("x").and(scope("x")), Some(InsufficientScope)),
        (scope("x").or(permission("p")), None),
        (NO.or(permission("x")), Some(InsufficientPermissions)),
        (scope("a").or(NO).and(scope("b")), None),
        (scope("x").or(NO).and(scope("b")), Some(InsufficientScope)),
    ];
    for (requirement, expected) in rows {
        assert_eq!(missing(&requirement, &token), expected, "{requirement}");
    }
}

#[tokio::test]
async fn nothing_to_choose_from_is_never_met_and_nothing_to_meet_always() {
    let token = token().await;
    let none_of_these = Requirement::any_of(&[]);
    assert_eq!(missing(&none_of_these, &token), Some(RequirementNotMet));
    assert_eq!(missing(&authenticated().and(none_of_these), &token), Some(RequirementNotMet));
    assert_eq!(missing(&Requirement::all_of(&[]), &token), None);
}

#[tokio::test]
async fn a_token_without_scopes_and_permissions_meets_none() {
    let tenant = Tenant::new();
    let bare = tenant.auth0().verify(&tenant.token().mint()).await.unwrap();
    assert_eq!(missing(&scope("a"), &bare), Some(InsufficientScope));
    assert_eq!(missing(&scope(""), &bare), Some(InsufficientScope));
    assert_eq!(missing(&permission("p"), &bare), Some(InsufficientPermissions));
    assert_eq!(missing(&authenticated(), &bare), None);
}

#[tokio::test]
async fn custom_claims_make_no_difference() {
    let token = token().await.with_claims::<serde_json::Value>().unwrap();
    assert!(all_of![scope("a"), permission("p"), check("ann", is_ann)].check(&token).is_ok());
    assert!(scope("x").check(&token).is_err());
}

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
        (check("c", yes), check("c", no)), // known by its name
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

auth0_core::policy!(pub ReadA = scope("a"));
auth0_core::policy! {
    /// Its documentation stays.
    UseP = permission("p")
}
auth0_core::policy!(pub(crate) Neither = all_of![scope("x"), permission("x")]);

#[tokio::test]
async fn policies_are_requirements_with_a_name() {
    let token = token().await;
    assert_eq!(ReadA::REQUIREMENT, scope("a"));
    assert_eq!(*policy::of::<(ReadA, UseP)>(), all_of![scope("a"), permission("p")]);
    assert_eq!(missing(policy::of::<(ReadA, UseP)>(), &token), None);
    let nested = policy::of::<((ReadA, UseP), UseP, ReadA, Neither)>();
    assert_eq!(missing(nested, &token), Some(InsufficientScope));
}

fn requirement() -> impl Strategy<Value = Requirement> {
    let names = || prop::sample::select(vec!["a", "b", "p", "x", "a b", "a x", ""]);
    let leaf = prop_oneof![
        Just(authenticated()),
        names().prop_map(scope),
        names().prop_map(permission),
        Just(check("yes", yes)),
        Just(check("no", no)),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a.and(b)),
            (inner.clone(), inner).prop_map(|(a, b)| a.or(b)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// `and` and `or` are those of logic, and say one of the things that their parts say.
    #[test]
    fn and_or_are_those_of_logic(left in requirement(), right in requirement()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let token = runtime.block_on(token());
        let (l, r) = (missing(&left, &token), missing(&right, &token));
        let both = missing(&left.clone().and(right.clone()), &token);
        let either = missing(&left.clone().or(right.clone()), &token);
        prop_assert_eq!(both.is_none(), l.is_none() && r.is_none());
        prop_assert_eq!(either.is_none(), l.is_none() || r.is_none());
        prop_assert!(both.is_none() || [l, r].contains(&both));
        prop_assert!(either.is_none() || [l, r].contains(&either));
        prop_assert_eq!(both, missing(&right.clone().and(left.clone()), &token));
        prop_assert_eq!(either, missing(&right.or(left), &token));
    }
}
