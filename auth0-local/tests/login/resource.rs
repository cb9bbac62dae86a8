//! Where `resource` (RFC 8707) names the API: where it does in Auth0's Resource Parameter Compatibility Profile.
use crate::kit::{API, Answer, Parameters, acme, claims, client, code, send, token, url};
use auth0_local::{Client, LocalTenant, User};
use serde_json::json;

const MCP: &str = "https://mcp.test/mcp";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const CIBA: &str = "urn:openid:params:grant-type:ciba";
const PASSWORDLESS: &str = "http://auth0.com/oauth/grant-type/passwordless/otp";

async fn start() -> LocalTenant {
    let shop = Client::confidential("shop", "s3cret");
    let shop = shop.grant_types([DEVICE, CIBA, PASSWORDLESS, "password"]);
    let cat = User::new("auth0|cat").email("cat@acme.com").password("pa55");
    acme().user(cat).client(shop).approve_at_once().start().await.unwrap()
}

fn of_shop(pairs: &[(&str, &str)]) -> Parameters {
    let form = Parameters::new(&[("client_id", "shop"), ("client_secret", "s3cret")]);
    pairs.iter().fold(form, |form, (name, value)| form.and(name, value))
}

/// Returns the `aud` of the access token; `None` for a token that only `/userinfo` reads.
fn audience(tenant: &LocalTenant, answer: &Answer) -> Option<serde_json::Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.text("access_token");
    tenant.tenant().signed_claims(&token).map(|claims| claims["aud"].clone())
}

/// The tokens of each grant, whose request has these parameters.
async fn tokens(tenant: &LocalTenant, more: &[(&str, &str)]) -> Vec<(&'static str, Answer)> {
    let with =
        |form: Parameters| more.iter().fold(form, |form, (name, value)| form.and(name, value));
    let mut answers = Vec::new();

    let device = send(tenant, "oauth/device/code", &with(of_shop(&[]))).await;
    let form = [("grant_type", DEVICE), ("device_code", &device.text("device_code"))];
    answers.push((DEVICE, token(tenant, &of_shop(&form)).await));

    let hint = json!({ "format": "iss_sub", "iss": tenant.issuer(), "sub": "auth0|cat" });
    let hint = hint.to_string();
    let form = [("scope", "openid"), ("binding_message", "Pay"), ("login_hint", &*hint)];
    let ciba = send(tenant, "bc-authorize", &with(of_shop(&form))).await;
    let form = [("grant_type", CIBA), ("auth_req_id", &*ciba.text("auth_req_id"))];
    answers.push((CIBA, token(tenant, &of_shop(&form)).await));

    let form = [("grant_type", "password"), ("username", "cat@acme.com"), ("password", "pa55")];
    answers.push(("password", token(tenant, &with(of_shop(&form))).await));

    let body = json!({
        "client_id": "shop", "client_secret": "s3cret", "connection": "email", "send": "code",
        "email": "cat@acme.com",
    });
    let request = client().post(url(tenant, "passwordless/start")).body(body.to_string());
    let started = request.header("content-type", "application/json").send().await.unwrap();
    assert_eq!(started.status(), 200);
    let otp = tenant.last_message_to("cat@acme.com").unwrap().code;
    let form = [("grant_type", PASSWORDLESS), ("username", "cat@acme.com"), ("realm", "email")];
    let form = with(of_shop(&form)).and("otp", &otp);
    answers.push((PASSWORDLESS, token(tenant, &form).await));
    answers
}

#[tokio::test]
async fn of_the_logins_without_a_redirect_only_ciba_reads_it() {
    let tenant = start().await;
    for (grant, answer) in tokens(&tenant, &[("resource", MCP)]).await {
        match (grant, audience(&tenant, &answer)) {
            // With `openid`, the token is for `/userinfo`, too.
            (CIBA, audience) => assert_eq!(audience.unwrap()[0], MCP),
            (_, audience) => assert_eq!(audience, None, "{grant}"),
        }
    }
    for (grant, answer) in tokens(&tenant, &[("resource", MCP), ("audience", API)]).await {
        let audience = audience(&tenant, &answer).unwrap();
        assert_eq!(if grant == CIBA { &audience[0] } else { &audience }, API, "{grant}");
    }
}

/// MCP clients send it there, too. A login of a client that forgot it at `/authorize` would end with a token that no
/// API can read.
#[tokio::test]
async fn the_code_exchange_compares_it_with_the_login() {
    let tenant = start().await;
    let login = || Parameters::of_login().with("audience", None).with("scope", "read:messages");
    let one = code(&tenant, &login()).await;
    let form = Parameters::of_code(&one);
    let refused = token(&tenant, &form.clone().with("resource", MCP)).await;
    assert_eq!((refused.status, refused.text("error")), (400, "invalid_target".into()));
    assert!(refused.text("error_description").contains("Send it to /authorize"), "{refused:?}");
    // The code is not used.
    let answer = token(&tenant, &form).await;
    assert_eq!((audience(&tenant, &answer), answer.json().get("scope")), (None, None));

    let two = code(&tenant, &login().with("resource", MCP)).await;
    let form = Parameters::of_code(&two);
    let refused = token(&tenant, &form.clone().with("resource", API)).await;
    assert_eq!((refused.status, refused.text("error")), (400, "invalid_target".into()));
    let answer = token(&tenant, &form.with("resource", MCP)).await;
    assert_eq!(claims(&tenant, &answer.text("access_token"))["aud"], MCP);
    assert_eq!(answer.text("scope"), "read:messages");
}
