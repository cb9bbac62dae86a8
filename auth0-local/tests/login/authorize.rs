use crate::kit::{API, Browser, CALLBACK, Parameters, acme, claims, code, log_in, start, token};
use auth0_local::{Api, Client, LocalTenant, LoginAnswer, User};
use serde_json::json;

#[tokio::test]
async fn a_user_logs_in() {
    let tenant = start().await;
    let mut browser = Browser::default();
    let answer = browser.authorize(&tenant, &Parameters::of_login()).await;
    let (target, parameters) = answer.redirect();
    assert_eq!(target, CALLBACK);
    let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
    assert_eq!(names, ["code", "iss", "state"]);
    assert_eq!(parameters["state"], "s t&te");
    assert_eq!(parameters["iss"], tenant.issuer());
    assert_eq!(
        (answer.header("cache-control"), answer.header("referrer-policy")),
        ("no-store", "no-referrer")
    );

    let answer = token(&tenant, &Parameters::of_code(&parameters["code"])).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let issued = answer.json();
    assert_eq!(issued["token_type"], "Bearer");
    assert_eq!(issued["expires_in"], 86400);
    assert_eq!(issued["scope"], "openid profile email offline_access read:messages");
    let access = claims(&tenant, &answer.text("access_token"));
    assert_eq!(access["iss"], tenant.issuer());
    assert_eq!(access["sub"], "auth0|ann");
    assert_eq!(access["azp"], "spa");
    assert_eq!(access["aud"], json!([API, format!("{}userinfo", tenant.issuer())]));
    assert_eq!(access["scope"], issued["scope"]);
    let id = claims(&tenant, &answer.text("id_token"));
    for (name, value) in [
        ("iss", json!(tenant.issuer())),
        ("sub", json!("auth0|ann")),
        ("aud", json!("spa")),
        ("nonce", json!("n0nce")),
        ("name", json!("Ann")),
        ("nickname", json!("ann")),
        ("email", json!("ann@acme.com")),
        ("email_verified", json!(true)),
    ] {
        assert_eq!(id[name], value, "{name}");
    }
    assert_eq!(id["exp"].as_u64().unwrap() - id["iat"].as_u64().unwrap(), 36000);
    assert_eq!(id["sid"].as_str().unwrap().len(), 43);
    for absent in ["azp", "auth_time", "org_id", "scope", "permissions"] {
        assert_eq!(id.get(absent), None, "{absent}");
    }
    let verified = tenant.tenant().auth0().verify(&answer.text("access_token")).await.unwrap();
    assert!(verified.has_scope("read:messages"));
}

