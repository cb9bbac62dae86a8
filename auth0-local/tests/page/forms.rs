//! What the forms do.
use crate::{
    common::get,
    kit::{EVIL, minted, send},
};
use auth0_local::{Client, LocalTenant, User};

#[tokio::test]
async fn tokens_and_proofs_are_minted_and_inspected() {
    let tenant = LocalTenant::start().await.unwrap();
    let auth = tenant.tenant().auth0();
    let fields = [
        ("action", "token"),
        ("audience", tenant.audience()),
        ("scope", "read:messages"),
        ("permissions", "a:b c:d"),
        ("subject", "auth0|ann"),
        ("organization", "org_1:acme"),
        ("expires_in", "60"),
        ("claims", "{\"plan\":\"pro\"}"),
        ("url", "http://127.0.0.1:3000/it's"),
    ];
    let (status, page) = send(&tenant, &fields).await;
    assert_eq!(status, 200);
    let token = auth.verify(minted(&page, "minted-token")).await.unwrap();
    assert_eq!((token.subject(), token.scope()), ("auth0|ann", Some("read:messages")));
    assert!(token.has_permission("c:d") && token.organization().unwrap().id() == "org_1");
    assert_eq!(token.claim::<String>("plan").unwrap().as_deref(), Some("pro"));
    assert!(
        minted(&page, "minted-send")
            .ends_with("&#39;http://127.0.0.1:3000/it&#39;\\&#39;&#39;s&#39;")
    );
    assert!(
        minted(&page, "minted-again")
            .contains("/__local/token&#39; -H accept:text/plain -d &#39;{")
    );

    let token = minted(&page, "minted-token").to_owned();
    let look = |more: &[(&'static str, &'static str)]| {
        let mut fields = vec![("action", "inspect"), ("pasted", token.as_str())];
        fields.extend(more.iter().copied());
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect::<Vec<_>>()
    };
    for (more, status, shown) in [
        (&[][..], 200, "No check as an access token fails, and some were not made"),
        (&[("audience", "https://api.local.test")], 200, "Accepted as an access token"),
        (&[("audience", "https://other.test")], 200, "401 audience_mismatch"),
        (&[("requirement", "scope(\"b\")")], 200, "403 insufficient_scope"),
        (&[("requirement", "scope(b)")], 400, "the requirement cannot be read"),
        (&[("kind", "logout-token")], 200, "Refused as a logout token"),
        (&[("kind", "proof")], 200, "Refused as a DPoP proof"),
        (&[("pasted", "")], 200, "No check as"),
        (&[("url", "/me")], 400, "Write the whole URL"),
    ] {
        let fields = look(more);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (&**a, &**b)).collect();
        let (found, page) = send(&tenant, &fields).await;
        assert!(found == status && page.contains(shown), "{more:?}: {found} {page}");
    }
    let (status, page) = send(&tenant, &[("action", "inspect"), ("pasted", "hello")]).await;
    assert!(status == 400 && page.contains("an opaque text"), "{page}");

    for (name, value, sentence) in [
        ("organization", "acme", "Write it as org_abc"),
        ("claims", "[1]", "the claims are no JSON object"),
        ("expires_in", "soon", "no number of seconds"),
        ("expires_in", "99999999999", "is too long"),
        ("url", "/me", "Write the whole URL"),
    ] {
        let mut fields = vec![("action", "token"), ("url", "http://127.0.0.1:3000/")];
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        let (status, page) = send(&tenant, &fields).await;
        assert!(status == 400 && page.contains(sentence), "{name}: {page}");
        assert!(!page.contains("minted-token"), "{name}");
    }

    let url = "http://127.0.0.1:3000/api";
    let bound = [("action", "token"), ("bound", "yes"), ("url", url)];
    let (_, page) = send(&tenant, &bound).await;
    assert!(minted(&page, "minted-send").contains("-H &#39;DPoP: eyJ"), "{page}");
    let token = minted(&page, "minted-token").to_owned();
    let fields =
        [("action", "proof"), ("method", "POST"), ("url", url), ("token", &token), ("nonce", "n")];
    let (_, page) = send(&tenant, &fields).await;
    let proof = minted(&page, "minted-proof").to_owned();
    let audience = tenant.audience();
    for (method, shown) in
        [("POST", "Accepted as an access token"), ("GET", "401 dpop_proof_invalid")]
    {
        let fields = [
            ("action", "inspect"),
            ("pasted", &*token),
            ("audience", audience),
            ("proof", &proof),
            ("method", method),
            ("url", url),
        ];
        let (_, page) = send(&tenant, &fields).await;
        assert!(page.contains(shown), "{method}: {page}");
    }
}

#[tokio::test]
async fn drills_are_those_of_the_commands() {
    let client =
        Client::confidential("web", "secret").backchannel_logout_url("http://127.0.0.1:9/out");
    let tenant =
        LocalTenant::builder().user(User::new("auth0|ann")).client(client).start().await.unwrap();
    let (_, page) = send(&tenant, &[("action", "rotate")]).await;
    let ids = tenant.tenant().key_ids();
    assert!(ids.len() == 2 && page.contains(&ids[0]) && page.contains(&ids[1]), "{page}");
    send(&tenant, &[("action", "withdraw")]).await;
    assert_eq!(tenant.tenant().key_ids(), ids[..1]);

    let (status, _) =
        send(&tenant, &[("action", "fault"), ("endpoint", "jwks"), ("fault", "503")]).await;
    assert_eq!(
        (status, get(&tenant, ".well-known/jwks.json").send().await.unwrap().status().as_u16()),
        (200, 503)
    );
    for (endpoint, fault) in [("keys", "500"), ("jwks", "lazy"), ("jwks", ""), ("", "500")] {
        let (status, _) =
            send(&tenant, &[("action", "fault"), ("endpoint", endpoint), ("fault", fault)]).await;
        assert_eq!(status, 400, "{endpoint} {fault}");
    }
    send(&tenant, &[("action", "clear-faults")]).await;
    assert_eq!(get(&tenant, ".well-known/jwks.json").send().await.unwrap().status(), 200);

    let (_, page) = send(&tenant, &[("action", "block"), ("user", "auth0|ann")]).await;
    assert!(page.contains("auth0|ann is blocked") && page.contains(">Unblock</button>"), "{page}");
    let (_, page) = send(&tenant, &[("action", "unblock"), ("user", "auth0|ann")]).await;
    assert!(page.contains(">Block</button>"), "{page}");
    let (_, page) = send(&tenant, &[("action", "logout"), ("user", "auth0|ann")]).await;
    assert!(
        page.contains("auth0|ann is logged out. web http://127.0.0.1:9/out: no connection"),
        "{page}"
    );
    for action in ["block", "unblock", "logout"] {
        for user in ["auth0|nobody", "", EVIL] {
            let (status, page) = send(&tenant, &[("action", action), ("user", user)]).await;
            assert!(
                status == 400 && page.contains("the tenant has no user"),
                "{action} {user}: {page}"
            );
            assert!(!page.contains("<img"), "{page}");
        }
    }
}
