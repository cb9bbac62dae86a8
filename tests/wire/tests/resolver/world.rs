//! The customers of these tests, their servers, and what the servers answer.
use crate::customers::{By, Customers};
use auth0_axum::{Builder, testing::Tenant};
use std::net::SocketAddr;
use wire_tests::{
    client::{Answer, send},
    refusals::Refusal,
    servers,
};

pub(crate) const API: &str = "https://api.test";

/// Two customers with a tenant each, and a tenant that no customer has.
pub(crate) struct World {
    pub(crate) acme: Tenant,
    pub(crate) globex: Tenant,
    pub(crate) untrusted: Tenant,
    pub(crate) customers: Customers,
}

impl World {
    pub(crate) fn new(by: By) -> Self {
        let [acme, globex, untrusted] = ["acme", "globex", "other"].map(Tenant::named);
        let names = [("acme", &acme), ("globex", &globex)];
        let names = names.map(|(name, tenant)| (tenant.issuer().to_owned(), name)).into();
        let customers = Customers::new(acme.clock(), by, names);
        customers.add("acme", [acme.issuer()]);
        customers.add("globex", [globex.issuer()]);
        Self { acme, globex, untrusted, customers }
    }

    pub(crate) fn builder(&self) -> Builder {
        let Self { acme, globex, untrusted, .. } = self;
        // No audience but this one, and no issuer but those that the resolver finds.
        acme.builder_with([globex, untrusted]).audience(API).issuer_resolver(self.customers.clone())
    }

    pub(crate) async fn start(&self) -> Servers {
        self.start_with(|builder| builder).await
    }

    pub(crate) async fn start_with(&self, settings: impl Fn(Builder) -> Builder) -> Servers {
        Servers(servers::start(|| settings(self.builder()).build().unwrap()).await)
    }
}

/// The token of a user of this tenant, for the API that all share.
pub(crate) fn token(tenant: &Tenant) -> String {
    tenant.token().audience(API).subject("auth0|ann").scope("read:messages").mint()
}

pub(crate) struct Servers(pub(crate) [(&'static str, SocketAddr); 3]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Accepted,
    /// The issuer of the token is not trusted for the request.
    Untrusted,
}

use Expected::{Accepted, Untrusted};

impl Servers {
    /// Sends one request to each server. A refusal has the same bytes everywhere.
    pub(crate) async fn send(
        &self,
        target: &str,
        hosts: &[&str],
        token: &str,
        headers: &[(&str, &[u8])],
    ) -> [Answer; 3] {
        let authorization = format!("Bearer {token}");
        let mut lines = vec![("authorization", authorization.as_bytes())];
        lines.extend(headers);
        let host: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
        let mut answers = Vec::new();
        for (_, address) in self.0 {
            answers.push(send(address, &format!("GET {target}"), &host, &lines).await);
        }
        let answers: [Answer; 3] = answers.try_into().unwrap();
        if answers[0].status != 200 {
            assert_eq!(
                answers[0], answers[1],
                "axum and actix: {target} at {hosts:?}, {headers:?}"
            );
            assert_eq!(
                answers[0], answers[2],
                "axum and tower: {target} at {hosts:?}, {headers:?}"
            );
        }
        answers
    }

    pub(crate) async fn expect(
        &self,
        expected: Expected,
        target: &str,
        hosts: &[&str],
        token: &str,
        headers: &[(&str, &[u8])],
    ) {
        let answers = self.send(target, hosts, token, headers).await;
        for ((server, _), answer) in self.0.iter().zip(&answers) {
            let case = format!("{server}: {target} at {hosts:?}, {headers:?}: {answer:?}");
            match expected {
                Accepted => {
                    assert_eq!((answer.status, &*answer.body), (200, "auth0|ann"), "{case}")
                }
                Untrusted => check_untrusted(answer, &case),
            }
        }
    }

    /// Sends a token to a host.
    pub(crate) async fn at(&self, host: &str, token: &str, expected: Expected) {
        self.expect(expected, "/token", &[host], token, &[]).await;
    }
}

pub(crate) fn check_untrusted(answer: &Answer, case: &str) {
    let refusal = Refusal::of("issuer_mismatch");
    let challenges =
        [format!("Bearer {}", refusal.parameters().unwrap()), "DPoP algs=\"ES256\"".to_owned()];
    assert_eq!((answer.status, &*answer.body), (401, &*refusal.body()), "{case}");
    assert_eq!(answer.lines("www-authenticate"), challenges, "{case}");
    check_headers(answer, case);
}

pub(crate) fn check_unavailable(answer: &Answer, case: &str) {
    let body = Refusal::of("issuers_unavailable").body();
    assert_eq!((answer.status, &*answer.body), (503, &*body), "{case}");
    assert_eq!(answer.lines("retry-after"), ["1"], "{case}");
    assert!(answer.lines("www-authenticate").is_empty(), "the token may be valid: {case}");
    check_headers(answer, case);
}

fn check_headers(answer: &Answer, case: &str) {
    assert_eq!(answer.lines("content-type"), ["application/json"], "{case}");
    assert_eq!(answer.lines("cache-control"), ["no-store"], "{case}");
    assert_eq!(answer.lines("content-length"), [answer.body.len().to_string()], "{case}");
}
