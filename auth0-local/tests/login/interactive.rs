use crate::kit::{Answer, Browser, CALLBACK, Parameters, acme, claims, client, token, url};
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
