use crate::kit::{Answer, Browser, CALLBACK, Parameters, acme, claims, client, token, url};
use auth0_core::policy::MFA;
use auth0_local::{LocalTenant, User};

async fn interactive() -> LocalTenant {
    acme().user(User::new("auth0|<eve>").name("<b>Eve")).interactive().start().await.unwrap()
}

/// Returns the value of the page's field `request`.
fn carried(page: &Answer) -> String {
    let value = page.body.split("name=\"request\" value=\"").nth(1).unwrap();
    value.split('"').next().unwrap().replace("&amp;", "&")
}

#[tokio::test]
async fn a_page_asks_who_logs_in() {
    let tenant = interactive().await;
    let mut browser = Browser::default();
    let page =
        browser.authorize(&tenant, &Parameters::of_login().with("organization", "acme<")).await;
    assert_eq!((page.status, page.header("x-frame-options")), (200, "DENY"));
    assert!(page.body.contains("value=\"auth0|ann\">Ann</button>"), "{}", page.body);
    assert!(
        page.body.contains("value=\"auth0|&lt;eve&gt;\">&lt;b&gt;Eve</button>"),
        "{}",
        page.body
    );
    assert!(page.body.contains("<p>to acme&lt;</p>"), "{}", page.body);
    assert!(!browser.has_cookie());

    let page = browser.authorize(&tenant, &Parameters::of_login()).await;
    let form = Parameters::new(&[("request", &carried(&page)), ("user", "auth0|bob")]);
    let answer = browser.post(&tenant, "u/login", &form).await;
    assert_eq!((answer.redirect().0.as_str(), &*answer.parameter("state")), (CALLBACK, "s t&te"));
    let issued = token(&tenant, &Parameters::of_code(&answer.parameter("code"))).await;
    assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], "auth0|bob");
    // The session answers now.
    assert_eq!(browser.authorize(&tenant, &Parameters::of_login()).await.status, 302);
    let again = browser.authorize(&tenant, &Parameters::of_login().with("prompt", "login")).await;
    assert_eq!(again.status, 200);
}

#[tokio::test]
async fn a_choice_is_checked_like_the_request() {
    let tenant = interactive().await;
    let request = Parameters::of_login();
    let choose = async |form: Parameters| Browser::default().post(&tenant, "u/login", &form).await;
    let chosen = |request: &Parameters, user: &'static str| {
        Parameters::new(&[("request", &request.encoded())]).with("user", user)
    };
    let denied = choose(Parameters::new(&[("request", &request.encoded())])).await;
    assert_eq!(denied.parameter("error"), "access_denied");
    let unknown = choose(chosen(&request, "auth0|zoe")).await;
    assert_eq!(unknown.parameter("error"), "access_denied");
    let other = request.clone().with("redirect_uri", "http://evil.test/");
    let refused = choose(chosen(&other, "auth0|ann")).await;
    assert_eq!((refused.status, refused.header("location")), (400, ""));
    assert_eq!(choose(Parameters::new(&[])).await.status, 400);
}

/// With `no-referrer`, a browser would send `Origin: null` with the form of the page.
#[tokio::test]
async fn only_the_page_itself_chooses() {
    let tenant = interactive().await;
    let request = Parameters::of_login();
    let page = Browser::default().authorize(&tenant, &request).await;
    assert_eq!(page.header("referrer-policy"), "same-origin");
    let form = Parameters::new(&[("request", &request.encoded()), ("user", "auth0|ann")]);
    let own = tenant.issuer().trim_end_matches('/').to_owned();
    for (origin, status) in [(own.as_str(), 302), ("null", 403), ("https://evil.test", 403)] {
        let choice = client().post(url(&tenant, "u/login")).header("origin", origin);
        assert_eq!(choice.body(form.encoded()).send().await.unwrap().status(), status, "{origin}");
    }
    let refused = Browser::default().authorize(&tenant, &request.with("client_id", "other")).await;
    assert_eq!(refused.header("referrer-policy"), "no-referrer", "of a page without a form");
}

