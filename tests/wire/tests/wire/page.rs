//! `docs/refusals.md`, held to what the code says and to what it sends.
use super::rows::Row;
use auth0_axum::{
    Dpop, ErrorCode, Revocations, TrustedIssuer,
    dpop::DpopNonces,
    resolver::{IssuerResolver, ResolverContext},
    testing::{Failure, Tenant},
};
use std::{collections::BTreeSet, error::Error, net::SocketAddr};
use wire_tests::{
    client::{Answer, break_off, get, send_body},
    failing_store::FailingStore,
    refusals::Refusal,
    servers,
};

#[test]
fn every_code_has_its_sentence_and_every_sentence_its_code() {
    let of_the_code = ErrorCode::ALL.map(|code| (code.as_str(), code.description()));
    let rows = Refusal::all().iter();
    let of_the_page: Vec<_> =
        rows.map(|row| (row.code.as_str(), row.description.as_str())).collect();
    let sorted = |rows: &[_]| BTreeSet::from_iter(rows.iter().copied());
    assert_eq!(sorted(&of_the_page), sorted(&of_the_code));
    assert_eq!(of_the_page.len(), ErrorCode::ALL.len(), "each code has one row");
}

/// The status and the body of each row, as a server sends them.
#[tokio::test]
async fn every_row_of_the_page_is_met_on_the_wire() {
    let mut met = Met::default();
    let tenant = Tenant::new();
    let server = start(&tenant, Dpop::allowed()).await;
    for row in Row::all(&tenant) {
        met.send(server, row.path, &row.lines()).await;
    }

    let token = tenant.token().bound_to(&tenant.client_key()).mint();
    let authorization = format!("DPoP {token}");
    let authorization = ("authorization", authorization.as_bytes());
    let proof =
        |server| tenant.proof("GET", &format!("http://{server}/token")).for_token(&token).mint();
    met.send(server, "/token", &[authorization]).await;
    met.send(server, "/token", &[authorization, ("dpop", b"x")]).await;
    let used = proof(server);
    for _ in 0..2 {
        met.send(server, "/token", &[authorization, ("dpop", used.as_bytes())]).await;
    }
    let server = start(&tenant, Dpop::required().nonces(DpopNonces::per_process())).await;
    met.send(server, "/token", &[authorization, ("dpop", proof(server).as_bytes())]).await;
    let server = start(&tenant, Dpop::allowed().replay_capacity(1)).await;
    for _ in 0..2 {
        met.send(server, "/token", &[authorization, ("dpop", proof(server).as_bytes())]).await;
    }

    let bearer = format!("Bearer {}", tenant.token().mint());
    let bearer = [("authorization", bearer.as_bytes())];
    let server = start(&tenant, Dpop::allowed()).await;
    let [authorization] = bearer;
    for (header, body) in [
        (("mcp-method", &b"tools/list"[..]), r#"[{"method":"ping"}]"#.to_owned()),
        (("mcp-session-id", b"4d1f"), String::new()),
        (("accept", b"*/*"), " ".repeat(101)),
    ] {
        let lines = [authorization, header];
        met.check(send_body(server, "GET /mcp", &lines, body.as_bytes(), false).await);
    }
    met.check(break_off(server, "GET /mcp", &bearer).await);
    let bob = tenant.token().subject("auth0|bob").mint();
    met.send(server, "/renew", &[authorization, ("x-renewal", bob.as_bytes())]).await;
    let builder = || tenant.builder_with([]).issuer_resolver(Fails);
    let [(_, server), ..] = servers::start(|| builder().build().unwrap()).await;
    met.send(server, "/token", &bearer).await;
    for revocations in [Revocations::in_memory(), Revocations::with_store(FailingStore)] {
        let verifier = || tenant.builder().revocations(&revocations).build().unwrap();
        let [(_, server), ..] = servers::start(verifier).await;
        revocations.revoke_subject(tenant.issuer(), "auth0|bob").await.ok();
        let bob = format!("Bearer {bob}");
        met.send(server, "/token", &[("authorization", bob.as_bytes())]).await;
        met.send(server, "/token", &bearer).await;
    }
    tenant.fail(Failure::Unreachable);
    let server = start(&tenant, Dpop::allowed()).await;
    met.send(server, "/token", &bearer).await;

    assert_eq!(met.0, BTreeSet::from_iter(Refusal::all().iter().map(|row| row.code.clone())));
}

/// The codes of the responses.
#[derive(Default)]
struct Met(BTreeSet<String>);

impl Met {
    async fn send(&mut self, server: SocketAddr, path: &str, lines: &[(&str, &[u8])]) {
        self.check(get(server, path, lines).await);
    }

    fn check(&mut self, answer: Answer) {
        if answer.status != 200 {
            let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            let refusal = Refusal::of(body["error_code"].as_str().unwrap());
            assert_eq!((answer.status, answer.body), (refusal.status, refusal.body()));
            self.0.insert(refusal.code.clone());
        }
    }
}

async fn start(tenant: &Tenant, dpop: Dpop) -> SocketAddr {
    let auth = || tenant.builder().dpop(dpop.clone()).build().unwrap();
    let [(_, server), ..] = servers::start(auth).await;
    server
}

struct Fails;

impl IssuerResolver for Fails {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        Some(())
    }

    async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        Err("the database is down".into())
    }
}
