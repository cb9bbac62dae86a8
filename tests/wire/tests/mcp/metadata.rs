//! The metadata of a protected resource.
use crate::servers;
use auth0_axum::{Auth0, Dpop, testing::Tenant};
use serde_json::{Value, json};
use wire_tests::client::{get, send, until_closed};

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

fn of_resource(resource: &str) -> impl Fn() -> Auth0 {
    let tenant = Tenant::new();
    move || tenant.builder_with([]).domain("tenant.test").resource(resource).build().unwrap()
}

#[tokio::test]
async fn the_document_is_at_both_paths_of_every_server() {
    let mut bodies = Vec::new();
    for (server, address) in servers::start(of_resource("https://api.acme.com/mcp")).await {
        for path in [&*format!("{WELL_KNOWN}/mcp"), WELL_KNOWN] {
            let answer = get(address, path, &[]).await;
            assert_eq!(answer.status, 200, "{server} {path}");
            assert_eq!(answer.lines("content-type"), ["application/json"], "{server} {path}");
            assert_eq!(answer.lines("cache-control"), ["public, max-age=3600"], "{server}");
            assert_eq!(answer.lines("access-control-allow-origin"), ["*"], "{server} {path}");
            bodies.push(answer.body);
        }
        let path = format!("{WELL_KNOWN}/mcp");
        let host = format!("host: {address}\r\n");
        let head = send(address, &format!("HEAD {path}"), &host, &[]).await;
        assert_eq!((head.status, &*head.body), (200, ""), "{server}");
        assert_eq!(head.lines("content-type"), ["application/json"], "{server}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = send(address, &format!("{method} {path}"), &host, &[]).await;
            assert_eq!(answer.status, 405, "{server} {method}");
            assert_eq!(answer.lines("allow"), ["GET, HEAD"], "{server} {method}");
        }
        let endless = format!(
            "POST {path} HTTP/1.1\r\n{host}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"
        );
        let answer = until_closed(address, &endless).await;
        assert!(answer.is_some_and(|answer| answer.contains(" 405 ")), "{server}: it goes on");
        for path in ["/mcp/other", "/other", "/mcp/", "x"] {
            let answer = get(address, &format!("{WELL_KNOWN}{path}"), &[]).await;
            assert_eq!(answer.status, 404, "{server} {path}");
        }
        // The name by which the client calls the host does not matter.
        let answer = send(address, &format!("GET {path}"), "host: evil.example\r\n", &[]).await;
        assert!(answer.body.contains("\"https://api.acme.com/mcp\""), "{server}: {}", answer.body);
    }
    let first = &bodies[0];
    assert!(bodies.iter().all(|body| body == first), "{bodies:?}");
    let document: Value = serde_json::from_str(first).unwrap();
    let expected = json!({
        "resource": "https://api.acme.com/mcp",
        "authorization_servers": ["https://tenant.test/"],
        "scopes_supported": ["mcp:read"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Acme \"MCP\"",
        "dpop_signing_alg_values_supported": ["ES256"],
    });
    assert_eq!(document, expected);
}

#[tokio::test]
async fn any_path_of_a_resource_is_served() {
    for path in [
        "",
        "/",
        "/mcp/",
        "/a/{b}/:c/*d",
        "/{*rest}",
        "/:id",
        "/*",
        "/a%20b",
        "/{b",
        "/:a{b}",
        "/*{b}",
        "/*/:a{",
    ] {
        let resource = format!("https://api.acme.com{path}");
        for (server, address) in servers::start(of_resource(&resource)).await {
            let suffix = if path == "/" { "" } else { path };
            let spellings = [suffix.to_owned(), suffix.replace('{', "%7B").replace('}', "%7D")];
            for suffix in spellings {
                let answer = get(address, &format!("{WELL_KNOWN}{suffix}"), &[]).await;
                assert_eq!(answer.status, 200, "{server} {path} {suffix}");
                assert!(
                    answer.body.contains(&format!("\"resource\":\"{resource}\"")),
                    "{answer:?}"
                );
            }
            assert_eq!(get(address, WELL_KNOWN, &[]).await.status, 200, "{server} {path}");
            let other = get(address, &format!("{WELL_KNOWN}/something/else"), &[]).await;
            assert_eq!(other.status, 404, "{server} {path}");
        }
    }
}

#[test]
fn the_members_follow_the_configuration() {
    let document = |dpop: Dpop, certificates: bool| -> Value {
        let builder = Auth0::builder().domain("acme.eu.auth0.com").issuer("https://idp.test");
        let auth = builder.resource("https://api.acme.com/mcp").dpop(dpop).build().unwrap();
        let metadata = auth
            .resource_metadata()
            .unwrap()
            .certificate_bound_tokens(certificates)
            .documentation("https://docs.test/")
            .policy("https://policy.test/")
            .terms_of_service("https://terms.test/");
        serde_json::from_str(&metadata.to_json()).unwrap()
    };
    let required = document(Dpop::required(), true);
    assert_eq!(required["dpop_bound_access_tokens_required"], true);
    assert_eq!(required["tls_client_certificate_bound_access_tokens"], true);
    assert_eq!(required["resource_documentation"], "https://docs.test/");
    assert_eq!(required["resource_policy_uri"], "https://policy.test/");
    assert_eq!(required["resource_tos_uri"], "https://terms.test/");
    assert_eq!(
        required["authorization_servers"],
        json!(["https://acme.eu.auth0.com/", "https://idp.test"])
    );
    assert!(required.get("scopes_supported").is_none());
    let disabled = document(Dpop::disabled(), false);
    for member in [
        "dpop_bound_access_tokens_required",
        "dpop_signing_alg_values_supported",
        "tls_client_certificate_bound_access_tokens",
    ] {
        assert!(disabled.get(member).is_none(), "{member}");
    }
}