#[tokio::test]
async fn a_user_can_be_typed() {
    let tenant = interactive().await;
    let request = Parameters::of_login();
    for (typed, sub) in [("auth0|bob", "auth0|bob"), (" ANN@acme.com ", "auth0|ann")] {
        let mut browser = Browser::default();
        let page = browser.authorize(&tenant, &request).await;
        let form = Parameters::new(&[("request", &carried(&page)), ("typed", typed)]);
        let answer = browser.post(&tenant, "u/login", &form).await;
        let issued = token(&tenant, &Parameters::of_code(&answer.parameter("code"))).await;
        assert_eq!(claims(&tenant, &issued.text("id_token"))["sub"], sub);
    }
    let form = Parameters::new(&[("request", &request.encoded()), ("typed", "zoe@acme.test")]);
    let unknown = Browser::default().post(&tenant, "u/login", &form).await;
    assert_eq!(unknown.parameter("error"), "access_denied");
}

#[tokio::test]
async fn another_factor_is_asked_for_once() {
    let tenant = interactive().await;
    let plain = Parameters::of_login();
    let stronger = plain
        .clone()
        .with("acr_values", "other http://schemas.openid.net/pape/policies/2007/06/multi-factor");
    let mut browser = Browser::default();
    let page = browser.authorize(&tenant, &plain).await;
    let form = Parameters::new(&[("request", &carried(&page)), ("user", "auth0|ann")]);
    let first = browser.post(&tenant, "u/login", &form).await;
    let first = claims_of(&tenant, &first).await;
    assert!(first.get("amr").is_none() && first.get("acr").is_none());

    // The session is not enough.
    let silent = stronger.clone().with("prompt", "none");
    let refused = browser.authorize(&tenant, &silent).await;
    assert_eq!(refused.parameter("error"), "interaction_required");
    let page = browser.authorize(&tenant, &stronger).await;
    assert!(page.body.contains("Another factor is needed"), "{}", page.body);
    let form = Parameters::new(&[("request", &carried(&page)), ("user", "auth0|ann")]);
    let second = browser.post(&tenant, "u/login", &form).await;
    let second = claims_of(&tenant, &second).await;
    assert_eq!((&second["amr"], &second["acr"]), (&serde_json::json!(["mfa"]), &MFA.into()));
    assert_eq!(second["sid"], first["sid"], "the session goes on");
    assert_eq!(browser.authorize(&tenant, &stronger).await.status, 302, "it was passed");

    // Another user begins another session.
    let other = browser.authorize(&tenant, &stronger.clone().with("prompt", "login")).await;
    let form = Parameters::new(&[("request", &carried(&other)), ("user", "auth0|bob")]);
    let bob = browser.post(&tenant, "u/login", &form).await;
    assert_ne!(claims_of(&tenant, &bob).await["sid"], first["sid"]);
}

/// Without a page, it is passed at once.
#[tokio::test]
async fn another_factor_without_a_page() {
    let tenant = acme().start().await.unwrap();
    let plain = Parameters::of_login();
    let stronger = plain.clone().with("acr_values", MFA);
    let mut browser = Browser::default();
    let first = browser.authorize(&tenant, &plain).await;
    let first = claims_of(&tenant, &first).await;
    let second = browser.authorize(&tenant, &stronger).await;
    let second = claims_of(&tenant, &second).await;
    assert_eq!((&second["amr"], &second["sid"]), (&serde_json::json!(["mfa"]), &first["sid"]));
    let new = Browser::default().authorize(&tenant, &stronger).await;
    assert_eq!(claims_of(&tenant, &new).await["acr"], MFA);
}

async fn claims_of(tenant: &LocalTenant, answer: &Answer) -> serde_json::Value {
    let issued = token(tenant, &Parameters::of_code(&answer.parameter("code"))).await;
    claims(tenant, &issued.text("id_token"))
}
