//! Every refusal's cause has three parts: what was seen, what was expected, and what to do.
use super::log::Log;
use auth0_axum::{
    Algorithm, Dpop, ErrorCode, Revocations, TrustedIssuer,
    dpop::DpopNonces,
    resolver::{IssuerResolver, ResolverContext},
    testing::{Failure, SigningKey, Tenant, TokenBuilder},
};
use serde_json::json;
use std::{collections::BTreeSet, error::Error, net::SocketAddr, time::Duration};
use tracing::Level;
use wire_tests::{
    client::{break_off, get, send_body},
    failing_store::FailingStore,
    servers,
};

/// A request, and the parts of the cause of its refusal.
struct Case {
    code: &'static str,
    path: &'static str,
    lines: Vec<(&'static str, String)>,
    body: String,
    parts: [&'static str; 3],
}

fn case(
    code: &'static str,
    path: &'static str,
    authorization: impl Into<String>,
    parts: [&'static str; 3],
) -> Case {
    let lines = vec![("authorization", authorization.into())];
    Case { code, path, lines, body: String::new(), parts }
}

/// The codes that were seen, and texts that the log must not have.
#[derive(Default)]
struct Seen {
    codes: BTreeSet<&'static str>,
}

impl Seen {
    async fn send(&mut self, log: &Log, servers: &[(&'static str, SocketAddr)], case: &Case) {
        for (server, address) in servers {
            let lines: Vec<_> =
                case.lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            log.take();
            let target = format!("GET {}?secret=1", case.path);
            let answer = match &*case.body {
                BROKEN_OFF => break_off(*address, &target, &lines).await,
                "" => get(*address, &format!("{}?secret=1", case.path), &lines).await,
                body => send_body(*address, &target, &lines, body.as_bytes(), false).await,
            };
            let shown = format!("{server}: {} {}", case.code, case.path);
            assert!(
                answer.body.contains(&format!("\"error_code\":\"{}\"", case.code)),
                "{shown}: {answer:?}"
            );
            let refusals = log.refusals();
            let [line] = &*refusals else { panic!("{shown}: one line: {refusals:?}") };
            assert_eq!(line.get("error_code"), case.code, "{shown}");
            // The plain service calls `Auth0::with_claims`, which does not know the request, as a lease does not.
            let is_known = (*server, case.path) != ("tower", "/claims") && case.path != "/renew";
            let request = if is_known { ("GET", case.path) } else { ("", "") };
            assert_eq!((line.get("method"), line.get("path")), request, "{shown}");
            let level = match case.code {
                "token_missing" => Level::DEBUG,
                "misconfigured" => Level::ERROR,
                _ => Level::INFO,
            };
            assert_eq!(line.level, level, "{shown}");

            let cause = line.get("cause");
            let shown = format!("{shown}: {cause}");
            let [seen, expected, next_step] = case.parts;
            let (first, rest) = cause.split_once("; expected ").expect(&shown);
            assert!(first.contains(seen), "{shown}: seen {seen}");
            let at = rest.find(next_step).unwrap_or_else(|| panic!("{shown}: to do {next_step}"));
            assert!(rest[..at].contains(expected), "{shown}: expected {expected}");
            for value in case.lines.iter().flat_map(|(_, value)| value.split([' ', '.'])) {
                let is_secret = value.len() > 12 && !value.contains("://") && !value.contains(' ');
                assert!(!is_secret || !cause.contains(value), "{shown}: {value}");
            }
        }
        self.codes.insert(case.code);
    }
}

fn renewals(tenant: &Tenant) -> Vec<Case> {
    let ann = || tenant.token().subject("auth0|ann").client("c1").organization("org_1", "one");
    let later = || ann().expires_in(Duration::from_secs(200_000));
    let other = |newer: TokenBuilder, seen| {
        let authorization = format!("Bearer {}", ann().mint());
        let expected = "newer token of the issuer, subject, client and organization";
        let next_step = "request a new token for the same user";
        let mut case =
            case("renewal_refused", "/renew", authorization, [seen, expected, next_step]);
        case.lines.push(("x-renewal", newer.mint()));
        case
    };
    vec![
        other(later().subject("auth0|bob"), "of another subject"),
        other(later().client("c2"), "of another client"),
        other(later().organization("org_2", "two"), "of another organization"),
        other(ann(), "does not end later"),
    ]
}

/// A code that no case covers fails the test.
#[tokio::test]
async fn every_code_has_a_cause_of_three_parts() {
    let log = Log::listen().await;
    let mut seen = Seen::default();

    let tenant = Tenant::new();
    let start = |dpop: Dpop| {
        let tenant = &tenant;
        async move { servers::start(|| tenant.builder().dpop(dpop.clone()).build().unwrap()).await }
    };
    let servers = start(Dpop::allowed()).await;
    for case in requests()
        .into_iter()
        .chain(tokens(&tenant))
        .chain(requirements(&tenant))
        .chain(mcp(&tenant))
        .chain(renewals(&tenant))
    {
        seen.send(&log, &servers, &case).await;
    }

    let bound = tenant.token().bound_to(&tenant.client_key()).mint();
    let dpop = |code, proof: Option<String>, parts| {
        let mut case = case(code, "/token", format!("DPoP {bound}"), parts);
        case.lines.extend(proof.map(|proof| ("dpop", proof)));
        case
    };
    for (server, address) in &servers {
        let server = [(*server, *address)];
        let url = format!("http://{address}/token");
        let proof = |url: &str| tenant.proof("GET", url).for_token(&bound);
        for case in [
            dpop(
                "dpop_proof_missing",
                None,
                ["no DPoP header", "signed with ES256", "proxies pass"],
            ),
            dpop(
                "dpop_proof_invalid",
                Some(proof("https://api.example/token").mint()),
                ["htu is \"https://api.example/token\"", "\"http://127.0.0.1:", "AUTH0_PUBLIC_URL"],
            ),
            dpop(
                "dpop_proof_invalid",
                Some(proof(&url).aged(Duration::from_secs(400)).mint()),
                ["it is 400 s old", "at most 300 s", "clocks"],
            ),
            dpop(
                "dpop_proof_invalid",
                Some(proof(&url).ahead(Duration::from_secs(90)).mint()),
                ["its iat is 90 s ahead", "at most 30 s", "clocks"],
            ),
            dpop(
                "dpop_proof_invalid",
                Some(tenant.proof("POST", &url).for_token(&bound).mint()),
                ["htm is \"POST\"", "\"GET\"", "RFC 9449"],
            ),
            dpop(
                "token_binding_mismatch",
                Some(proof(&url).key(&SigningKey::generate(Algorithm::ES256).unwrap()).mint()),
                [
                    "the key of the proof has the thumbprint",
                    "the cnf.jkt of the token",
                    "sign proofs with the key",
                ],
            ),
        ] {
            seen.send(&log, &server, &case).await;
        }
        let used = proof(&url).mint();
        let lines = [("authorization", format!("DPoP {bound}")), ("dpop", used.clone())];
        let lines = lines.each_ref().map(|(name, value)| (*name, value.as_bytes()));
        assert_eq!(get(*address, "/token", &lines).await.status, 200);
        let parts = ["was used before", "the last 330 s", "for each request"];
        seen.send(&log, &server, &dpop("dpop_proof_replayed", Some(used), parts)).await;
    }

    let servers = start(Dpop::required().nonces(DpopNonces::per_process())).await;
    for (server, address) in &servers {
        let url = format!("http://{address}/token");
        let proof = tenant.proof("GET", &url).for_token(&bound).mint();
        let parts = ["has no nonce", "the header DPoP-Nonce", "DpopNonces::with_secret"];
        let case = dpop("dpop_nonce_required", Some(proof), parts);
        seen.send(&log, &[(*server, *address)], &case).await;
    }
    let bearer = format!("Bearer {}", tenant.token().mint());
    let parts = ["the scheme is Bearer", "DPoP, which is required", "AUTH0_DPOP=allowed"];
    seen.send(&log, &servers, &case("scheme_unsupported", "/token", &*bearer, parts)).await;
    let parts = ["the scheme is DPoP", "Bearer, because DPoP is disabled", "AUTH0_DPOP=allowed"];
    let servers = start(Dpop::disabled()).await;
    seen.send(
        &log,
        &servers,
        &case("scheme_unsupported", "/token", format!("DPoP {bound}"), parts),
    )
    .await;

    let servers = start(Dpop::allowed().replay_capacity(1)).await;
    for (server, address) in &servers {
        let url = format!("http://{address}/token");
        let proof = || tenant.proof("GET", &url).for_token(&bound).mint();
        let lines = [("authorization", format!("DPoP {bound}")), ("dpop", proof())];
        let lines = lines.each_ref().map(|(name, value)| (*name, value.as_bytes()));
        assert_eq!(get(*address, "/token", &lines).await.status, 200);
        let parts = ["1 ", "the store of used proofs", "Dpop::replay_capacity"];
        let case = dpop("replay_store_unavailable", Some(proof()), parts);
        seen.send(&log, &[(*server, *address)], &case).await;
    }

    let builder = || tenant.builder_with([]).issuer_resolver(Fails);
    let servers = servers::start(|| builder().build().unwrap()).await;
    let parts = ["the database is down", "the issuers of the resolver", "Builder::issuer_resolver"];
    seen.send(&log, &servers, &case("issuers_unavailable", "/token", &*bearer, parts)).await;

    let revocations = Revocations::in_memory();
    let with =
        |revocations: &Revocations| tenant.builder().revocations(revocations).build().unwrap();
    let servers = servers::start(|| with(&revocations)).await;
    revocations.revoke_subject(tenant.issuer(), "auth0|65f1c0ffee").await.unwrap();
    let parts = ["the subject was revoked", "are not revoked", "after a new login"];
    seen.send(&log, &servers, &case("token_revoked", "/token", &*bearer, parts)).await;

    let revocations = Revocations::with_store(FailingStore);
    let servers = servers::start(|| with(&revocations)).await;
    let parts = ["has not answered", "an answer of the store", "Revocations::with_store"];
    seen.send(&log, &servers, &case("revocations_unavailable", "/token", &*bearer, parts)).await;
    drop(revocations);

    tenant.fail(Failure::Status(404));
    let servers = start(Dpop::allowed()).await;
    let parts = [
        "status 404",
        "the keys of https://tenant.test/, from https://tenant.test/.well-known/openid-configuration",
        "AUTH0_DOMAIN",
    ];
    seen.send(&log, &servers, &case("keys_unavailable", "/token", &*bearer, parts)).await;

    let all: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    let missing: Vec<_> = all.difference(&seen.codes).collect();
    assert!(missing.is_empty(), "no case covers {missing:?}");
}

/// A body that does not arrive in full.
const BROKEN_OFF: &str = "broken off";

/// What clients send to an MCP server.
fn mcp(tenant: &Tenant) -> Vec<Case> {
    let case = |code, header: Option<(&'static str, &str)>, body: &str, parts| {
        let mut case = case(code, "/mcp", format!("Bearer {}", tenant.token().mint()), parts);
        case.lines.extend(header.map(|(name, value)| (name, value.to_owned())));
        case.body = body.to_owned();
        case
    };
    vec![
        case(
            "mcp_header_mismatch",
            Some(("mcp-name", "other")),
            r#"{"method":"tools/call","params":{"name":"a"}}"#,
            [
                "mcp-name says something else than the body: \"a\"",
                "the method and name",
                "Let the client copy",
            ],
        ),
        case(
            "mcp_header_mismatch",
            Some(("mcp-method", "tools/call")),
            r#"[{"method":"ping"}]"#,
            ["mcp-method describes one message", "the method and name", "Let the client copy"],
        ),
        case(
            "mcp_session_unknown",
            Some(("mcp-session-id", "4d1f")),
            "",
            [
                "there is no such session",
                "of this issuer, subject and client",
                "start a new session",
            ],
        ),
        case(
            "body_incomplete",
            None,
            BROKEN_OFF,
            ["did not arrive in full", "the whole body", "what has closed the connection"],
        ),
        case(
            "request_too_large",
            None,
            &" ".repeat(101),
            [
                "the body of the request is too long",
                "at most 100 bytes",
                "McpTools::max_body_bytes",
            ],
        ),
        case(
            "insufficient_scope",
            None,
            r#"{"method":"tools/call","params":{"name":"purge"}}"#,
            ["the scope \"a\" is missing", "scope(\"a\")", "Let the client request it"],
        ),
    ]
}

/// What clients send instead of a token.
fn requests() -> Vec<Case> {
    const HEADER: &str = "\"Authorization: Bearer <access token>\"";
    let other = |authorization: &str, seen, next_step| {
        case("scheme_unsupported", "/token", authorization, [seen, HEADER, next_step])
    };
    let malformed = |authorization: &str, seen, next_step| {
        case("request_malformed", "/token", authorization, [seen, HEADER, next_step])
    };
    let malformed_token = |authorization: &str, seen, next_step| {
        case(
            "token_malformed",
            "/token",
            authorization,
            [seen, "https://api.tenant.test", next_step],
        )
    };
    vec![
        Case {
            body: String::new(),
            code: "token_missing",
            path: "/token",
            lines: Vec::new(),
            parts: ["no Authorization header", HEADER, "proxies pass"],
        },
        other("Basic dXNlcjpzZWNyZXQ=", "the scheme is \"Basic\"", "user name"),
        other(
            "JWT eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
            "the scheme is \"JWT\"",
            "write the word Bearer instead",
        ),
        other("Token 0123456789abcdef", "the scheme is \"Token\"", "write the word Bearer instead"),
        other(
            "eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
            "where the scheme belongs",
            "write the word Bearer and a space",
        ),
        other(
            "eyJhbGciOiJSUzI1NiJ9 eyJhbGciOiJSUzI1NiJ9",
            "where the scheme belongs",
            "write the word Bearer",
        ),
        other("3xampl3opaquet0ken", "where the scheme belongs", "write the word Bearer"),
        malformed("Bearer", "no token follows the scheme Bearer", "variable was empty"),
        malformed(
            "Bearer:eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
            "follows the word Bearer",
            "in this form",
        ),
        malformed("\"Bearer eyJhbGciOiJSUzI1NiJ9\"", "quotation mark", "in this form"),
        malformed("Bearer Bearer eyJhbGciOiJSUzI1NiJ9", "is there twice", "write it once"),
        malformed("Bearer \"eyJhbGciOiJSUzI1NiJ9\"", "not one token", "remove the quotation marks"),
        malformed("Bearer eyJhbGciOiJSUzI1NiJ9, abc", "not one token", "without spaces"),
        malformed("Bearer [object Object]", "the name of an object", "await"),
        malformed("Bearer ${ACCESS_TOKEN}", "a placeholder", "its variable"),
        case(
            "request_malformed",
            "/token",
            format!("Bearer {}", "a".repeat(17 * 1024)),
            ["the token has 17408 bytes", "at most 16384", "Builder::max_token_bytes"],
        ),
        malformed_token("Bearer undefined", "the text \"undefined\"", "wait until it has a token"),
        malformed_token("Bearer null", "the text \"null\"", "wait until it has a token"),
        malformed_token(
            "Bearer 3xampl3opaquet0ken",
            "an opaque text",
            "request a token with this audience",
        ),
        malformed_token("Bearer eyJhbGciOiJSUzI1NiJ9.e30", "2 parts", "unchanged"),
        case(
            "token_opaque",
            "/token",
            "Bearer eyJhbGciOiJSUzI1NiJ9.a.b.c.d",
            ["five parts", "https://api.tenant.test", "request a token with this audience"],
        ),
    ]
}

fn tokens(tenant: &Tenant) -> Vec<Case> {
    let bad = |code, token: TokenBuilder, parts| {
        case(code, "/token", format!("Bearer {}", token.mint()), parts)
    };
    let token = || tenant.token();
    let good = token().mint();
    let changed = good.rsplit_once('.').map(|(signed, _)| format!("Bearer {signed}.AAAA")).unwrap();
    let other_key = token().header("kid", "another-kid-of-another-tenant");
    let roles = |value| token().claim("https://acme.com/roles", value);
    let claims = |token: TokenBuilder, parts| {
        case("claims_invalid", "/claims", format!("Bearer {}", token.mint()), parts)
    };
    vec![
        bad(
            "algorithm_unsupported",
            token().header("alg", "HS256"),
            ["\"HS256\"", "RS256", "Signing Algorithm to RS256"],
        ),
        bad(
            "key_unknown",
            other_key,
            ["no key of this kid", "https://tenant.test/ publishes", "the tenant of this service"],
        ),
        case(
            "signature_invalid",
            "/token",
            changed,
            ["does not verify", "the signature of https://tenant.test/", "changes or cuts"],
        ),
        bad(
            "issuer_mismatch",
            token().issuer("https://other.test/"),
            ["iss is \"https://other.test/\"", "https://tenant.test/", "AUTH0_DOMAIN"],
        ),
        bad(
            "issuer_mismatch",
            token().issuer("https://tenant.test"),
            ["the difference is the slash", "https://tenant.test/", "AUTH0_ISSUER"],
        ),
        bad(
            "audience_mismatch",
            token().audience("https://x.test"),
            ["aud is \"https://x.test\"", "\"https://api.tenant.test\"", "AUTH0_AUDIENCE"],
        ),
        bad(
            "audience_mismatch",
            token().audience("https://api.tenant.test/"),
            [
                "the difference is a slash at the end",
                "\"https://api.tenant.test\"",
                "AUTH0_AUDIENCE",
            ],
        ),
        bad(
            "audience_mismatch",
            token().claim("aud", ["urn:x", "https://API.tenant.test"]),
            [
                "\"urn:x\", \"https://API.tenant.test\" (the difference is in upper and lower case",
                "\"https://api.tenant.test\"",
                "AUTH0_AUDIENCE",
            ],
        ),
        bad(
            "audience_mismatch",
            token().claim("aud", ["a"; 9]),
            ["and 5 more", "\"https://api.tenant.test\"", "AUTH0_AUDIENCE"],
        ),
        bad(
            "audience_mismatch",
            token().claim("aud", json!([])),
            ["aud is empty", "\"https://api.tenant.test\"", "AUTH0_AUDIENCE"],
        ),
        bad("token_expired", token().expired(), ["exp was", "at most 5 s ago", "clocks"]),
        bad(
            "token_not_yet_valid",
            token().not_yet_valid(),
            ["s ahead", "at most 5 s ahead", "clocks"],
        ),
        bad(
            "claims_invalid",
            token().claim("sub", 7),
            ["the claim sub has another type", "sub to be a string", "Actions"],
        ),
        bad(
            "token_type_invalid",
            token().header("typ", "logout+jwt"),
            ["typ is \"logout+jwt\"", "JWT or at+jwt", "not the ID token"],
        ),
        bad(
            "token_type_invalid",
            token().claim("nonce", "x"),
            ["it is an ID token", "\"https://api.tenant.test\"", "the access token"],
        ),
        bad(
            "token_binding_mismatch",
            token().bound_to(&tenant.client_key()),
            ["came as Bearer", "the scheme DPoP", "instead of Bearer"],
        ),
        bad(
            "token_binding_mismatch",
            token().bound_to_certificate(b"x"),
            ["no client certificate is known", "x5t#S256", "X-Forwarded-Client-Cert"],
        ),
        claims(token(), ["no claim \"https://acme.com/roles\"", "Roles", "#[serde(default)]"]),
        claims(
            roles(json!("s3cr3t-role-name")),
            [
                "the claim \"https://acme.com/roles\" has another type",
                "a sequence for the type",
                "change the type",
            ],
        ),
        claims(
            roles(json!([7])),
            [
                "the claim \"https://acme.com/roles\" has another type",
                "a string for the type",
                "change the type",
            ],
        ),
    ]
}

fn requirements(tenant: &Tenant) -> Vec<Case> {
    let bad = |code, path, token: TokenBuilder, parts| {
        case(code, path, format!("Bearer {}", token.mint()), parts)
    };
    let token = || tenant.token();
    let scoped = |scope| token().scope(scope);
    let role = |value| token().claim("https://acme.com/roles", value);
    let of_acme = || token().organization("org_b2", "beta");
    let now = tenant.token().payload_json();
    let now: serde_json::Value = serde_json::from_str(&now).unwrap();
    let old = now["iat"].as_u64().unwrap() - 1000;
    let organization = "the parameter organization";
    vec![
        bad(
            "insufficient_scope",
            "/scope",
            scoped("openid"),
            ["the token's scope is \"openid\"", "scope(\"read:messages\")", "Permissions"],
        ),
        bad(
            "insufficient_scope",
            "/layer",
            token(),
            ["the token has no scope", "scope(\"read:messages\")", "Permissions"],
        ),
        bad(
            "insufficient_scope",
            "/any-scope",
            scoped("x"),
            ["scope is \"x\"", "any_scope([\"read:messages\", \"admin:messages\"])", "Permissions"],
        ),
        bad(
            "insufficient_scope",
            "/all",
            scoped("read:messages"),
            [
                "the scope \"write:messages\" is missing",
                "scope(\"read:messages write:messages\")",
                "the parameter scope",
            ],
        ),
        bad(
            "insufficient_permissions",
            "/all",
            scoped("read:messages write:messages"),
            [
                "no claim \"permissions\"",
                "permission(\"messages:purge\")",
                "Add Permissions in the Access Token",
            ],
        ),
        bad(
            "insufficient_permissions",
            "/permission",
            token().permissions(["messages:read"]),
            ["permissions are \"messages:read\"", "permission(\"messages:purge\")", "Assign it"],
        ),
        bad(
            "requirement_not_met",
            "/role",
            token(),
            ["no claim \"https://acme.com/roles\"", ".contains(\"admin\")", "setCustomClaim"],
        ),
        bad(
            "requirement_not_met",
            "/role",
            role(json!(["s3cr3t-role-name"])),
            ["an array without it", ".contains(\"admin\")", "setCustomClaim"],
        ),
        bad(
            "requirement_not_met",
            "/role",
            role(json!({"admin": 1})),
            ["an object", ".contains(\"admin\")", "setCustomClaim"],
        ),
        bad(
            "requirement_not_met",
            "/check",
            token().subject("auth0|bob"),
            ["\"is ann\"", "check(\"is ann\")", "of this name"],
        ),
        bad(
            "requirement_not_met",
            "/machine",
            token(),
            ["a person's", "machine()", "client credentials"],
        ),
        bad(
            "requirement_not_met",
            "/person",
            token().machine("m1"),
            ["a machine's", "user()", "a user log in"],
        ),
        bad(
            "requirement_not_met",
            "/client",
            token().client("app"),
            ["the client \"app\"", "client(\"spa\")", "any_of!"],
        ),
        bad(
            "organization_mismatch",
            "/organization",
            of_acme(),
            ["org_id is \"org_b2\"", "organization(\"org_a1\")", organization],
        ),
        bad(
            "organization_mismatch",
            "/organization-name",
            of_acme(),
            ["org_name \"beta\"", "organization_name(\"acme\")", organization],
        ),
        bad(
            "organization_mismatch",
            "/any-organization",
            token(),
            ["no org_id", "any_organization()", organization],
        ),
        bad(
            "organization_mismatch",
            "/organization-extractor",
            token(),
            ["no org_id", "any_organization()", organization],
        ),
        bad(
            "organization_mismatch",
            "/orgs/org_a1/data",
            of_acme(),
            ["org_id is \"org_b2\"", "which is \"org_a1\"", organization],
        ),
        bad(
            "organization_mismatch",
            "/orgs/org_a1/layer",
            of_acme(),
            ["org_id is \"org_b2\"", "which is \"org_a1\"", organization],
        ),
        bad(
            "organization_mismatch",
            "/organization-header",
            of_acme(),
            ["org_id is \"org_b2\"", "does not name exactly once", organization],
        ),
        bad(
            "step_up_required",
            "/mfa",
            token().claim("amr", ["pwd"]),
            [
                "the token has no acr, and the token's amr is \"pwd\"",
                "amr(\"mfa\")",
                "log the user in again",
            ],
        ),
        bad(
            "step_up_required",
            "/recent",
            token().claim("auth_time", old),
            ["the login was 1000 s ago", "max_age(300)", "log the user in again"],
        ),
        bad("step_up_required", "/recent", token(), ["no auth_time", "max_age(300)", "auth_time"]),
        bad(
            "misconfigured",
            "/no-parameter",
            of_acme(),
            [
                "does not have the path parameter",
                "organization_in_path(\"org\")",
                "Put the requirement on the route",
            ],
        ),
    ]
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
