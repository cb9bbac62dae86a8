//! DPoP at `POST /oauth/token`, and bound tokens of `POST /__local/token`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests are tests"
)]
mod common;

use auth0_core::{Algorithm, dpop::DpopNonces};
use auth0_local::LocalTenant;
use auth0_testing::{ProofBuilder, SigningKey};
use common::{answer, get, post};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const FORM: &str = "application/x-www-form-urlencoded";
const BODY: &str = "grant_type=client_credentials&client_id=a&client_secret=b&audience=c";

/// A response of the token endpoint, which may have a nonce.
struct Response {
    status: u16,
    nonce: Option<String>,
    json: Value,
}

impl Response {
    /// Returns the status, the error and its description.
    fn refusal(&self) -> (u16, &str, &str) {
        let text = |name: &str| self.json[name].as_str().unwrap_or_default();
        (self.status, text("error"), text("error_description"))
    }
}

async fn ask_with(tenant: &LocalTenant, body: &str, proofs: &[&str]) -> Response {
    let request = post(tenant, "oauth/token").header("content-type", FORM).body(body.to_owned());
    let request = proofs.iter().fold(request, |request, proof| request.header("dpop", *proof));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let nonce = response.headers().get("dpop-nonce").map(|it| it.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    Response {
        status,
        nonce,
        json: serde_json::from_slice(&response.bytes().await.unwrap()).unwrap(),
    }
}

async fn ask(tenant: &LocalTenant, proofs: &[&str]) -> Response {
    ask_with(tenant, BODY, proofs).await
}

fn proof(tenant: &LocalTenant) -> ProofBuilder {
    tenant.tenant().proof("POST", &format!("{}oauth/token", tenant.issuer()))
}

/// Returns the payload without verifying it, which other tests do.
fn payload(token: &str) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_proof_binds_the_token_to_its_key() {
    let tenant = LocalTenant::start().await.unwrap();
    let url = format!("{}oauth/token", tenant.issuer());
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let proof = ProofBuilder::new(&key, "POST", &url, SystemTime::now()).mint();
        let response = ask(&tenant, &[&proof]).await;
        assert_eq!(response.status, 200, "{algorithm}: {}", response.json);
        assert_eq!((&response.json["token_type"], &response.nonce), (&json!("DPoP"), &None));
        let claims = payload(response.json["access_token"].as_str().unwrap());
        assert_eq!(claims["cnf"], json!({ "jkt": key.thumbprint() }), "{algorithm}");
        assert_eq!(claims["sub"], "a@clients");
    }
    let without = ask(&tenant, &[]).await;
    assert_eq!((without.status, &without.json["token_type"]), (200, &json!("Bearer")));
    assert!(payload(without.json["access_token"].as_str().unwrap()).get("cnf").is_none());

    let metadata = get(&tenant, ".well-known/openid-configuration").send().await.unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.bytes().await.unwrap()).unwrap();
    let names = Algorithm::ALL.map(Algorithm::as_str);
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(names));
}

#[tokio::test]
async fn invalid_proofs() {
    let tenant = LocalTenant::start().await.unwrap();
    let good = || proof(&tenant);
    let url = |url: &str| good().claim("htu", url).mint();
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    let localhost = tenant.issuer().replace("127.0.0.1", "localhost");
    for (name, proof, sentence) in [
        ("empty", String::new(), "not a compact JWS"),
        ("garbage", "garbage".into(), "not a compact JWS"),
        ("an access token", tenant.token().mint(), "its typ is"),
        (
            "htm",
            good().claim("htm", "GET").mint(),
            "htm is \"GET\"; expected the method of the request, \"POST\"",
        ),
        (
            "htu",
            url("https://tenant.test/oauth/token"),
            "expected the URL of the request, \"http://127.0.0.1:",
        ),
        (
            "htu of the issuer",
            url(tenant.issuer()),
            "expected the URL of the request, \"http://127.0.0.1:",
        ),
        (
            "htu of another name",
            url(&format!("{localhost}oauth/token")),
            "expected the URL of the request, \"http://127",
        ),
        (
            "iat long ago",
            good().aged(Duration::from_secs(600)).mint(),
            " s old; expected at most 300 s",
        ),
        ("iat ahead", good().ahead(Duration::from_secs(60)).mint(), "s ahead"),
        ("no jti", good().without("jti").mint(), "jti is missing"),
        ("typ", good().header("typ", "JWT").mint(), "its typ is"),
        ("no jwk", good().without_header("jwk").mint(), "no jwk"),
        ("alg none", good().unsigned().mint(), "the alg \"none\" is not accepted"),
        ("alg HS256", good().symmetric().mint(), "the alg \"HS256\" is not accepted"),
        ("signature", good().broken_signature().mint(), "the signature does not verify"),
        ("another key's", good().signed_by(&other).mint(), "the signature does not verify"),
    ] {
        let response = ask(&tenant, &[&proof]).await;
        let (status, error, description) = response.refusal();
        assert_eq!((status, error), (400, "invalid_dpop_proof"), "{name}: {description}");
        assert!(description.contains(sentence), "{name}: {description}");
        assert!(description.ends_with("Make a new one for this request"), "{name}: {description}");
        assert_eq!(response.nonce, None, "{name}");
    }

    let [one, two] = [good().mint(), good().mint()];
    let both = ask(&tenant, &[&one, &two]).await;
    assert_eq!(
        both.refusal(),
        (400, "invalid_request", "there is more than one DPoP header. Send one proof")
    );

    // Other errors are reported first, and leave the proof unused.
    let bad = ask_with(&tenant, &format!("{BODY}&organization=acme"), &[&one]).await;
    assert_eq!((bad.status, bad.refusal().1), (400, "invalid_request"));
    let bad = ask_with(&tenant, "grant_type=client_credentials&audience=c", &["garbage"]).await;
    assert_eq!(bad.refusal().1, "invalid_client");
    assert_eq!(ask(&tenant, &[&one]).await.status, 200);
    let replayed = ask(&tenant, &[&one]).await;
    let (status, error, description) = replayed.refusal();
    assert_eq!((status, error), (400, "invalid_dpop_proof"));
    assert!(description.contains("was used before"), "{description}");
}

