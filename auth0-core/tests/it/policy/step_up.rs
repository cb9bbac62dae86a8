//! Logins that are too weak or too old.
use super::{STEP_UP, challenge, code};
use crate::common::NOW;
use auth0_core::policy::{MFA, acr, all_of, amr, any_of, machine, max_age, permission, scope};
use auth0_testing::{Tenant, TokenBuilder};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_login_that_is_too_weak_or_too_old() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let now = NOW;
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
        // What another login does not repair is reported first.
        (
            &weak,
            all_of![acr(MFA), scope("a"), max_age(5)],
            r#""insufficient_scope", scope="a""#.to_owned(),
        ),
        (&weak, all_of![acr(MFA), permission("p")], r#""insufficient_scope""#.to_owned()),
        (&weak, all_of![acr(MFA), machine()], r#""insufficient_scope""#.to_owned()),
        // If either suffices, the challenge names what the client can do.
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

    // A login in the future is a mistake, such as milliseconds, and not a recent login.
    for odd in [json!(now + 6), json!(now * 1000), json!(1e300), json!(-5)] {
        let token = verify(tenant.token().claim("auth_time", &odd)).await;
        assert_eq!(code(&auth, &token, &max_age(300)), STEP_UP, "{odd}");
    }
    let ahead = verify(tenant.token().claim("auth_time", now + 5)).await;
    assert_eq!(code(&auth, &ahead, &max_age(300)), None, "within the leeway");
    for requirement in [acr(""), amr("")] {
        let token = verify(tenant.token().claim("acr", "").claim("amr", [""])).await;
        assert_eq!(code(&auth, &token, &requirement), STEP_UP, "{requirement}");
    }

    // A login becomes too old while its token is valid.
    assert_eq!(code(&auth, &fresh, &max_age(60)), None);
    tenant.clock().advance(Duration::from_secs(56));
    assert_eq!(code(&auth, &fresh, &max_age(60)), STEP_UP);
}

/// A unit test of one handler sees the time of its tenant, as the extractors do.
#[test]
fn the_test_kit_has_the_clock_of_the_tenant() {
    let tenant = Tenant::new();
    let token = tenant.token().claim("auth_time", NOW).verified();
    let age = |seconds| {
        tenant.clock().advance(Duration::from_secs(seconds));
        let checked = auth0_testing::check(&token, &max_age(300));
        assert_eq!(checked.is_ok(), max_age(300).is_met_by(&token));
        checked.map_err(|error| error.code().as_str())
    };
    assert_eq!(age(0), Ok(()));
    assert_eq!(age(300), Ok(()));
    assert_eq!(age(6), Err("step_up_required"));
}
