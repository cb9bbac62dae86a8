//! Requirements: every one, evaluated for every kind of token that Auth0 issues.
mod causes;
mod claim;
mod display;
mod evaluation;
mod organization;
mod principal;
mod step_up;

use crate::common::header;
use auth0_core::ErrorCode::{OrganizationMismatch, RequirementNotMet, StepUpRequired};
use auth0_core::{Auth0, ErrorCode, Requirement, VerifiedToken};
use auth0_testing::{Profile, Tenant, TokenBuilder};

/// Returns the token in Auth0's four dialects: either profile, with and without permissions.
fn dialects(token: impl Fn() -> TokenBuilder) -> Vec<(String, TokenBuilder)> {
    let mut all = Vec::new();
    for profile in [Profile::Auth0, Profile::Rfc9068] {
        let name = format!("{profile:?}");
        all.push((name.clone(), token().profile(profile)));
        all.push((name + " with permissions", token().profile(profile).permissions(["p"])));
    }
    all
}

/// Returns the code of the refusal, or `None` if the requirement is met.
fn code(auth: &Auth0, token: &VerifiedToken, requirement: &Requirement) -> Option<ErrorCode> {
    auth.authorize(token, requirement).err().map(|error| error.code())
}

/// Asserts the outcome of every requirement for the token in every dialect.
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

/// Returns status and challenge of a refusal. The challenge begins at its error code.
fn challenge(auth: &Auth0, token: &VerifiedToken, requirement: &Requirement) -> (u16, String) {
    let error = auth.authorize(token, requirement).unwrap_err();
    let line = header(&error, "www-authenticate").unwrap();
    let (_, rest) = line.split_once("error=").unwrap();
    let (code, rest) = rest.split_once(", error_description=\"").unwrap();
    let (_, parameters) = rest.split_once('"').unwrap();
    (error.challenge().status(), format!("{code}{parameters}"))
}
