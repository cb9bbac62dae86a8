//! A configured URL, the path of a request, and settings that cannot work.
use super::{CLIENT, FORWARDED, HOST, Kit, PROTO, PROXY, from};
use auth0_core::adapter::Connection;
use auth0_testing::Tenant;

#[test]
fn a_configured_url_outranks_every_header() {
    for (url, path, expected, others) in [
        ("https://public.test", "/me", "https://public.test/me", &["https://api.test/me"][..]),
        ("https://public.test/", "/me", "https://PUBLIC.test:443/me", &["http://public.test/me"]),
        (" HTTPS://Public.test:443 ", "/", "https://public.test", &["https://public.test/me"]),
        (
            "https://public.test/api",
            "/me",
            "https://public.test/api/me",
            &["https://public.test/me", "https://public.test/api/api/me"],
        ),
        ("https://public.test/api/", "/", "https://public.test/api/", &["https://public.test/api"]),
        ("https://public.test/API/v1//", "/me", "https://public.test/API/v1/me", &[]),
        ("http://[::1]:3000", "/me", "http://[::1]:3000/me", &["http://[::1]/me"]),
    ] {
        let kit = Kit::new(|builder| builder.public_url(url).trusted_proxies([PROXY]));
        for peer in [PROXY, CLIENT] {
            let bare = from(peer).path(path);
            let full = bare.clone().with(PROTO, "http").with(HOST, "evil.test");
            let full = full.with(FORWARDED, "host=evil.test");
            let odd = full.clone().with(PROTO, "https").with("host", "a b");
            let odd = odd.connection(Connection::new());
            for request in [bare, full, odd] {
                assert!(kit.is_url(&request, expected), "{url} {path} {expected}");
                for other in others.iter().chain(&["http://evil.test/me", "http://api.test/me"]) {
                    assert!(!kit.is_url(&request, other), "{url} {path} {other}");
                }
            }
        }
    }
}

/// To a router, dot segments are names: `/orgs/../me` may match the route `/orgs/{org}/me`. A proof for
/// `/me` must not fit that request.
#[test]
fn dot_segments_must_be_signed_as_they_were_sent() {
    let direct = Kit::behind_a_proxy();
    for (path, url, same) in [
        ("/orgs/../me", "http://api.test/me", false),
        ("/orgs/%2e%2E/me", "http://api.test/me", false),
        ("/./me", "http://api.test/me", false),
        ("/me/..", "http://api.test/", false),
        ("/me/.", "http://api.test/me/", false),
        ("/a/../b/../me", "http://api.test/b/../me", false),
        ("/orgs/../me", "http://api.test/orgs/../me", true),
        ("/orgs/%2e%2E/me", "http://api.test/orgs/../me", true),
        ("/orgs/../me", "http://api.test/orgs/.%2e/me", true),
        ("/me", "http://api.test/orgs/../me", true),
        ("/.../me..", "http://api.test/.../me..", true),
        ("/%6de", "http://api.test/me", true),
    ] {
        let request = from(CLIENT).path(path);
        assert_eq!(direct.is_url(&request, url), same, "{path} {url}");
    }
    // Below a prefix, they would lead out of it.
    let kit = Kit::new(|builder| builder.public_url("https://public.test/./a/../api"));
    for path in ["/../me", "/a/%2E%2e/.%2e/me", "/./me"] {
        let request = from(CLIENT).path(path);
        for url in [
            "https://public.test/me",
            "https://public.test/api/me",
            &format!("https://public.test/api{path}"),
        ] {
            assert!(!kit.is_url(&request, url), "{path} {url}");
        }
    }
    assert!(kit.is_url(&from(CLIENT), "https://public.test/api/me"));
}

#[test]
fn without_a_path_there_is_no_url() {
    for kit in [Kit::behind_a_proxy(), Kit::new(|builder| builder.public_url("https://api.test"))] {
        for path in ["", "*", "me", "api.test:443"] {
            let request = from(PROXY).path(path);
            for url in ["http://api.test/", "https://api.test/", "http://api.test/me"] {
                assert!(!kit.is_url(&request, url), "{path} {url}");
            }
        }
    }
}

#[test]
fn settings_that_cannot_work_are_refused_at_build() {
    let tenant = Tenant::new();
    for (url, expected) in [
        ("", "is not an absolute http or https URL"),
        ("api.acme.com", "is not an absolute http or https URL"),
        ("/api", "is not an absolute http or https URL"),
        ("//api.acme.com", "is not an absolute http or https URL"),
        ("ftp://api.acme.com", "is not an absolute http or https URL"),
        ("https://", "is not an absolute http or https URL"),
        ("https:api.acme.com", "is not an absolute http or https URL"),
        ("https://ann:s3cr3t@api.acme.com", "without user information"),
        ("https://api.acme.com:99999", "is not an absolute http or https URL"),
        ("https://api acme.com", "is not an absolute http or https URL"),
        ("https://*.acme.com{x}", "is not an absolute http or https URL"),
        ("https://api.acme.com?a=b", "has a query or a fragment"),
        ("https://api.acme.com/#a", "has a query or a fragment"),
    ] {
        let error = tenant.builder().public_url(url).build().unwrap_err().to_string();
        assert!(error.starts_with("the public URL ") && error.contains(expected), "{url}: {error}");
        assert!(error.contains("https://api.acme.com, or https://acme.com/api"), "{url}: {error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }
    for entry in [
        "",
        " ",
        "proxy.acme.com",
        "10.0.0",
        "10.0.0.0/33",
        "10.0.0.7:80",
        "10.0.0.0/",
        "::/129",
        "*",
    ] {
        let error =
            tenant.builder().trusted_proxies([PROXY, entry]).build().unwrap_err().to_string();
        let entry = entry.trim();
        assert!(error.starts_with(&format!("the trusted proxy {entry:?} is neither")), "{error}");
        assert!(error.ends_with("10.0.0.7 or 10.0.0.0/8"), "{error}");
    }
    for entry in ["10.0.0.7", " ::1 ", "0.0.0.0/0", "fd00::/8", "10.1.2.3/8"] {
        assert!(tenant.builder().trusted_proxies([entry]).build().is_ok(), "{entry}");
    }
}
