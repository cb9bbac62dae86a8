//! The page at the tenant's root, over HTTP. `tests/clients/page.mjs` uses it with a browser.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]
mod common;

use auth0_local::{Api, Client, Fault, LocalTenant, LoginAnswer, User};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use common::{address, ask, get, post, raw, raw_at};
use reqwest::Response;
use std::net::Ipv4Addr;

const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&\u{202e}";

async fn body(response: Response) -> String {
    String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap()
}

/// Sends a form as the page does. Returns the status and the page.
async fn send(tenant: &LocalTenant, fields: &[(&str, &str)]) -> (u16, String) {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = post(tenant, "").header("origin", format!("http://{}", address(tenant)));
    let response = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), body(response).await)
}

/// Returns the text between two others.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap() + start.len();
    &text[from..from + text[from..].find(end).unwrap()]
}

/// Returns the token or proof that the page shows in a field.
fn minted<'a>(page: &'a str, id: &str) -> &'a str {
    between(&page[page.find(&format!("id=\"{id}\"")).unwrap()..], ">\n", "</textarea>")
}

#[tokio::test]
async fn the_policy_admits_its_own_style_and_script_only() {
    let tenant = LocalTenant::start().await.unwrap();
    let response = get(&tenant, "").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    let page = body(response).await;
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin");
    let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let (style, script) =
        (between(&page, "<style>", "</style>"), between(&page, "<script>", "</script>"));
    assert_eq!(
        header("content-security-policy"),
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
            hash(style),
            hash(script)
        )
    );
    assert!(
        headers.get("set-cookie").is_none() && headers.get("access-control-allow-origin").is_none()
    );
    for other in ["style=", " onclick", " onload", "<iframe", "src=", "@import", "url("] {
        assert!(!page.contains(other), "{other}");
    }
    let links: Vec<&str> =
        page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(
        links.iter().all(|link| link.starts_with(['#', '/']) || *link == "data:,"),
        "{links:?}"
    );
    assert_eq!(page.matches("<script").count(), 1);
}

#[tokio::test]
async fn it_is_shown_to_loopback_names_only() {
    let builder = LocalTenant::builder().issuer("http://auth0.localtest:4400/");
    let tenant = builder.host(Ipv4Addr::LOCALHOST.into()).start().await.unwrap();
    let at = tenant.address().to_string();
    for (target, host, status) in [
        ("/", "127.0.0.1:4400", 200),
        ("/", "localhost", 200),
        ("/", "[::1]:4400", 200),
        ("/", "auth0.localtest:4400", 403),
        ("/", "auth0.localtest", 403),
        ("/.well-known/jwks.json", "auth0.localtest:4400", 200),
        ("/", "evil.test", 403),
        ("/", "localhost.evil.test", 403),
        ("/", "evil.test@localhost", 403),
        ("/", "10.0.0.7", 403),
        ("http://auth0.localtest/", "localhost", 403),
    ] {
        for method in ["GET", "POST"] {
            let request = format!(
                "{method} {target} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\ncontent-length: 13\r\n\
                 content-type: application/x-www-form-urlencoded\r\nconnection: close\r\n\r\naction=rotate"
            );
            if method == "POST" && target != "/" {
                continue;
            }
            let response = raw_at(&at, &request).await;
            assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{request}{response}");
        }
    }
    // A token of an issuer with such a name is inspected, too.
    let token = tenant.token().mint();
    let form = format!("action=inspect&audience={}&pasted={token}", tenant.audience());
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost\r\ncontent-length: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\nconnection: close\r\n\r\n{form}",
        form.len()
    );
    assert!(raw_at(&at, &request).await.contains("Accepted as an access token"));
    // The first key, and one for each form of a page on loopback.
    assert_eq!(tenant.tenant().key_ids().len(), 4);
}

