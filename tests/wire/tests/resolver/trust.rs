//! The rules of the issuers that are found, and issuers that need no resolver.
use crate::{
    customers::{By, Fault},
    world::{
        API,
        Expected::{Accepted, Untrusted},
        World, check_unavailable, token,
    },
};
use auth0_axum::{DpopMode, TrustedIssuer, policy::organization};

/// An issuer may have different rules at two hosts. A token that was verified by the rules of one host is
/// verified again by those of the other.
#[tokio::test]
async fn an_issuer_has_separate_rules_at_each_host() {
    let world = World::new(By::Host);
    let issuer = || TrustedIssuer::new(world.acme.issuer());
    world.customers.add("plain", [issuer()]);
    world.customers.add("audience", [issuer().audience("https://other.test")]);
    world.customers.add("organization", [issuer().require(organization("org_a1"))]);
    world.customers.add("bound", [issuer().dpop(DpopMode::Required)]);
    let ann = || world.acme.token().subject("auth0|ann");
    let plain = ann().audience(API).mint();
    let other = ann().audience("https://other.test").mint();
    let organized = ann().audience(API).organization("org_a1", "acme").mint();
    let hosts = ["plain", "audience", "organization", "bound"];
    let rows = [
        (plain, ["", "audience_mismatch", "organization_mismatch", "scheme_unsupported"]),
        (other, ["audience_mismatch", "", "audience_mismatch", "scheme_unsupported"]),
        (organized, ["", "audience_mismatch", "", "scheme_unsupported"]),
    ];
    for tokens in [0, 100] {
        let servers = world.start_with(|builder| builder.token_cache(tokens)).await;
        for (token, codes) in rows.iter().chain(&rows) {
            for (host, code) in hosts.iter().zip(codes) {
                let host = format!("{host}.api.test");
                for answer in servers.send("/token", &[&host], token, &[]).await {
                    let case = format!("{host}: {answer:?}");
                    match *code {
                        "" => assert_eq!(answer.status, 200, "{case}"),
                        code => assert!(answer.body.contains(&format!("\"{code}\"}}")), "{case}"),
                    }
                }
            }
        }
    }
}

/// An invalid issuer does not affect the others. Tokens that may be meant by it are answered with 503.
#[tokio::test]
async fn an_invalid_issuer_is_503_for_other_tokens_of_its_host() {
    let world = World::new(By::Host);
    let issuers = [TrustedIssuer::domain("no domain"), world.acme.issuer().into()];
    world.customers.add("acme", issuers);
    let servers = world.start().await;
    let (acme, globex) = (token(&world.acme), token(&world.globex));
    for _ in 0..2 {
        servers.at("acme.api.test", &acme, Accepted).await;
        for path in ["/token", "/maybe", "/layer"] {
            for answer in servers.send(path, &["acme.api.test"], &globex, &[]).await {
                check_unavailable(&answer, &format!("{path}: {answer:?}"));
            }
        }
        servers.at("globex.api.test", &globex, Accepted).await;
        servers.at("globex.api.test", &acme, Untrusted).await;
    }
}

/// A configured issuer is trusted at every host, without the resolver.
#[tokio::test]
async fn a_configured_issuer_needs_no_resolver() {
    let world = World::new(By::Host);
    let servers = world.start_with(|builder| builder.issuer(world.untrusted.issuer())).await;
    for fault in [Some(Fault::PanicsInKey), Some(Fault::Fails), None] {
        world.customers.set_fault(fault);
        for host in ["acme.api.test", "globex.api.test", "evil.test"] {
            servers.at(host, &token(&world.untrusted), Accepted).await;
        }
    }
    assert_eq!((world.customers.keys(), world.customers.resolved()), (0, 0));
    servers.at("acme.api.test", &token(&world.acme), Accepted).await;
    servers.at("globex.api.test", &token(&world.acme), Untrusted).await;
}
