//! `auth0-local fault`, `rotate`, `revoke` and `stats`.
use crate::kit::{Server, failure};
use auth0_core::ErrorCode;
use auth0_local::DEFAULT_AUDIENCE;
use serde_json::Value;

#[tokio::test]
async fn faults_and_rotations() {
    let server = Server::start(&["--fault", "jwks=500", "--fault", "metadata=slow:0.001"]);
    let drill = "# This is a drill: metadata=slow:0.001 jwks=500\nAUTH0_ISSUER=";
    assert!(server.greeting.contains(drill), "{}", server.greeting);
    let old = server.token(&[]);
    let verdict = async |token: &str| {
        let verdict = server.verifier(DEFAULT_AUDIENCE).verify(token).await;
        verdict.err().map(|error| error.code())
    };
    assert_eq!(verdict(&old).await, Some(ErrorCode::KeysUnavailable));

    let faults = server.ask(&["fault", "jwks=reset", "metadata=429:5@0.5", "jwks=html"]);
    assert_eq!(faults, "metadata=429:5@0.5 jwks=html", "the last fault of a document applies");
    assert_eq!(server.ask(&["fault", "metadata=none"]), "metadata=none jwks=html");
    assert_eq!(server.ask(&["fault", "--clear"]), "metadata=none jwks=none");
    assert_eq!(verdict(&old).await, None);

    let kid = server.ask(&["rotate"]);
    let new = server.token(&[]);
    assert_eq!((verdict(&old).await, verdict(&new).await), (None, None));
    assert_eq!(server.ask(&["revoke"]), kid);
    assert_eq!((verdict(&old).await, verdict(&new).await), (Some(ErrorCode::KeyUnknown), None));
    let newer = server.ask(&["rotate"]);
    assert_eq!(server.ask(&["revoke", &kid]), newer);
    let (status, sentence) = failure(&["revoke", &kid, "--issuer", &server.issuer]);
    assert!(status == 1 && sentence.contains("no key with the id"), "{sentence}");
    for id in ["-i342Tt1u4memli4RBOT", "--342Tt1u4memli4RBOT"] {
        let (status, sentence) = failure(&["revoke", id, "--issuer", &server.issuer]);
        assert!(status == 1 && sentence.contains(id), "{sentence}");
    }

    let stats: Value = serde_json::from_str(&server.ask(&["stats"])).unwrap();
    for (document, faulted) in [("metadata", 1), ("jwks", 1)] {
        let count = |name: &str| stats[document][name].as_u64().unwrap();
        assert_eq!(count("faulted"), faulted, "{document}");
        assert_eq!(count("requests"), count("served") + count("faulted"), "{document}");
    }
}
