//! No secret and no token in `Debug`.
use crate::{
    delegation::token_of,
    kit::{API, Answer, EC_PEM, RSA_PEM, Server},
};
use auth0_client::{Caller, ProofKey, SigningKey};
const SECRETS: [&str; 6] =
    ["the-secret", "ACCESSTOKEN", "REFRESHTOKEN", "IDTOKEN", "MFATOKEN", "SUBJECT"];

fn check(text: &str) {
    for secret in SECRETS.iter().chain([&"PRIVATE KEY", &"eyJ"]) {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn debug() {
    let body = r#"{"access_token":"ACCESSTOKEN","token_type":"Bearer","expires_in":60,
        "refresh_token":"REFRESHTOKEN","id_token":"IDTOKEN"}"#;
    let server = Server::new();
    server.respond(move |_, _| Answer::json(200, body));
    let builder = server.builder().client_secret("the-secret");
    check(&format!("{builder:?}"));
    let client = builder.build().unwrap();
    check(&format!("{client:?}"));
    let source = client.machine(API).build().unwrap();
    let token = source.token().await.unwrap();
    check(&format!("{source:?} {token:?}"));
    let subject = token_of("SUBJECT", 60);
    let delegation = client.delegation(API).build().unwrap();
    check(&format!("{delegation:?} {:?}", delegation.on_behalf_of(&subject)));
    check(&format!("{:?}", Caller::from(&subject)));
    let connection = client.connection("github");
    check(&format!("{connection:?} {:?}", connection.for_refresh_token("REFRESHTOKEN")));
    let tokens = client.refresh("REFRESHTOKEN").send().await.unwrap();
    check(&format!("{tokens:?} {:?}", client.refresh("REFRESHTOKEN")));
    check(&format!(
        "{:?} {:?}",
        client.revoke("REFRESHTOKEN"),
        client.exchange("urn:a:b", "SUBJECT")
    ));
    check(&format!("{:?}", client.passwordless("a@b").log_in("the-secret")));
    check(&format!("{:?}", client.grant("x").parameter("code", "SUBJECT")));
    let key = SigningKey::from_pem(RSA_PEM).unwrap();
    check(&format!("{key:?} {:?}", ProofKey::from_pem(EC_PEM).unwrap()));
}