#[tokio::test]
async fn a_request_that_is_not_known_to_be_good_gets_a_page() {
    let tenant = start().await;
    let good = Parameters::of_login;
    for (parameters, sentence) in [
        (good().with("client_id", None), "client_id"),
        (good().with("client_id", "other"), "Unknown client: other"),
        (good().with("client_id", "<script>"), "Unknown client: &lt;script&gt;"),
        (good().and("client_id", "spa"), "client_id is sent twice"),
        (good().with("redirect_uri", None), "redirect_uri"),
        (good().with("redirect_uri", "http://localhost:3000/callback/"), "Callback URL mismatch"),
        (
            good().with("redirect_uri", "http://localhost:3000/callback?a=b"),
            "Callback URL mismatch",
        ),
        (good().with("redirect_uri", "http://LOCALHOST:3000/callback"), "Callback URL mismatch"),
        (good().with("redirect_uri", "http://localhost:3001/callback"), "Callback URL mismatch"),
        (good().with("redirect_uri", "https://localhost:3000/callback"), "Callback URL mismatch"),
        (good().with("redirect_uri", "javascript:alert(1)"), "Callback URL mismatch"),
        (good().with("redirect_uri", "http://evil.test/\"><script>"), "&quot;&gt;&lt;script&gt;"),
        (good().and("redirect_uri", "http://evil.test/"), "redirect_uri is sent twice"),
        (good().and("state", "other"), "state is sent twice"),
    ] {
        let answer = Browser::default().authorize(&tenant, &parameters).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{parameters:?}");
        assert!(answer.header("content-type").starts_with("text/html"), "{parameters:?}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
        assert!(answer.body.contains(sentence), "{parameters:?}: {}", answer.body);
        assert!(!answer.body.contains("<script"), "{parameters:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_client_receives_every_other_error() {
    let tenant = acme()
        .client(Client::public("machine").callback(CALLBACK).grant_types(["client_credentials"]))
        .api(Api::new("https://other.test"))
        .start()
        .await
        .unwrap();
    let good = Parameters::of_login;
    let short = &CHALLENGE_WITHOUT_ITS_END;
    for (parameters, error, sentence) in [
        (good().with("response_type", None), "invalid_request", "response_type"),
        (good().with("response_type", "token"), "unsupported_response_type", "token"),
        (
            good().with("response_type", "code id_token"),
            "unsupported_response_type",
            "code id_token",
        ),
        (good().with("response_mode", "fragment"), "invalid_request", "response mode"),
        (good().with("code_challenge", None), "invalid_request", "code_challenge"),
        (
            good().with("code_challenge", None).with("code_challenge_method", None),
            "invalid_request",
            "needs PKCE",
        ),
        (good().with("code_challenge", *short), "invalid_request", "43 characters"),
        (good().with("code_challenge_method", "plain"), "invalid_request", "must be S256"),
        (good().with("code_challenge_method", None), "invalid_request", "must be S256"),
        (good().with("scope", "a\"b"), "invalid_scope", "not a scope"),
        (good().with("scope", "é"), "invalid_scope", "not a scope"),
        (
            good().with("audience", "https://unknown.test"),
            "access_denied",
            "Service not found: https://unknown.test",
        ),
        (
            good().with("audience", None).with("resource", "https://unknown.test"),
            "access_denied",
            "Service not found",
        ),
        (good().with("audience", None).with("resource", "api"), "invalid_target", "absolute URI"),
        (
            good().with("audience", None).with("resource", "https://api.local.test#a"),
            "invalid_target",
            "fragment",
        ),
        (good().with("prompt", "none login"), "invalid_request", "prompt=none"),
        (good().with("prompt", "none"), "login_required", "Login required"),
        (good().with("max_age", "-1"), "invalid_request", "max_age"),
        (good().with("max_age", "+1"), "invalid_request", "max_age"),
        (good().with("max_age", "soon"), "invalid_request", "max_age"),
        (
            good().with("organization", "org_other"),
            "access_denied",
            "is not part of the org_other organization",
        ),
        (good().with("dpop_jkt", *short), "invalid_request", "dpop_jkt"),
        (good().with("request_uri", "urn:a"), "request_uri_not_supported", "its /oauth/par only"),
        (
            good().with("authorization_details", "{}"),
            "invalid_authorization_details",
            "array of objects",
        ),
        (good().and("scope", "openid"), "invalid_request", "scope is sent twice"),
        (good().and("nonce", "other"), "invalid_request", "nonce is sent twice"),
        (good().with("client_id", "machine"), "unauthorized_client", "not allowed for the client"),
    ] {
        let answer = Browser::default().authorize(&tenant, &parameters).await;
        let (target, received) = answer.redirect();
        assert_eq!(target, CALLBACK, "{parameters:?}");
        assert_eq!(received["error"], error, "{parameters:?}: {received:?}");
        let description = &received["error_description"];
        assert!(description.contains(sentence), "{parameters:?}: {description}");
        assert_eq!((&*received["state"], &*received["iss"]), ("s t&te", tenant.issuer()));
        assert!(!received.contains_key("code") && answer.header("set-cookie").is_empty());
    }
}

const CHALLENGE_WITHOUT_ITS_END: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw";

#[tokio::test]
async fn parameters_of_other_clients_are_accepted() {
    let tenant = start().await;
    for (name, value) in [
        ("screen_hint", "signup"),
        ("connection", "google-oauth2"),
        ("ui_locales", "de"),
        ("login_hint", "unknown@acme.com"),
        ("acr_values", "http://schemas.openid.net/pape/policies/2007/06/multi-factor"),
        ("prompt", "consent"),
        ("unknown", "1"),
        ("organization", ""),
    ] {
        code(&tenant, &Parameters::of_login().with(name, value)).await;
    }
    // A confidential client may leave out PKCE.
    let parameters = Parameters::of_login().with("client_id", "web");
    let parameters = parameters.with("code_challenge", None).with("code_challenge_method", None);
    code(&tenant, &parameters).await;
}

#[tokio::test]
async fn audience_outranks_resource() {
    let tenant = start().await;
    let login = || Parameters::of_login().with("scope", "read:messages").with("audience", None);
    for (parameters, expected) in [
        (login().with("resource", "https://mcp.test/mcp"), "https://mcp.test/mcp"),
        (login().with("resource", "https://mcp.test/mcp").with("audience", API), API),
        (login().with("audience", "any text"), "any text"),
    ] {
        let answer = log_in(&tenant, &parameters).await;
        let access = claims(&tenant, &answer.text("access_token"));
        assert_eq!(access["aud"], expected, "{parameters:?}");
        assert_eq!(access["scope"], "read:messages");
    }
    // Without an API the token is one for /userinfo, and not a JWT.
    let answer = log_in(&tenant, &login().with("scope", "openid read:messages")).await;
    assert_eq!(answer.text("access_token").split('.').count(), 5);
    assert_eq!(answer.text("scope"), "openid", "a scope needs an API");
}

#[tokio::test]
async fn scopes_are_granted_per_user_and_api() {
    let tenant = acme()
        .api(Api::new(API).scopes(["read:messages", "write:messages"]).allow_offline_access())
        .start()
        .await
        .unwrap();
    let all = "openid read:messages write:messages delete:messages offline_access";
    let parameters = || Parameters::of_login().with("scope", all);
    let ann = log_in(&tenant, &parameters()).await;
    assert_eq!(ann.text("scope"), "openid read:messages write:messages offline_access");
    let bob = log_in(&tenant, &parameters().with("login_hint", "auth0|bob")).await;
    assert_eq!(bob.text("scope"), "openid read:messages offline_access");

    // Asking again with more scopes grants them.
    let few = log_in(&tenant, &parameters().with("scope", "read:messages")).await;
    let more = log_in(&tenant, &parameters().with("scope", "read:messages write:messages")).await;
    assert_eq!(
        (few.text("scope"), more.text("scope")),
        ("read:messages".into(), "read:messages write:messages".into())
    );
    for answer in [few, more] {
        assert_eq!(answer.json().get("refresh_token"), None, "offline_access was not asked for");
        assert_eq!(answer.json().get("id_token"), None, "openid was not asked for");
    }
}

#[tokio::test]
async fn who_logs_in() {
    let tenant = start().await;
    let subject = async |parameters: Parameters| {
        let answer = log_in(&tenant, &parameters).await;
        claims(&tenant, &answer.text("access_token"))["sub"].clone()
    };
    let login = Parameters::of_login;
    assert_eq!(subject(login()).await, "auth0|ann", "the first user");
    assert_eq!(subject(login().with("login_hint", "ANN@acme.com")).await, "auth0|ann");
    assert_eq!(subject(login().with("login_hint", "auth0|bob")).await, "auth0|bob");
    tenant.answer_logins_as("auth0|bob").unwrap();
    assert_eq!(subject(login()).await, "auth0|bob");
    tenant.answer_next_login(LoginAnswer::user("auth0|ann")).unwrap();
    assert_eq!(subject(login()).await, "auth0|ann");
    assert_eq!(subject(login()).await, "auth0|bob", "one login only");
    tenant.add_user(User::new("auth0|eve")).unwrap();
    tenant.answer_logins_as("auth0|eve").unwrap();
    assert_eq!(subject(login()).await, "auth0|eve");
    for refused in [
        tenant.answer_logins_as("auth0|zoe"),
        tenant.answer_next_login(LoginAnswer::user("auth0|zoe")),
        tenant.add_user(User::new(" ")),
    ] {
        assert!(refused.unwrap_err().to_string().contains("user"), "a sentence about the user");
    }
}

#[tokio::test]
async fn a_login_can_be_refused() {
    let tenant = start().await;
    tenant.answer_next_login(LoginAnswer::denied()).unwrap();
    tenant.answer_next_login(LoginAnswer::error("login_required", "Log in & again")).unwrap();
    let mut browser = Browser::default();
    let login = Parameters::of_login();
    let denied = browser.authorize(&tenant, &login).await.redirect().1;
    assert_eq!(denied["error"], "access_denied");
    assert_eq!(denied["error_description"], "User did not authorize the request");
    let required = browser.authorize(&tenant, &login).await.redirect().1;
    assert_eq!(
        (&*required["error"], &*required["error_description"]),
        ("login_required", "Log in & again")
    );
    assert!(!browser.has_cookie(), "there was no login");
    browser.authorize(&tenant, &login).await.parameter("code");
    for _ in 0..100 {
        tenant.answer_next_login(LoginAnswer::denied()).unwrap();
    }
    tenant.answer_next_login(LoginAnswer::denied()).unwrap_err();
}

#[tokio::test]
async fn organizations() {
    let tenant = start().await;
    for name in ["org_acme", "acme", "ACME"] {
        let answer = log_in(&tenant, &Parameters::of_login().with("organization", name)).await;
        for token in ["access_token", "id_token"] {
            let claims = claims(&tenant, &answer.text(token));
            assert_eq!(
                (&claims["org_id"], &claims["org_name"]),
                (&json!("org_acme"), &json!("acme"))
            );
        }
        let access = claims(&tenant, &answer.text("access_token"));
        assert_eq!(access["permissions"], json!(["read:invoices"]));
    }
    let answer = log_in(&tenant, &Parameters::of_login()).await;
    assert_eq!(claims(&tenant, &answer.text("access_token")).get("permissions"), None);

    // The user of an empty tenant is a member of all.
    let tenant = LocalTenant::builder()
        .client(Client::public("spa").callback(CALLBACK))
        .start()
        .await
        .unwrap();
    for (name, id, short) in
        [("org_a", "org_a", "a"), ("org_a:beta", "org_a", "beta"), ("gamma", "org_gamma", "gamma")]
    {
        let answer = log_in(&tenant, &Parameters::of_login().with("organization", name)).await;
        let id_token = claims(&tenant, &answer.text("id_token"));
        assert_eq!((&id_token["org_id"], &id_token["org_name"]), (&json!(id), &json!(short)));
        assert_eq!(id_token["sub"], "auth0|65f1c0ffee");
    }
}

#[tokio::test]
async fn claims_of_users() {
    let user = User::new("auth0|ann")
        .claim("picture", "https://acme.com/ann.png")
        .claim("phone_number", "+49")
        .claim("https://acme.com/vip", true)
        .token_claim("https://acme.com/plan", json!({ "seats": 3 }))
        .permissions(["a", "b"]);
    let tenant = LocalTenant::builder()
        .user(user)
        .client(Client::public("spa").callback(CALLBACK))
        .api(
            Api::new("https://strict.test")
                .profile(auth0_testing::Profile::Rfc9068)
                .token_lifetime(std::time::Duration::from_secs(60)),
        )
        .start()
        .await
        .unwrap();
    let login = |scope| Parameters::of_login().with("scope", scope);
    let answer = log_in(&tenant, &login("openid profile")).await;
    let id = claims(&tenant, &answer.text("id_token"));
    assert_eq!(id["picture"], "https://acme.com/ann.png");
    assert_eq!((&id["https://acme.com/vip"], id.get("phone_number")), (&json!(true), None));
    assert_eq!(id["https://acme.com/plan"], json!({ "seats": 3 }));
    let access = claims(&tenant, &answer.text("access_token"));
    assert_eq!(access["https://acme.com/plan"], json!({ "seats": 3 }));
    assert_eq!(
        (&access["permissions"], access.get("https://acme.com/vip")),
        (&json!(["a", "b"]), None)
    );
    let phone = log_in(&tenant, &login("openid phone")).await;
    let id = claims(&tenant, &phone.text("id_token"));
    assert_eq!((&id["phone_number"], id.get("picture")), (&json!("+49"), None));

    let strict = log_in(&tenant, &login("a").with("audience", "https://strict.test")).await;
    assert_eq!(strict.json()["expires_in"], 60);
    let access = claims(&tenant, &strict.text("access_token"));
    assert_eq!((&access["client_id"], access.get("azp")), (&json!("spa"), None));
    assert_eq!(access["jti"].as_str().unwrap().len(), 43);
}

#[tokio::test]
async fn the_answer_can_be_a_form() {
    let tenant = start().await;
    let parameters =
        Parameters::of_login().with("response_mode", "form_post").with("state", "\"><script>");
    let answer = Browser::default().authorize(&tenant, &parameters).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    assert!(
        answer.body.contains(&format!("<form method=\"post\" action=\"{CALLBACK}\">")),
        "{}",
        answer.body
    );
    assert!(
        answer.body.contains("name=\"state\" value=\"&quot;&gt;&lt;script&gt;\""),
        "{}",
        answer.body
    );
    assert!(answer.body.contains(&format!("name=\"iss\" value=\"{}\"", tenant.issuer())));
    let nonce = answer.body.split("<script nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(answer.body.matches("<script").count(), 1);
    assert!(
        answer.header("content-security-policy").contains(&format!("script-src 'nonce-{nonce}'"))
    );
    let code = answer.body.split("name=\"code\" value=\"").nth(1).unwrap();
    assert_eq!(token(&tenant, &Parameters::of_code(&code[..43])).await.status, 200);
    let refused = Browser::default().authorize(&tenant, &parameters.with("prompt", "none")).await;
    assert!(refused.body.contains("name=\"error\" value=\"login_required\""), "{}", refused.body);
}

#[tokio::test]
async fn at_most_a_hundred_scopes() {
    let tenant = start().await;
    let login = |count: usize| {
        let scopes: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        Parameters::of_login().with("scope", None).and("scope", &scopes.join(" "))
    };
    let answer = Browser::default().authorize(&tenant, &login(101)).await;
    assert_eq!(answer.parameter("error"), "invalid_scope");
    let sentence = "there are more than 100 scopes. Ask for fewer";
    assert_eq!(answer.parameter("error_description"), sentence);
    code(&tenant, &login(100)).await;
}