#[tokio::test]
async fn forms_of_other_pages_are_refused() {
    let tenant = LocalTenant::start().await.unwrap();
    let own = format!("http://{}", address(&tenant));
    let upper = own.to_uppercase().replacen("HTTP", "http", 1);
    for (headers, status) in [
        (vec![("origin", &*own)], 200),
        (vec![("origin", &*upper)], 200),
        (vec![("sec-fetch-site", "same-origin")], 200),
        (vec![("origin", &*own), ("sec-fetch-site", "same-origin")], 200),
        (vec![], 403),
        (vec![("origin", "null")], 403),
        (vec![("origin", "")], 403),
        (vec![("origin", "http://evil.test")], 403),
        (vec![("origin", "http://127.0.0.1:1")], 403),
        (vec![("origin", "http://localhost")], 403),
        (vec![("origin", &*own.replace("http:", "https:"))], 403),
        (vec![("origin", &*own), ("origin", "http://evil.test")], 403),
        (vec![("origin", &*own), ("sec-fetch-site", "same-site")], 403),
        (vec![("origin", &*own), ("sec-fetch-site", "cross-site")], 403),
        (vec![("origin", "http://evil.test"), ("sec-fetch-site", "same-origin")], 403),
        (vec![("sec-fetch-site", "none")], 403),
        (vec![("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], 403),
    ] {
        let before = tenant.tenant().key_ids();
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\n{lines}content-type: application/x-www-form-urlencoded\r\n\
             content-length: 13\r\nconnection: close\r\n\r\naction=rotate",
            address(&tenant)
        );
        let response = raw(&tenant, &request).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{headers:?}: {response}");
        assert_eq!(tenant.tenant().key_ids() == before, status == 403, "{headers:?}");
    }
    // What is no form of the page changes nothing.
    for (kind, body) in [
        ("text/plain", "action=rotate"),
        ("application/json", "{\"action\":\"rotate\"}"),
        ("application/x-www-form-urlencoded", "action=nothing"),
        ("application/x-www-form-urlencoded", ""),
    ] {
        let before = tenant.tenant().key_ids();
        let request =
            post(&tenant, "").header("origin", &own).header("content-type", kind).body(body);
        assert_eq!(request.send().await.unwrap().status(), 400, "{kind} {body}");
        assert_eq!(tenant.tenant().key_ids(), before);
    }
    let long = "a".repeat(100 * 1024);
    let (status, page) = send(&tenant, &[("action", "inspect"), ("pasted", &long)]).await;
    assert!(status == 400 && page.contains("Send at most 64 KiB"), "{page}");
}

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

#[tokio::test]
async fn text_of_others_is_no_markup() {
    let tenant = LocalTenant::builder()
        .user(User::new(format!("auth0|{EVIL}")).name(EVIL).permissions([EVIL]))
        .client(Client::public(EVIL).callback("http://localhost/%3Cscript%3E"))
        .api(Api::new(EVIL).scopes([EVIL]))
        .start()
        .await
        .unwrap();
    let token = tenant.token().subject(EVIL).scope(EVIL).audience(EVIL).claim(EVIL, EVIL);
    let token = token.header("kid", EVIL).header(EVIL, EVIL).mint();
    let request = format!("/{}", "%3Cscript%3Ealert(1)");
    get(&tenant, &request).send().await.unwrap();
    raw(&tenant, "GET /<script>alert(1) HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await;
    get(&tenant, &format!("authorize?client_id={}", "%3Cscript%3E")).send().await.unwrap();
    let filled = |action| {
        let names = [
            "audience",
            "scope",
            "permissions",
            "subject",
            "client",
            "organization",
            "profile",
            "expires_in",
            "url",
            "claims",
            "method",
            "token",
            "nonce",
            "requirement",
            "client_id",
            "kind",
            "proof",
            "endpoint",
            "fault",
            "user",
            "machine",
            "bound",
            "expired",
        ];
        let mut fields = vec![("action", action), ("pasted", EVIL)];
        fields.extend(names.map(|name| (name, EVIL)));
        fields
    };
    let mut pages = vec![body(get(&tenant, "").send().await.unwrap()).await];
    for action in ["token", "proof", "inspect", "fault", "block", "logout", EVIL] {
        pages.push(send(&tenant, &filled(action)).await.1);
    }
    pages.push(
        send(&tenant, &[("action", "inspect"), ("pasted", &token), ("audience", EVIL)]).await.1,
    );
    pages.push(send(&tenant, &[("action", "inspect"), ("pasted", &token)]).await.1);
    let url = "http://127.0.0.1/";
    pages.push(
        send(&tenant, &[("action", "token"), ("scope", EVIL), ("subject", EVIL), ("url", url)])
            .await
            .1,
    );
    for page in pages {
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert_eq!(page.matches("<img").count(), 0, "{page}");
        // Only in the fields, where it must stay as it was entered.
        for outside in page.split("</textarea>").map(|part| part.split("<textarea").next().unwrap())
        {
            let shown: String = outside
                .split(" value=\"")
                .map(|it| it.split_once('"').map_or(it, |it| it.1))
                .collect();
            assert!(!shown.contains('\u{202e}'), "{outside}");
        }
    }
}

#[tokio::test]
async fn the_last_requests_have_no_secrets() {
    let web = || Client::confidential("web", "s3cret").callback("http://localhost/cb");
    let tenant =
        LocalTenant::builder().user(User::new("auth0|ann").email("ann@acme.com")).client(web());
    let tenant = tenant.start().await.unwrap();
    let form = |text: &str| {
        let request = post(&tenant, "oauth/token")
            .header("content-type", "application/x-www-form-urlencoded");
        request.body(text.to_owned())
    };
    let token = tenant.token().mint();
    for request in [
        form(
            "grant_type=client_credentials&client_id=web&client_secret=s3cret&audience=https://a.test",
        ),
        form("grant_type=client_credentials&audience=https://a.test")
            .basic_auth("web", Some("s3cret")),
        form("grant_type=refresh_token&client_id=web&client_secret=s3cret&refresh_token=r3fresh"),
        form(
            "grant_type=password&client_id=web&client_secret=s3cret&username=ann@acme.com&password=pa55",
        ),
        form(&format!(
            "grant_type=x&client_id=web&client_assertion={token}&code=c0de&code_verifier=v3rifier"
        )),
        get(
            &tenant,
            "authorize?client_id=web&response_type=code&redirect_uri=http://localhost/cb&state=st4te&nonce=n0nce&login_hint=ann@acme.com",
        ),
        get(
            &tenant,
            "authorize?client_id=web&response_type=token&redirect_uri=http://localhost/cb",
        ),
        get(&tenant, "userinfo").bearer_auth(&token),
        get(&tenant, &format!("callback/{token}?access_token={token}")),
    ] {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        client.unwrap().execute(request.build().unwrap()).await.unwrap();
    }
    tenant.answer_next_login(LoginAnswer::denied()).unwrap();
    tenant.set_fault(auth0_local::Endpoint::UserInfo, Fault::reset());
    get(&tenant, "userinfo").send().await.unwrap_err();
    tenant.set_fault(auth0_local::Endpoint::UserInfo, Fault::hang());
    let hangs = ask(&tenant, "GET /userinfo HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    while tenant.stats().user_info.faulted < 2 {
        tokio::task::yield_now().await;
    }

    let page = body(get(&tenant, "").send().await.unwrap()).await;
    let requests = between(&page, "<section id=\"requests\"", "</section>");
    for shown in [
        "grant_type=client_credentials client_id=web authentication=client_secret_post audience=https://a.test",
        "authentication=client_secret_basic",
        "authentication=private_key_jwt",
        "client_id=web response_type=code",
        "<td>302 unsupported_response_type</td>",
        "<td>403 invalid_grant</td>",
        "GET /callback/…",
        "<td>404 not_found</td>",
        "<td>connection reset</td>",
        "<td>no answer yet</td>",
    ] {
        assert!(requests.contains(shown), "{shown}: {requests}");
    }
    for secret in
        ["s3cret", "r3fresh", "pa55", "c0de", "v3rifier", "st4te", "n0nce", "ann@acme.com", "eyJ"]
    {
        assert!(!requests.contains(secret), "{secret}: {requests}");
    }
    assert!(!requests.contains("<code>GET /</code>"), "the page is not in its own list");
    drop(hangs);
    for _ in 0..60 {
        raw(&tenant, "GET /nothing HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    }
    let page = body(get(&tenant, "").send().await.unwrap()).await;
    let requests = between(&page, "<section id=\"requests\"", "</section>");
    assert_eq!((requests.matches("<tr ").count(), requests.matches("/nothing").count()), (50, 50));
}
