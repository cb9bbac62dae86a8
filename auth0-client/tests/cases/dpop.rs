//! DPoP: proofs at the token endpoint and for APIs, nonces, and no downgrade.
use crate::kit::{API, Answer, EC_PEM, EPOCH, Server, part, run};
use auth0_client::{Client, ErrorKind, ProofKey};
use auth0_core::time::Clock;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::collections::BTreeSet;

fn client(server: &Server) -> Client {
    let key = ProofKey::from_pem(EC_PEM).unwrap();
    server.builder().client_secret("s").dpop(key).build().unwrap()
}

fn bound(text: &str) -> Answer {
    Answer::json(
        200,
        &format!(r#"{{"access_token":"{text}","token_type":"DPoP","expires_in":600}}"#),
    )
}

fn nonce(value: &str) -> Answer {
    let body = r#"{"error":"use_dpop_nonce","error_description":"Authorization server requires nonce in DPoP proof"}"#;
    Answer::json(400, body).with("dpop-nonce", value)
}

#[tokio::test]
async fn one_repetition_with_the_nonce() {
    let server = Server::answering([nonce("n1"), bound("a").with("dpop-nonce", "n2")]);
    let client = client(&server);
    let orders = client.machine(API).build().unwrap();
    assert!(orders.token().await.unwrap().is_dpop());
    server.queue([bound("b")]);
    client.machine("https://other.acme.com").build().unwrap().token().await.unwrap();
    let seen = server.seen();
    let proofs: Vec<_> = seen.iter().map(|seen| seen.header("dpop").to_owned()).collect();
    let claims: Vec<_> = proofs.iter().map(|proof| part(proof, 1)).collect();
    assert_eq!(claims[0].get("nonce"), None);
    assert_eq!((&claims[1]["nonce"], &claims[2]["nonce"]), (&"n1".into(), &"n2".into()));
    let ids: BTreeSet<_> = claims.iter().map(|claims| claims["jti"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    for (proof, claims) in proofs.iter().zip(&claims) {
        assert_eq!(claims["htm"], "POST");
        assert_eq!(claims["htu"], "https://acme.eu.auth0.com/oauth/token");
        assert_eq!(claims["iat"], EPOCH.as_secs());
        assert_eq!(claims.get("ath"), None);
        let header = part(proof, 0);
        assert_eq!((&header["typ"], &header["alg"]), (&"dpop+jwt".into(), &"ES256".into()));
        assert_eq!(header["jwk"].as_object().unwrap().len(), 4, "no private part");
    }
}

#[tokio::test]
async fn a_server_that_always_wants_another_nonce() {
    let server = Server::new();
    server.respond(|_, number| nonce(&format!("n{number}")));
    let error =
        run(&server, client(&server).machine(API).build().unwrap().token()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Misconfigured, Some("use_dpop_nonce")));
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn nonces_that_cannot_be_one_are_not_sent() {
    for value in ["", "a b", "a\"b", "ä", &"x".repeat(2000)] {
        let server = Server::answering([nonce(value), bound("a")]);
        let result = run(&server, client(&server).machine(API).build().unwrap().token()).await;
        assert!(result.is_ok());
        assert_eq!(part(server.last().header("dpop"), 1).get("nonce"), None);
    }
}

#[tokio::test]
async fn a_bearer_token_is_refused() {
    let server = Server::new();
    let error = client(&server).machine(API).build().unwrap().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert!(error.to_string().contains("AUTH0_CLIENT_DPOP"), "{error}");
    // And a bound one that this client did not ask for.
    let server = Server::answering([bound("a")]);
    let error = server.client().machine(API).build().unwrap().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[tokio::test]
async fn headers_of_a_request() {
    let server = Server::answering([bound("abc")]);
    let client = client(&server);
    let token = client.machine(API).build().unwrap().token().await.unwrap();
    let url = "https://orders.acme.com:443/a/b?c=d#e";
    let headers = token.headers_for("PATCH", url).unwrap();
    assert_eq!(headers["authorization"], "DPoP abc");
    assert!(headers.values().all(http::HeaderValue::is_sensitive));
    let claims = part(headers["dpop"].to_str().unwrap(), 1);
    assert_eq!(
        (&claims["htm"], &claims["htu"]),
        (&"PATCH".into(), &"https://orders.acme.com/a/b".into())
    );
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"abc");
    assert_eq!(claims["ath"], URL_SAFE_NO_PAD.encode(hash));
    // Nonces are those of an origin.
    token.keep_nonce("https://orders.acme.com/x", "n1");
    let nonce_for = |url: &str| {
        let headers = token.headers_for("GET", url).unwrap();
        part(headers["dpop"].to_str().unwrap(), 1).get("nonce").cloned()
    };
    assert_eq!(nonce_for("https://orders.acme.com/z"), Some("n1".into()));
    assert_eq!(nonce_for("https://orders.acme.com:8443/z"), None);
    assert_eq!(nonce_for("http://orders.acme.com/z"), None);
    for url in ["", "/a", "orders.acme.com/a", "ftp://a/"] {
        assert_eq!(token.headers_for("GET", url).unwrap_err().kind(), ErrorKind::Misconfigured);
    }
    for number in 0..1000 {
        token.keep_nonce(&format!("https://{number}.acme.com/"), "n");
    }
    assert_eq!(nonce_for("https://999.acme.com/"), Some("n".into()));
}

#[test]
fn keys() {
    let shared = ProofKey::from_pem(EC_PEM).unwrap();
    assert_eq!(shared.thumbprint(), ProofKey::from_pem(EC_PEM).unwrap().thumbprint());
    assert_ne!(shared.thumbprint(), ProofKey::generate().unwrap().thumbprint());
    ProofKey::from_pem(include_str!("keys/p256-sec1.pem")).unwrap();
    for pem in [
        "",
        "x",
        include_str!("keys/rsa.pem"),
        include_str!("keys/p384.pem"),
        include_str!("keys/rsa-public.pem"),
    ] {
        let error = ProofKey::from_pem(pem).unwrap_err().to_string();
        assert!(error.contains("P-256"), "{error}");
    }
}

/// What the client sends is what an API of ours accepts, in mode `required`.
#[tokio::test]
async fn an_api_of_ours_accepts_the_proof() {
    use auth0_core::{
        Dpop,
        adapter::{HeaderLines, RequestParts},
    };
    let key = ProofKey::from_pem(EC_PEM).unwrap();
    let tenant = auth0_testing::Tenant::new();
    let auth = tenant.builder().dpop(Dpop::required()).build().unwrap();
    let confirmation = serde_json::json!({ "jkt": key.thumbprint() });
    let encoded = tenant.token().claim("cnf", confirmation).mint();
    let server = Server::answering([bound(&encoded)]);
    // The proof has the time of the tenant.
    server.clock.set_back(EPOCH - tenant.clock().unix_time());
    let client = server.builder().client_secret("s").dpop(key).build().unwrap();
    let token = client.machine(API).build().unwrap().token().await.unwrap();
    let accepts = async |url: &str, path: &str| {
        let headers = token.headers_for("GET", url).unwrap();
        let lines = |name: &str| match headers.get(name) {
            Some(value) => HeaderLines::One(value.as_bytes()),
            None => HeaderLines::Absent,
        };
        let request = RequestParts::new("GET", path, &lines)
            .scheme(Some("https"))
            .authority(Some("api.tenant.test"));
        auth.authenticate(&request.view()).await
    };
    let token = accepts("https://api.tenant.test/me?x=y", "/me").await.unwrap();
    assert!(token.confirmation().unwrap().is_some());
    let error = accepts("https://api.tenant.test/me", "/other").await.unwrap_err();
    assert_eq!(error.code().as_str(), "dpop_proof_invalid");
}