#[tokio::test]
async fn a_nonce_if_it_is_required() {
    let nonces = DpopNonces::per_process().lifetime(Duration::from_secs(60));
    let tenant = LocalTenant::builder().dpop_nonces(nonces).start().await.unwrap();
    let first = ask(&tenant, &[&proof(&tenant).mint()]).await;
    assert_eq!((first.status, first.refusal().1), (400, "use_dpop_nonce"));
    let nonce = first.nonce.unwrap();
    let proof = || proof(&tenant).nonce(&nonce);
    let response = ask(&tenant, &[&proof().mint()]).await;
    assert_eq!(
        (response.status, &response.json["token_type"]),
        (200, &json!("DPoP")),
        "{}",
        response.json
    );
    let made_up = ask(&tenant, &[&proof().nonce("made-up").mint()]).await;
    assert_eq!((made_up.status, made_up.refusal().1), (400, "use_dpop_nonce"));
    let wrong = ask(&tenant, &[&proof().broken_signature().mint()]).await;
    assert_eq!((wrong.refusal().1, &wrong.nonce), ("invalid_dpop_proof", &None));

    tenant.tenant().clock().advance(Duration::from_secs(120));
    let stale = ask(&tenant, &[&proof().mint()]).await;
    assert_eq!((stale.status, stale.refusal().1), (400, "use_dpop_nonce"));
    assert_ne!(stale.nonce.unwrap(), nonce);
    // A request for an unbound token needs no nonce.
    assert_eq!(ask(&tenant, &[]).await.status, 200);

    let nonces = DpopNonces::with_secret("short");
    let error = LocalTenant::builder().dpop_nonces(nonces).start().await.unwrap_err();
    assert!(error.to_string().contains("has 5 bytes. Use at least 32 "), "{error}");
}

#[tokio::test]
async fn bound_tokens_are_minted() {
    let tenant = LocalTenant::start().await.unwrap();
    let mint = async |body: Value| {
        let json = "application/json";
        answer(post(&tenant, "__local/token").header("content-type", json).body(body.to_string()))
            .await
    };
    for (body, cnf) in [
        (json!({ "jkt": "abc" }), json!({ "jkt": "abc" })),
        // SHA-256 of "abc", FIPS 180-4.
        (
            json!({ "certificate": "YWJj" }),
            json!({ "x5t#S256": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" }),
        ),
        (
            json!({ "jkt": "abc", "certificate": "YWJj" }),
            json!({ "jkt": "abc", "x5t#S256": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" }),
        ),
        (json!({ "jkt": "abc", "claims": { "cnf": 1 } }), json!(1)),
    ] {
        let answer = mint(body.clone()).await;
        assert_eq!((answer.status, &answer.json["token_type"]), (200, &json!("DPoP")), "{body}");
        assert_eq!(payload(answer.json["access_token"].as_str().unwrap())["cnf"], cnf, "{body}");
    }
    let refused = mint(json!({ "certificate": "-----BEGIN" })).await;
    let description = refused.json["error_description"].as_str().unwrap();
    assert!(refused.status == 400 && description.contains("is not base64"), "{description}");
}
