//! Who a token is for: a person, a machine, an agent or an anonymous session.
use super::{NOT_MET, OTHER_ORGANIZATION, STEP_UP, assert_all};
use auth0_core::Requirement;
use auth0_core::policy::{
    MFA, acr, amr, any_organization, client, machine, max_age, not_anonymous, organization,
    organization_name, user,
};
use auth0_testing::Tenant;
use serde_json::json;

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
    // A user who can choose an id in a custom database must not pass for a machine.
    for subject in ["auth0|spa@clients", "auth0|x@clients", "auth0|agt_1", "agt_|x"] {
        let ann = || tenant.token().subject(subject).client("spa");
        assert_all(subject, &tenant, ann, &[(user(), None), (machine(), NOT_MET)]).await;
    }
}

/// A subject that resembles a client, but is not the client of the token, is neither.
#[tokio::test]
async fn a_subject_that_is_neither() {
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
    // Recognizable by the grant type alone.
    let other = || machine().subject("something").claim("gty", "client-credentials");
    assert_all("by its grant", &tenant, other, &rows).await;
    // With an organization (client credentials for one).
    let of_acme = || machine().organization("org_a1", "acme");
    let rows =
        [(machine_of_the_organization(), None), (organization("org_b2"), OTHER_ORGANIZATION)];
    assert_all("for an organization", &tenant, of_acme, &rows).await;
}

fn machine_of_the_organization() -> Requirement {
    machine().and(organization("org_a1")).and(any_organization())
}

#[tokio::test]
async fn an_agent() {
    let tenant = Tenant::new();
    let rows = [(machine(), None), (user(), NOT_MET), (not_anonymous(), None)];
    let agent = || tenant.token().subject("agt_01hxyz").client("platform");
    assert_all("an agent", &tenant, agent, &rows).await;
    // Of an agent that acts for a person, the requirements mean the person.
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
