//! Who may see the page, and whose forms it accepts.
use crate::{
    common::{address, get, post, raw, raw_at},
    kit::{between, body, send},
};
use auth0_local::LocalTenant;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::net::Ipv4Addr;

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
