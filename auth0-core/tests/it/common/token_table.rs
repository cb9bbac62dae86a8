//! Tables of tokens: one row for each way to change a good token, with the expected verdict.
use super::verdict;
use auth0_core::{Auth0, ErrorCode};
use auth0_testing::{Tenant, TokenBuilder};

pub(crate) const ISSUER: &str = "https://tenant.test/";
pub(crate) const AUDIENCE: &str = "https://api.tenant.test";

/// An `exp` in the future, as a member of a payload.
pub(crate) const EXPIRY: &str = r#""exp":1767312000"#;

/// `None`: accepted.
pub(crate) type Expected = Option<ErrorCode>;
pub(crate) type Row = (&'static str, fn(TokenBuilder) -> TokenBuilder, Expected);

pub(crate) const ACCEPTED: Expected = None;

/// Runs every row before it fails, so that one run shows all that differ.
pub(crate) async fn check_with(tenant: &Tenant, auth: &Auth0, rows: &[Row]) {
    let mut wrong = Vec::new();
    for (name, change, expected) in rows {
        let got = verdict(auth, &change(tenant.token()).mint()).await;
        if got != *expected {
            wrong.push(format!("{name}: expected {expected:?}, got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs the rows against a verifier with the defaults.
pub(crate) async fn check(rows: &[Row]) {
    let tenant = Tenant::new();
    check_with(&tenant, &tenant.auth0(), rows).await;
}

/// Returns a payload that is good but for these members.
pub(crate) fn payload_with(members: &str) -> String {
    format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"auth0|ann",{members}}}"#)
}

/// Returns a header that is good but for these members.
pub(crate) fn header_with(members: &str) -> String {
    format!(r#"{{"alg":"RS256","kid":"test-rs256-1",{members}}}"#)
}
