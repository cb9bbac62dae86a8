use crate::kit::{Answer, claims, client, start, url};
use auth0_local::LocalTenant;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::time::Duration;

async fn mint(tenant: &LocalTenant, body: &Value) -> Answer {
    let request = client().post(url(tenant, "__local/logout-token")).body(body.to_string());
    Answer::of(request.send().await.unwrap()).await
}

fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_is_wrong_in_one_way() {
    let tenant = start().await;
    let good = || tenant.logout_token("web").session_id("s1");
    let before = claims(&tenant, &good().mint());
    assert_eq!((&before["sub"], &before["sid"]), (&json!("auth0|ann"), &json!("s1")));
    assert_ne!(before["jti"], claims(&tenant, &good().mint())["jti"]);
    let now = before["iat"].as_u64().unwrap();
    for (token, claim, value) in [
        (good().subject("auth0|bob"), "sub", json!("auth0|bob")),
        (good().without_subject(), "sub", Value::Null),
        (good().without_session_id(), "sid", Value::Null),
        (good().issuer("http://other.test/"), "iss", json!("http://other.test/")),
        (good().expires_in(Duration::from_secs(7)), "exp", json!(now + 7)),
        (good().aged(Duration::from_secs(60)), "exp", json!(now + 60)),
        (good().expired(), "exp", json!(now - 3600 + 120)),
        (good().expired(), "iat", json!(now - 3600)),
        (good().aged(Duration::MAX), "iat", json!(0)),
        (good().claim("nonce", "n"), "nonce", json!("n")),
        (good().claim("events", json!([])), "events", json!([])),
        (good().without_claim("jti"), "jti", Value::Null),
    ] {
        let changed = claims(&tenant, &token.mint());
        assert_eq!(changed.get(claim).unwrap_or(&Value::Null), &value, "{claim}");
    }
    assert_eq!(header(&good().typ("logout+jwt").mint())["typ"], "logout+jwt");
    assert_eq!(header(&good().without_typ().mint()).get("typ"), None);
    assert_eq!(header(&good().header("x", 1).mint())["x"], 1);
    assert_eq!(header(&good().without_header("kid").mint()).get("kid"), None);
    assert_eq!(header(&good().unsigned().mint())["alg"], "none");
    let key = tenant.tenant().unknown_key();
    for forged in [good().broken_signature(), good().signed_by(&key), good().unsigned()] {
        assert_eq!(tenant.tenant().signed_claims(&forged.mint()), None);
    }
}

#[tokio::test]
async fn a_token_over_http() {
    let tenant = start().await;
    let answer = mint(&tenant, &json!({ "client_id": "web" })).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let good = claims(&tenant, &answer.text("logout_token"));
    assert_eq!((&good["aud"], &good["sub"]), (&json!("web"), &json!("auth0|ann")));
    let now = good["iat"].as_u64().unwrap();
    for (change, claim, value) in [
        (json!({ "user": "auth0|bob" }), "sub", json!("auth0|bob")),
        (json!({ "sid": "s1" }), "sid", json!("s1")),
        (json!({ "expired": true }), "exp", json!(now - 3480)),
        (json!({ "expires_in": 4_294_967_295_u32 }), "exp", json!(now + 4_294_967_295)),
        (json!({ "claims": { "nonce": null } }), "nonce", Value::Null),
        (json!({ "claims": { "aud": ["web", "spa"] } }), "aud", json!(["web", "spa"])),
    ] {
        let mut body = change.clone();
        body["client_id"] = json!("web");
        let token = mint(&tenant, &body).await.text("logout_token");
        let changed = claims(&tenant, &token);
        match value.as_u64() {
            // Other seconds may have begun.
            Some(time) => {
                let late = changed[claim].as_u64().unwrap() - time;
                assert!(late < 60, "{change}: {late}");
            }
            None => assert_eq!(changed.get(claim), Some(&value), "{change}"),
        }
    }
    let body = json!({
        "client_id": "web", "typ": "logout+jwt", "headers": { "x": 1 }, "without_headers": ["kid"],
        "without": ["sub", "events"], "unsigned": true,
    });
    let token = mint(&tenant, &body).await.text("logout_token");
    assert_eq!(header(&token), json!({ "alg": "none", "typ": "logout+jwt", "x": 1 }));
    let body = json!({ "client_id": "web", "broken_signature": true });
    let broken = mint(&tenant, &body).await.text("logout_token");
    assert_eq!(tenant.tenant().signed_claims(&broken), None);

    let request =
        client().post(url(&tenant, "__local/logout-token")).body("{\"client_id\":\"web\"}");
    let plain = Answer::of(request.header("accept", "text/plain").send().await.unwrap()).await;
    assert_eq!(claims(&tenant, &plain.body)["aud"], "web");
    for bad in [
        json!({}),
        json!({ "client_id": 1 }),
        json!({ "client_id": "web", "expires_in": -1 }),
        json!({ "client_id": "web", "expires_in": 4_294_967_296_u64 }),
        json!({ "client_id": "web", "claims": [] }),
        json!({ "client_id": "web", "without": "sub" }),
        json!({ "client_id": "web", "other": 1 }),
        json!(["web"]),
    ] {
        let refused = mint(&tenant, &bad).await;
        assert_eq!((refused.status, &*refused.text("error")), (400, "invalid_request"), "{bad}");
    }
}
