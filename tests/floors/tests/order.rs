//! Holds every published crate to its rooms in order.
use std::path::Path;

/// The rooms of each crate, the lowest floor first. Rooms on one floor are joined by `+`.
const CRATES: [(&str, &str); 10] = [
    (
        "auth0-core",
        "config_error runtime+telemetry+error jose+identifier transport+request+revocation token keys+policy \
         possession+issuer auth0+mcp lease adapter support lib",
    ),
    (
        "auth0-axum",
        "grpc+tcp+whole_body body request context opening_request rejection verdict extract client+login mcp layer logout metadata websocket testing lib",
    ),
    (
        "auth0-actix",
        "request+tcp context opening_request unread_body whole_body error verifier verdict extraction extract client+login token_body logout mcp middleware metadata websocket testing lib",
    ),
    (
        "auth0-local",
        "error address+env_file+endpoint+secret+totp+mfa_answer+proofs+token_requests+recent mtls_edge stats+fault+file+token \
         directory jws+store+events inspect running pending+logout+administration server tenant quickstart cli lib main",
    ),
    ("auth0-testing", "clock key draft tenant lib"),
    (
        "auth0-openapi",
        "alternative alternatives operation sentence refusals scheme documentation security_schemes axum actix lib",
    ),
    (
        "auth0-client",
        "secret limits key error parameters authentication+proof+metrics token+server cache client source grant outgoing+support lib",
    ),
    (
        "auth0-events",
        "backoff+metrics+secret+sse+timestamp event+store credential+effect+handler+position connection leadership subscriber lib",
    ),
    (
        "auth0-login",
        "exchanges+names+reply+return_to+seal cookie+store request+testing page error record renewals login session+transaction tokens flow lib",
    ),
    (
        "auth0-redis",
        "address+connection once+event_store replay_store+revocation_log+session_store revocation_store lib",
    ),
];

#[test]
fn every_published_crate_has_its_rooms_in_order() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = std::fs::read_dir(&workspace).expect("the workspace is readable");
    let mut published: Vec<String> = folders
        .map(|folder| folder.expect("a folder").file_name().to_string_lossy().into_owned())
        .filter(|name| workspace.join(name).join("src/lib.rs").exists())
        .collect();
    published.sort();
    let mut named = CRATES.map(|(name, _)| name);
    named.sort_unstable();
    assert!(published.iter().filter(|name| *name != "docs").eq(&named), "{published:?}");
}

#[test]
fn rooms_name_only_rooms_before_them() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut failures = Vec::new();
    for (name, order) in CRATES {
        let source = workspace.join(name).join("src");
        let order: Vec<&str> = order.split_whitespace().collect();
        let found = floors_tests::check(&source, &order);
        failures.extend(found.iter().map(|failure| format!("{name}/{failure}")));
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
