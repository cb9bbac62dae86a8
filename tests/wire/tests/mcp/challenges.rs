//! What a challenge says of the resource.
use crate::servers;
use auth0_axum::{Auth0, Dpop, DpopMode, testing::Tenant};
use wire_tests::client::{Answer, get, send, send_body};

const METADATA: &str =
    "resource_metadata=\"https://api.acme.com/.well-known/oauth-protected-resource/mcp\"";

fn protected(tenant: &Tenant, mode: DpopMode) -> impl Fn() -> Auth0 {
    move || {
        let dpop = match mode {
            DpopMode::Allowed => Dpop::allowed(),
            DpopMode::Required => Dpop::required(),
            DpopMode::Disabled => Dpop::disabled(),
        };
        let builder = tenant.builder().resource("https://api.acme.com/mcp").dpop(dpop);
        builder.realm("acme").build().unwrap()
    }
}

async fn same(
    servers: [(&'static str, std::net::SocketAddr); 3],
    token: &str,
    body: &str,
) -> Answer {
    let authorization = format!("Bearer {token}");
    let lines: &[(&str, &[u8])] = match token {
        "" => &[],
        _ => &[("authorization", authorization.as_bytes())],
    };
    let mut answers = Vec::new();
    for (_, address) in servers {
        answers.push(send_body(address, "POST /mcp", lines, body.as_bytes(), false).await);
    }
    assert_eq!(answers[0], answers[1], "axum and actix");
    assert_eq!(answers[0], answers[2], "axum and tower");
    answers.remove(0)
}

#[tokio::test]
async fn every_line_of_a_401_and_a_403_names_the_metadata() {
    let tenant = Tenant::new();
    let reading = tenant.token().scope("mcp:read").mint();
    let expired = tenant.token().scope("mcp:read").expired().mint();
    let none = tenant.token().mint();
    let purge = r#"{"method":"tools/call","params":{"name":"purge"}}"#;
    for (mode, schemes) in [
        (DpopMode::Disabled, &["Bearer"][..]),
        (DpopMode::Allowed, &["Bearer", "DPoP"]),
        (DpopMode::Required, &["DPoP"]),
    ] {
        let servers = servers::start(protected(&tenant, mode)).await;
        let bearer_works = mode != DpopMode::Required;
        for (token, body, status, scope) in [
            ("", "", 401, "mcp:read"),
            (&*expired, "", 401, "mcp:read"),
            ("a", "", 401, "mcp:read"),
            (&none, "", if bearer_works { 403 } else { 401 }, "mcp:read"),
            (
                &reading,
                purge,
                if bearer_works { 403 } else { 401 },
                if bearer_works { "mcp:read mcp:purge" } else { "mcp:read" },
            ),
        ] {
            let answer = same(servers, token, body).await;
            assert_eq!(answer.status, status, "{mode:?} {answer:?}");
            let lines = answer.lines("www-authenticate");
            assert_eq!(lines.len(), schemes.len(), "{lines:?}");
            for (line, scheme) in lines.iter().zip(schemes) {
                assert!(line.starts_with(&format!("{scheme} realm=\"acme\"")), "{line}");
                assert_eq!(line.matches(METADATA).count(), 1, "{line}");
                assert!(!line.contains(&format!("{METADATA}, scope")), "the order: {line}");
            }
            // The first line, which some clients read alone.
            assert!(lines[0].contains(&format!("scope=\"{scope}\", {METADATA}")), "{lines:?}");
        }
        // A malformed request is not corrected by another token.
        let answer = same(servers, "a b", "").await;
        assert_eq!(answer.status, if bearer_works { 400 } else { 401 });
        if !bearer_works {
            continue;
        }
        assert!(answer.lines("www-authenticate").iter().all(|line| !line.contains(METADATA)));
    }
}

#[tokio::test]
async fn the_metadata_does_not_come_from_the_request() {
    let tenant = Tenant::new();
    let auth = || {
        let builder = tenant.builder().resource("https://api.acme.com/mcp");
        builder.trusted_proxies(["127.0.0.1"]).build().unwrap()
    };
    let lines: [(&str, &[u8]); 3] = [
        ("forwarded", b"host=evil.example;proto=http"),
        ("x-forwarded-host", b"evil.example"),
        ("x-forwarded-prefix", b"/evil"),
    ];
    for (server, address) in servers::start(auth).await {
        for path in ["/mcp", "/nested/inner"] {
            let forwarded = get(address, path, &lines).await;
            let host = "host: evil.example\r\n";
            let answer = send(address, &format!("GET {path}"), host, &lines).await;
            assert_eq!(answer, forwarded, "{server} {path}");
            let challenges = answer.lines("www-authenticate");
            assert_eq!(answer.status, 401, "{server} {path}");
            assert!(challenges.iter().all(|line| line.contains(METADATA)), "{challenges:?}");
        }
    }
}

/// Clients find parameters by searching for their names.
#[test]
fn no_description_contains_the_name_of_a_parameter() {
    for code in auth0_axum::ErrorCode::ALL {
        for name in ["scope=", "error=", "resource_metadata=", "="] {
            assert!(!code.description().contains(name), "{code}");
        }
    }
}

#[tokio::test]
async fn the_resource_is_an_audience() {
    let tenant = Tenant::new();
    let only = |resource: &str| {
        tenant.builder_with([]).issuer(tenant.issuer()).resource(resource).build().unwrap()
    };
    let verdict = async |auth: &Auth0, audience: &str| {
        auth.verify(&tenant.token().audience(audience).mint()).await.is_ok()
    };
    for (resource, good, bad) in [
        (
            "https://api.acme.com/mcp",
            &["https://api.acme.com/mcp"][..],
            &["https://api.acme.com/mcp/", "https://api.acme.com", "https://api.acme.com/"][..],
        ),
        (
            "https://api.acme.com",
            &["https://api.acme.com", "https://api.acme.com/"],
            &["https://api.acme.com/mcp"],
        ),
        ("https://api.acme.com/", &["https://api.acme.com", "https://api.acme.com/"], &[]),
    ] {
        let auth = only(resource);
        for audience in good {
            assert!(verdict(&auth, audience).await, "{resource} {audience}");
        }
        for audience in bad {
            assert!(!verdict(&auth, audience).await, "{resource} {audience}");
        }
    }
    // Beside other audiences, also those of one issuer.
    let issuer = auth0_axum::TrustedIssuer::new(tenant.issuer()).audience("https://other.test");
    let auth = tenant.builder_with([]).issuer(issuer).resource("https://api.acme.com/mcp");
    let auth = auth.build().unwrap();
    for audience in ["https://other.test", "https://api.acme.com/mcp"] {
        assert!(verdict(&auth, audience).await, "{audience}");
    }
}
