//! What meets a requirement, and which part that is missing is reported first.
use super::{challenge, code};
use crate::common::{cases, runtime};
use auth0_core::ErrorCode::{InsufficientPermissions, InsufficientScope, RequirementNotMet};
use auth0_core::policy::{
    self, all_of, any_of, any_scope, authenticated, check, permission, scope,
};
use auth0_core::{ErrorCode, Policy, Requirement, VerifiedToken};
use auth0_testing::Tenant;
use proptest::prelude::*;
use std::sync::LazyLock;

fn yes(_: &VerifiedToken) -> bool {
    true
}

fn no(_: &VerifiedToken) -> bool {
    false
}

fn is_ann(token: &VerifiedToken) -> bool {
    token.subject() == "auth0|ann"
}

/// The token of the property tests.
static TOKEN: LazyLock<VerifiedToken> = LazyLock::new(|| runtime().block_on(token()));

/// Returns a token with the scopes `a` and `b`, and the permissions `p`, `q r` and the empty one.
async fn token() -> VerifiedToken {
    let tenant = Tenant::new();
    let token = tenant.token().subject("auth0|ann").scope("a b").permissions(["p", "q r", ""]);
    tenant.auth0().verify(&token.mint()).await.unwrap()
}

/// Returns the code of what is missing.
fn missing(requirement: &Requirement, token: &VerifiedToken) -> Option<ErrorCode> {
    Tenant::new().auth0().authorize(token, requirement).err().map(|error| error.code())
}

#[tokio::test]
async fn a_requirement_is_met_or_reports_what_is_missing() {
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
async fn a_missing_scope_is_reported_first_and_a_failed_check_last() {
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
async fn any_of_nothing_is_never_met_and_all_of_nothing_always() {
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
    let auth = Tenant::new().auth0();
    let met = all_of![scope("a"), permission("p"), check("ann", is_ann)];
    assert!(auth.authorize(&token, &met).is_ok());
    assert!(auth.authorize(&token, &scope("x")).is_err());
}

#[tokio::test]
async fn any_scope_needs_one() {
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

proptest! {
    #![proptest_config(cases(256))]

    /// `and` and `or` follow logic, and report a code that one of their parts reports.
    #[test]
    fn and_or_follow_logic(left in requirement(), right in requirement()) {
        let token = &*TOKEN;
        let (l, r) = (missing(&left, token), missing(&right, token));
        let both = missing(&left.clone().and(right.clone()), token);
        let either = missing(&left.clone().or(right.clone()), token);
        prop_assert_eq!(both.is_none(), l.is_none() && r.is_none());
        prop_assert_eq!(either.is_none(), l.is_none() || r.is_none());
        prop_assert!(both.is_none() || [l, r].contains(&both));
        prop_assert!(either.is_none() || [l, r].contains(&either));
        prop_assert_eq!(both, missing(&right.clone().and(left.clone()), token));
        prop_assert_eq!(either, missing(&right.or(left), token));
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    /// A token meets a requirement if it meets every condition of one of the alternatives.
    #[test]
    fn alternatives_say_what_the_requirement_says(requirement in requirement()) {
        let token = &*TOKEN;
        let is_met = missing(&requirement, token).is_none();
        match requirement.alternatives() {
            Some(alternatives) => {
                prop_assert!(alternatives.len() <= 64);
                let by_alternatives = alternatives.iter().any(|alternative| {
                    alternative.conditions().iter().all(|one| missing(one, token).is_none())
                });
                prop_assert_eq!(by_alternatives, is_met, "{} as {:?}", requirement, alternatives);
                for alternative in &alternatives {
                    for name in alternative.scopes() {
                        prop_assert!(requirement.scopes().contains(&name), "{}", name);
                    }
                }
            }
            None => prop_assert!(requirement.to_string().matches(" or ").count() > 3),
        }
    }
}

/// Twenty pairs would be a million alternatives.
#[test]
fn too_many_alternatives_are_none_at_all() {
    let pairs = |count: usize| {
        let pair = |number: usize| {
            let names = [format!("a{number}"), format!("b{number}")];
            let [one, other] = names.map(Requirement::permission_named);
            one.or(other)
        };
        (0..count).map(pair).fold(authenticated(), Requirement::and)
    };
    assert_eq!(pairs(6).alternatives().map(|all| all.len()), Some(64));
    for count in [7, 12, 20, 200] {
        assert_eq!(pairs(count).alternatives(), None, "{count} pairs");
    }
    let many = |count: usize| {
        let each = (0..count).map(|number| Requirement::permission_named(format!("p{number}")));
        each.reduce(Requirement::or).unwrap()
    };
    assert_eq!(many(64).alternatives().map(|all| all.len()), Some(64));
    assert_eq!(many(65).alternatives(), None);
    assert_eq!(many(5000).alternatives(), None);
    // The same alternative counts once.
    let same = (0..500).fold(scope("read:a"), |all, _| all.or(scope("read:a")));
    assert_eq!(same.alternatives().map(|all| all.len()), Some(1));
    assert_eq!(any_scope(&[]).alternatives().map(|all| all.len()), Some(0), "no token meets it");
}

fn requirement() -> impl Strategy<Value = Requirement> {
    let names = || prop::sample::select(vec!["a", "b", "p", "x", "a b", "a x", ""]);
    let leaf = prop_oneof![
        Just(authenticated()),
        names().prop_map(scope),
        names().prop_map(permission),
        Just(any_scope(&["a b", "x", ""])),
        Just(any_scope(&["x", "b"])),
        Just(policy::any_permission(&["q r", ""])),
        Just(policy::any_permission(&["", "x"])),
        Just(check("alike", yes)),
        Just(check("alike", no)),
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
