//! Sessions belong to the identity that has created them.
use crate::servers;
use auth0_axum::testing::Tenant;
use wire_tests::{client::send_body, refusals::Refusal};

#[tokio::test]
async fn a_session_exists_for_its_owner_only() {
    let tenant = Tenant::new();
    let auth = || tenant.builder().resource("https://api.acme.com/mcp").build().unwrap();
    let of = |subject: &str, client: &str| {
        let token = tenant.token().subject(subject).client(client).scope("mcp:read").mint();
        format!("Bearer {token}")
    };
    let (ann, bob) = (of("auth0|ann", "spa"), of("auth0|bob", "spa"));
    let (elsewhere, again) = (of("auth0|ann", "cli"), of("auth0|ann", "spa"));
    for (server, address) in servers::start(auth).await {
        let send = async |method: &str, who: &str, sessions: &[&str], body: &str| {
            let mut lines: Vec<(&str, &[u8])> = vec![("authorization", who.as_bytes())];
            lines.extend(sessions.iter().map(|id| ("mcp-session-id", id.as_bytes())));
            let target = format!("{method} /sessions");
            send_body(address, &target, &lines, body.as_bytes(), false).await
        };
        let unknown = Refusal::of("mcp_session_unknown");
        let is_unknown = |answer: wire_tests::client::Answer, case: &str| {
            let expected = (unknown.status, unknown.body());
            assert_eq!((answer.status, answer.body.clone()), expected, "{server} {case}");
            assert!(answer.lines("www-authenticate").is_empty(), "{server} {case}");
        };
        is_unknown(send("POST", &ann, &["4d1f"], "{}").await, "before it was created");
        let answer = send("POST", &ann, &[], r#"{"method":"initialize"}"#).await;
        assert_eq!(answer.lines("mcp-session-id"), ["4d1f"], "{server}");
        for who in [&ann, &again] {
            assert_eq!(send("POST", who, &["4d1f"], "{}").await.status, 200, "{server}");
            assert_eq!(send("GET", who, &["4d1f"], "").await.status, 200, "{server}");
        }
        for who in [&bob, &elsewhere] {
            for method in ["POST", "GET", "DELETE"] {
                is_unknown(send(method, who, &["4d1f"], "").await, "another identity");
            }
        }
        is_unknown(send("POST", &ann, &["4D1F"], "{}").await, "another id");
        is_unknown(send("POST", &ann, &["4d1f", "4d1f"], "{}").await, "two ids");
        // It is not taken over by a server that answers another client with the same id.
        let answer = send("POST", &bob, &[], r#"{"method":"initialize"}"#).await;
        assert_eq!(answer.status, 200, "{server}");
        is_unknown(send("POST", &bob, &["4d1f"], "{}").await, "taken over");
        assert_eq!(send("DELETE", &ann, &["4d1f"], "").await.status, 200, "{server}");
        is_unknown(send("POST", &ann, &["4d1f"], "{}").await, "after its end");
    }
}

/// One identity cannot end the sessions of another one by creating many.
#[test]
fn sessions_are_bounded_and_shared_fairly() {
    use auth0_axum::auth0_core::{
        adapter::{Connection, HeaderLines, HttpParts},
        mcp::McpSessions,
    };
    struct Sent(String);
    impl HttpParts for Sent {
        fn method(&self) -> &str {
            "POST"
        }
        fn path(&self) -> &str {
            "/"
        }
        fn scheme(&self) -> Option<&str> {
            None
        }
        fn authority(&self) -> Option<&str> {
            None
        }
        fn header(&self, name: &str) -> HeaderLines<'_> {
            HeaderLines::of((name == "mcp-session-id").then_some(self.0.as_bytes()))
        }
        fn connection(&self) -> Connection {
            Connection::new()
        }
    }
    let tenant = Tenant::new();
    let of = |number: usize| tenant.token().subject(&format!("auth0|{number}")).verified();
    let all: Vec<_> = (0..30).map(of).collect();
    let sessions = McpSessions::new(20);
    let knows = |who: usize, id: &str| sessions.check(Some(&all[who]), &Sent(id.into())).is_ok();
    sessions.created(Some(&all[0]), b"first");
    for number in 0..1000 {
        sessions.created(Some(&all[1]), format!("of-1-{number}").as_bytes());
    }
    assert_eq!(sessions.len(), 3, "two are the share of one identity");
    assert!(knows(0, "first") && knows(1, "of-1-999") && !knows(1, "of-1-997"));
    for (who, token) in all.iter().enumerate().skip(2) {
        assert!(knows(0, "first"), "it is used");
        sessions.created(Some(token), format!("of-{who}").as_bytes());
        assert!(sessions.len() <= 20);
    }
    assert!(!knows(1, "of-1-999"), "it was not used for the longest time");
}
