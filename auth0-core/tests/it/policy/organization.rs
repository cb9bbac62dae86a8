//! The organization of a token, and that of the request.
use super::{OTHER_ORGANIZATION, assert_all};
use auth0_core::ErrorCode::OrganizationMismatch;
use auth0_core::policy::{
    MFA, acr, all_of, any_of, any_organization, organization, organization_in_header,
    organization_in_path, organization_name, scope,
};
use auth0_core::{ErrorCode, Requirement, adapter::RequestContext};
use auth0_testing::Tenant;
use std::borrow::Cow;

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

#[tokio::test]
async fn the_organization_of_the_request() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().organization("org_a1", "acme").mint();
    let token = auth.verify(&token).await.unwrap();
    let without_organization = auth.verify(&tenant.token().mint()).await.unwrap();
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
            let evaluate = |token| {
                let outcome = auth.authorize_request(token, &requirement, &Request(Some(stated)));
                outcome.err().map(|error| error.code())
            };
            assert_eq!(evaluate(&token), expected, "{requirement} is {stated:?}");
            assert_eq!(
                evaluate(&without_organization),
                OTHER_ORGANIZATION,
                "{requirement} is {stated:?}"
            );
        }
    }
    let evaluate = |requirement: &Requirement| {
        let outcome = auth.authorize_request(&token, requirement, &Request(None));
        outcome.unwrap_err().code()
    };
    assert_eq!(evaluate(&organization_in_header("x-org")), OrganizationMismatch, "no such header");
    assert_eq!(
        evaluate(&organization_in_path("org")),
        ErrorCode::Misconfigured,
        "no such parameter"
    );
    let all = scope("x").and(organization_in_path("org"));
    assert_eq!(evaluate(&all), ErrorCode::Misconfigured, "and never another code");
    // Without a request, it is not met either.
    let code = auth.authorize(&token, &organization_in_header("x-org")).unwrap_err().code();
    assert_eq!(code, ErrorCode::Misconfigured);
}

/// A request that names this organization in its path and in a header.
struct Request(Option<&'static str>);

impl RequestContext for Request {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.filter(|_| name == "org").map(Cow::Borrowed)
    }
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.0.filter(|_| name == "x-org").map(str::as_bytes)
    }
}
