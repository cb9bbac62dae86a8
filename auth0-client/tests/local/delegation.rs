//! On behalf of the caller.
use crate::kit::{
    API, DOWN, FAR, SECOND, TOKEN_EXCHANGE, acme, advance, builder, claims, client, token_of,
};
use auth0_client::{Client, Delegation, ErrorKind, ProofKey};
use auth0_core::{
    Auth0, Dpop,
    adapter::{Connection, HeaderLines, HttpParts, RequestView},
};
use serde_json::json;
use std::time::UNIX_EPOCH;

fn delegation(client: &Client) -> Delegation {
    client.delegation(DOWN).scopes(["read:a"]).build().unwrap()
}

#[tokio::test]
async fn two_users_at_once() {
    let tenant = acme().start().await.unwrap();
    let down = delegation(&client(&tenant, "api"));
    let (ann, bob) = (token_of(&tenant, "auth0|ann"), token_of(&tenant, "auth0|bob"));
    for round in 0..20 {
        let (of_ann, of_bob) = (down.on_behalf_of(&ann), down.on_behalf_of(&bob));
        let (of_ann, of_bob) = tokio::join!(of_ann.token(), of_bob.token());
        let (of_ann, of_bob) = (of_ann.unwrap(), of_bob.unwrap());
        for (token, user) in [(&of_ann, "auth0|ann"), (&of_bob, "auth0|bob")] {
            let payload = claims(&tenant, token.encoded());
            assert_eq!(payload["sub"], user);
            assert_eq!((&payload["aud"], &payload["scope"]), (&json!(DOWN), &json!("read:a")));
            assert_eq!(payload["act"], json!({ "sub": "api", "act": { "sub": "spa" } }));
        }
        assert_eq!(tenant.token_requests().of(TOKEN_EXCHANGE), 2, "round {round}");
    }
}

/// spa → api → down → far: the chain has four clients. A fifth is too many.
#[tokio::test]
async fn a_chain_of_services() {
    let tenant = acme().start().await.unwrap();
    let hops = [("api", DOWN), ("down", FAR), ("far", API)];
    let mut subject = token_of(&tenant, "auth0|ann");
    let mut chain = json!({ "sub": "spa" });
    for (id, audience) in hops {
        let client = client(&tenant, id);
        let token = client.delegation(audience).build().unwrap().on_behalf_of(&subject).await;
        subject = token.unwrap().encoded().to_owned();
        chain = json!({ "sub": id, "act": chain });
        let payload = claims(&tenant, &subject);
        assert_eq!((&payload["act"], &payload["sub"]), (&chain, &json!("auth0|ann")));
    }
    let source = client(&tenant, "api").delegation(DOWN).build().unwrap().on_behalf_of(&subject);
    let error = source.await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Denied, Some(400)), "{error}");
    assert_eq!(error.code(), Some("invalid_request"));
    assert!(error.description().unwrap().contains("limit of 4"));
    assert_eq!(error.reply().status(), 403);
}

#[tokio::test]
async fn the_subject_token_ends_the_new_one() {
    let tenant = acme().start().await.unwrap();
    let down = delegation(&client(&tenant, "api"));
    let caller = tenant.token().client("spa").subject("auth0|ann").expires_in(30 * SECOND).mint();
    let exp = claims(&tenant, &caller)["exp"].as_u64().unwrap();
    let source = down.on_behalf_of(&caller);
    let token = source.token().await.unwrap();
    let end = token.expires_at().unwrap().duration_since(UNIX_EPOCH).unwrap();
    assert_eq!(end.as_secs(), exp, "that of the subject token, not a day");
    advance(&tenant, 31 * SECOND);
    let error = source.token().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::InvalidGrant, Some(401)), "{error}");
    assert_eq!(tenant.token_requests().total(), 2);

    // The challenge of a caller whose verifier is not known is that of a verifier by default.
    let reply = down.on_behalf_of(&caller).token().await.unwrap_err().reply();
    let challenges: Vec<_> = reply
        .headers()
        .filter(|(name, _)| *name == "www-authenticate")
        .map(|(_, line)| line)
        .collect();
    let [bearer, dpop] = challenges[..] else { panic!("{challenges:?}") };
    assert!(bearer.starts_with("Bearer error=\"invalid_token\""), "{bearer}");
    assert_eq!(dpop, "DPoP algs=\"ES256\"");
}

