//! Further factors: what the tokens of the login have.
use crate::kit::{API, Answer, Server};

/// The answer names the scopes only where they differ from those of the login (RFC 6749 §5.1).
#[tokio::test]
async fn the_tokens_have_the_scopes_of_the_login() {
    let required = || Answer::json(403, r#"{"error":"mfa_required","mfa_token":"mfa-token"}"#);
    let fewer = r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"scope":"openid"}"#;
    for (answer, expected) in [
        (Answer::token("a"), &["openid", "read:orders"][..]),
        (Answer::json(200, fewer), &["openid"]),
    ] {
        let server = Server::answering([required(), required(), answer]);
        let client = server.client();
        let log_in = client.passwordless("a@b").log_in("1").audience(API);
        let first = log_in.scopes(["openid", "read:orders"]).send().await.unwrap_err();
        // Another factor is required after the first.
        let second = client.mfa(first.mfa().unwrap()).verify_otp("123456").await.unwrap_err();
        let tokens = client.mfa(second.mfa().unwrap()).verify_otp("123456").await.unwrap();
        let token = tokens.access_token();
        assert_eq!(token.scopes().collect::<Vec<_>>(), expected);
        assert_eq!(server.last().parameter("scope"), None);
    }
    // A login that requests none has none.
    let server = Server::answering([required(), Answer::token("a")]);
    let client = server.client();
    let error = client.refresh("r").send().await.unwrap_err();
    let tokens = client.mfa(error.mfa().unwrap()).verify_otp("123456").await.unwrap();
    assert_eq!(tokens.access_token().scopes().count(), 0);
}
