//! The first line of the log says what the verifier trusts.
use super::log::Log;
use auth0_axum::{Auth0, Dpop};
use tracing::Level;

#[tokio::test]
async fn the_first_line_says_what_is_trusted() {
    let log = Log::listen().await;
    let builder = Auth0::builder()
        .domains(["acme.eu.auth0.com", "login.acme.com"])
        .audiences(["https://api.acme.com", "https://user:s3cr3t@api.acme.com/b"])
        .public_url("https://acme.com/api")
        .dpop(Dpop::required());
    let _auth = builder.build().unwrap();
    let lines = log.take();
    let [line] = &*lines else { panic!("one line for each verifier: {lines:?}") };
    assert_eq!(line.level, Level::INFO);
    for (field, value) in [
        ("message", "verifying access tokens"),
        ("issuers", "https://acme.eu.auth0.com/, https://login.acme.com/"),
        ("audiences", "\"https://api.acme.com\", \"https://***@api.acme.com/b\""),
        ("algorithms", "RS256, PS256"),
        ("dpop", "required"),
        ("public_url", "https://acme.com/api"),
    ] {
        assert_eq!(line.get(field), value, "{line:?}");
    }
}