#[tokio::test]
async fn refusals_of_an_exchange() {
    let tenant = acme().start().await.unwrap();
    let caller = token_of(&tenant, "auth0|ann");
    let other = tenant.token().audience("https://other.test").mint();
    let with = |id: &str, api: &str| client(&tenant, id).delegation(api).build().unwrap();
    for (delegation, subject, kind, status) in [
        (with("api", DOWN), "opaque", ErrorKind::InvalidGrant, 401),
        (with("api", DOWN), "a.b.c", ErrorKind::InvalidGrant, 401),
        (with("api", DOWN), &other, ErrorKind::InvalidGrant, 401),
        // A client of another API.
        (with("down", FAR), &caller, ErrorKind::InvalidGrant, 401),
        // Not the client of an API.
        (with("service", DOWN), &caller, ErrorKind::InvalidClient, 502),
        (with("api", "https://unknown.test"), &caller, ErrorKind::Denied, 403),
    ] {
        let error = delegation.on_behalf_of(subject).token().await.unwrap_err();
        assert_eq!((error.kind(), error.reply().status()), (kind, status), "{error}");
        assert!(!format!("{error:?}").contains(subject), "no token in the log");
    }
    // A refusal of one caller does not hold back another.
    with("api", DOWN).on_behalf_of(&caller).token().await.unwrap();
    let before = tenant.token_requests().total();
    for subject in ["", " a", "a ", "Bearer a", "bearer a"] {
        let error = with("api", DOWN).on_behalf_of(subject).token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{subject:?}");
    }
    assert_eq!(tenant.token_requests().total(), before, "nothing is sent");
}

/// What the client sends is what our own verifier accepts.
#[tokio::test]
async fn a_bound_token_passes_a_verifier_that_requires_proofs() {
    let tenant = acme().start().await.unwrap();
    let key = ProofKey::generate().unwrap();
    let api = builder(&tenant, "api").client_secret(crate::kit::SECRET).dpop(key.clone());
    let down = delegation(&api.build().unwrap());
    let auth = Auth0::builder()
        .issuer(tenant.issuer())
        .audience(DOWN)
        .clock(tenant.tenant().clock().clone())
        .public_url(DOWN)
        .dpop(Dpop::required())
        .build()
        .unwrap();
    for user in ["auth0|ann", "auth0|bob"] {
        let token = down.on_behalf_of(&token_of(&tenant, user)).await.unwrap();
        assert!(token.is_dpop());
        assert_eq!(claims(&tenant, token.encoded())["cnf"], json!({ "jkt": key.thumbprint() }));
        for path in ["/a", "/a?b=c#d", "/%C3%A9/"] {
            let verified = pass(&auth, &token, "POST", path).await;
            assert_eq!(verified.unwrap(), user, "{path}");
        }
        // The proof is for one request.
        let headers = token.headers_for("POST", &format!("{DOWN}/a")).unwrap();
        let other = Target { method: "GET", path: "/a".into() };
        assert!(verify(&auth, &headers, &other).await.is_err());
    }
}

async fn pass(
    auth: &Auth0,
    token: &auth0_client::Token,
    method: &'static str,
    path: &str,
) -> Result<String, auth0_core::Error> {
    let headers = token.headers_for(method, &format!("{DOWN}{path}")).unwrap();
    let path = path.split(['?', '#']).next().unwrap();
    verify(auth, &headers, &Target { method, path: path.to_owned() }).await
}

async fn verify(
    auth: &Auth0,
    headers: &http::HeaderMap,
    target: &Target,
) -> Result<String, auth0_core::Error> {
    let request = RequestView::new()
        .authorization([headers["authorization"].as_bytes()])
        .proof([headers["dpop"].as_bytes()])
        .parts(target);
    Ok(auth.authenticate(&request).await?.subject().to_owned())
}

/// A request to a service with a configured URL.
struct Target {
    method: &'static str,
    path: String,
}

impl HttpParts for Target {
    fn method(&self) -> &str {
        self.method
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn scheme(&self) -> Option<&str> {
        None
    }
    fn authority(&self) -> Option<&str> {
        None
    }
    fn header(&self, _: &str) -> HeaderLines<'_> {
        HeaderLines::Absent
    }
    fn connection(&self) -> Connection {
        Connection::new()
    }
}

#[tokio::test]
async fn a_forgotten_token_is_replaced_once() {
    let tenant = acme().start().await.unwrap();
    let down = delegation(&client(&tenant, "api"));
    let caller = token_of(&tenant, "auth0|ann");
    let token = down.on_behalf_of(&caller).token().await.unwrap();
    // Another source of the same token.
    let source = down.on_behalf_of(&caller);
    assert!(source.forget(&token));
    advance(&tenant, SECOND); // tokens of the same second are equal
    let second = source.token().await.unwrap();
    assert_ne!(second.encoded(), token.encoded());
    assert_eq!(down.on_behalf_of(&caller).token().await.unwrap().encoded(), second.encoded());
    assert!(!source.forget(&second), "the cause is another one");
    assert_eq!(tenant.token_requests().total(), 2);
}
