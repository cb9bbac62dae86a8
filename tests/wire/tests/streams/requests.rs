//! A token that comes on a connection depends on the request that opened it, as one in a header does.
use super::sockets::{Client, start_both};
use auth0_axum::{
    TrustedIssuer,
    resolver::{IssuerResolver, ResolverContext},
    testing::Tenant,
};
use std::{error::Error, time::Duration};

const LIFE: Duration = Duration::from_secs(60);

/// Trusts an issuer for the requests to loopback, with one path at its beginning, and with a header.
struct ByRequest(String);

impl IssuerResolver for ByRequest {
    type Key = ();

    fn key(&self, request: &ResolverContext<'_>) -> Option<()> {
        let is_ours = request.host() == Some("127.0.0.1")
            && (request.path().starts_with("/orgs/") || request.path() == "/echo")
            && request.header("x-customer") == Some("acme")
            && request.header("authorization").is_none();
        is_ours.then_some(())
    }

    async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        Ok(vec![TrustedIssuer::new(&self.0)])
    }
}

async fn connect(server: std::net::SocketAddr, path: &str, headers: &[(&str, &str)]) -> Client {
    let customer = [("x-customer", "acme")];
    let headers: Vec<_> = customer.iter().chain(headers).copied().collect();
    Client::connect_with(server, path, &headers).await
}

fn init(token: &str) -> String {
    format!(r#"{{"type":"connection_init","payload":{{"authorization":"Bearer {token}"}}}}"#)
}

const GRAPHQL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

#[tokio::test]
async fn a_resolver_that_reads_the_request_finds_the_issuer_again() {
    let tenant = Tenant::new();
    let resolver = ByRequest(tenant.issuer().to_owned());
    let auth = tenant.builder_with([]).audience(tenant.audience()).issuer_resolver(resolver);
    for (name, server) in start_both(auth.build().unwrap()).await {
        let token = |life| tenant.token().expires_in(life).organization("org_1", "one").mint();
        let authorization = format!("Bearer {}", token(LIFE));
        let mut client = connect(server, "/echo", &[("authorization", &authorization)]).await;
        let renewal = format!("renew {}", token(2 * LIFE));
        assert_eq!(client.ask(&renewal).await, Ok("renewed".to_owned()), "{name}");

        let mut client = connect(server, "/orgs/org_1/graphql", &[GRAPHQL]).await;
        let answer = client.ask(&init(&token(LIFE))).await;
        assert_eq!(answer, Ok(r#"{"type":"connection_ack"}"#.to_owned()), "{name}");
        let mut client = Client::connect(server, "/orgs/org_1/graphql", GRAPHQL).await;
        let ending = client.ask(&init(&token(LIFE))).await;
        assert!(matches!(ending, Err(Some((4401, _)))), "{name}: another customer: {ending:?}");
    }
}

#[tokio::test]
async fn a_requirement_compares_the_token_with_the_path() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        let of = |org: &str, life| {
            let token = tenant.token().scope("organization").organization(org, "any");
            token.expires_in(life).mint()
        };
        let authorization = format!("Bearer {}", of("org_1", LIFE));
        let path = "/orgs/org_1/echo";
        let mut client = connect(server, path, &[("authorization", &authorization)]).await;
        let renewal = format!("renew {}", of("org_1", 2 * LIFE));
        assert_eq!(client.ask(&renewal).await, Ok("renewed".to_owned()), "{name}");
        let refused = format!("renew {}", of("org_2", 3 * LIFE));
        let refused = client.ask(&refused).await;
        assert_eq!(refused, Ok("organization_mismatch".to_owned()), "{name}");

        // The token that opens the connection must meet it, too.
        let headers = [("authorization", &*authorization)];
        let refused = Client::try_connect(server, "/orgs/org_2/echo", &headers).await;
        assert_eq!(refused.err(), Some(403), "{name}");

        // A path that is not text names no organization, and is no mistake of the application.
        let mut client = connect(server, "/orgs/%FF/graphql", &[GRAPHQL]).await;
        let ending = client.ask(&init(&of("org_1", LIFE))).await;
        assert!(matches!(ending, Err(Some((4403, _)))), "{name}: {ending:?}");
        let refused = Client::try_connect(server, "/orgs/%FF/echo", &headers).await;
        assert_eq!(refused.err(), Some(403), "{name}");

        for (org, expected) in [("org_1", None), ("org_2", Some(4403))] {
            let mut client = connect(server, "/orgs/org_1/graphql", &[GRAPHQL]).await;
            let code = client.ask(&init(&of(org, LIFE))).await.err().flatten().map(|end| end.0);
            assert_eq!(code, expected, "{name} {org}");
        }
    }
}

/// Also where nothing before the handler has compared it.
#[tokio::test]
async fn a_handler_compares_the_token_with_the_path() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        for (org, expected) in [("org_1", "met"), ("org_2", "organization_mismatch")] {
            let token = tenant.token().organization(org, "any").mint();
            let headers = [("authorization", &*format!("Bearer {token}"))];
            let mut client = connect(server, "/orgs/org_1/echo", &headers).await;
            assert_eq!(client.ask("check the path").await, Ok(expected.to_owned()), "{name}");
        }
    }
}
