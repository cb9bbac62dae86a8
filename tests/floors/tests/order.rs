//! Holds every published crate to its rooms in order.
use std::path::Path;

/// The rooms of each crate, the lowest first.
const CRATES: [(&str, &str); 6] = [
    (
        "auth0-core",
        "config_error runtime telemetry error jose identifier transport request token keys policy \
         possession issuer auth0 adapter lib",
    ),
    ("auth0-axum", "body rejection request context verdict extract layer testing lib"),
    (
        "auth0-actix",
        "request context error verifier verdict extraction extract middleware testing lib",
    ),
    (
        "auth0-local",
        "error env_file stats fault file token running server tenant quickstart cli lib main",
    ),
    ("auth0-testing", "clock key draft tenant lib"),
    ("auth0-redis", "connection replay_store lib"),
];

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
