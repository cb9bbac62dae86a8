//! The URL that a request was sent to, behind proxies: what they may say of it, and what nobody else
//! may. Proofs show which URL a verifier takes it for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use auth0_core::{
    Auth0, Builder, Connection, ErrorCode, FieldLines, HttpParts, RequestView, testing::Tenant,
};
use proptest::prelude::*;
use std::cell::LazyCell;
use tokio::runtime::Runtime;

const PROXY: &str = "10.0.0.7";
const CLIENT: &str = "203.0.113.9";

/// A request as a server would hand it on: plain HTTP for `http://api.test/me`, unless changed.
#[derive(Clone)]
struct Request {
    path: &'static str,
    connection: Connection,
    fields: Vec<(&'static str, Vec<u8>)>,
}

impl HttpParts for Request {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        self.path
    }

    fn scheme(&self) -> Option<&str> {
        None
    }

    fn authority(&self) -> Option<&str> {
        None
    }

    fn field(&self, name: &str) -> FieldLines<'_> {
        let lines = self.fields.iter().filter(|(known, _)| *known == name);
        FieldLines::of(lines.map(|(_, value)| &**value))
    }

    fn connection(&self) -> Connection {
        self.connection
    }
}

impl Request {
    fn from(peer: &str) -> Self {
        let connection = Connection::new().peer(peer.parse().unwrap()).tls(false);
        Self { path: "/me", connection, fields: vec![("host", b"api.test".to_vec())] }
    }

    fn with(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

/// A verifier with the token and the proofs of one client.
struct Kit {
    runtime: Runtime,
    tenant: Tenant,
    auth: Auth0,
    token: String,
    field: String,
}

impl Kit {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let tenant = Tenant::new();
        let auth = configure(tenant.builder()).build().unwrap();
        let token = tenant.token().bound_to(&tenant.client_key()).mint();
        let field = format!("DPoP {token}");
        Self { runtime, tenant, auth, token, field }
    }

    fn behind_a_proxy() -> Self {
        Self::new(|builder| builder.trusted_proxies([PROXY]))
    }

    /// Whether a proof for this URL is accepted with the request.
    fn is_url(&self, request: &Request, url: &str) -> bool {
        let proof = self.tenant.proof("GET", url).for_token(&self.token).mint();
        let view = RequestView::new()
            .authorization([self.field.as_bytes()])
            .proof([proof.as_bytes()])
            .parts(request);
        match self.runtime.block_on(self.auth.authenticate(&view)) {
            Ok(_) => true,
            Err(error) if error.code() == ErrorCode::DpopProofInvalid => false,
            Err(error) => panic!("{url}: {error:?}"),
        }
    }

    /// Which one of the candidates the request is taken for.
    fn url_of(&self, request: &Request) -> Option<&'static str> {
        let mut urls = CANDIDATES.into_iter().filter(|url| self.is_url(request, url));
        let url = urls.next();
        assert_eq!(urls.next(), None, "it has one URL");
        url
    }
}

const CANDIDATES: [&str; 9] = [
    "http://api.test/me",
    "https://api.test/me",
    "http://public.test/me",
    "https://public.test/me",
    "https://public.test:8443/me",
    "https://[2001:db8::1]:8443/me",
    "http://evil.test/me",
    "https://evil.test/me",
    "https://public.test/api/me",
];

const FORWARDED: &str = "forwarded";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";

#[test]
fn what_a_trusted_proxy_says_counts() {
    let kit = Kit::behind_a_proxy();
    let (plain, tls) = (Some("http://api.test/me"), Some("https://api.test/me"));
    let (public, http) = (Some("https://public.test/me"), Some("http://public.test/me"));
    let with_port = Some("https://public.test:8443/me");
    type Row = (&'static [(&'static str, &'static str)], Option<&'static str>);
    let rows: [Row; 54] = [
        (&[], plain),
        (&[(PROTO, "https")], tls),
        (&[(PROTO, "HTTPS")], tls),
        (&[(PROTO, " https ")], tls),
        (&[(PROTO, "http")], plain),
        (&[(HOST, "public.test")], http),
        (&[(HOST, "PUBLIC.test:80")], http),
        (&[(PROTO, "https"), (HOST, "public.test")], public),
        (&[(PROTO, "https"), (HOST, "public.test:443")], public),
        (&[(PROTO, "https"), (HOST, "public.test:8443")], with_port),
        (&[(FORWARDED, "proto=https")], tls),
        (&[(FORWARDED, "host=public.test")], http),
        (&[(FORWARDED, "for=192.0.2.1;proto=https;host=public.test;by=10.0.0.7")], public),
        (&[(FORWARDED, "For=192.0.2.1; Proto=HTTPS; Host=\"public.test:8443\"")], with_port),
        (&[(FORWARDED, "proto=https;host=public.test:8443")], with_port),
        (
            &[(FORWARDED, "for=\"[2001:db8::9]:1\";proto=https;host=\"[2001:db8::1]:8443\"")],
            Some("https://[2001:db8::1]:8443/me"),
        ),
        (&[(FORWARDED, "proto=https;host=\"pub\\lic.test\"")], public),
        (&[(FORWARDED, "for=192.0.2.1")], plain),
        (&[(FORWARDED, "")], plain),
        (&[(FORWARDED, ";;proto=https;")], tls),
        // The last element is that of the peer.
        (&[(FORWARDED, "host=evil.test, proto=https;host=public.test")], public),
        (&[(FORWARDED, "proto=https;host=evil.test, for=192.0.2.1")], plain),
        (&[(FORWARDED, "proto=https;host=evil.test,")], plain),
        // One of each kind, if they agree.
        (&[(FORWARDED, "proto=https"), (PROTO, "https")], tls),
        (&[(FORWARDED, "host=Public.test"), (HOST, "public.TEST")], http),
        (&[(FORWARDED, "host=public.test"), (PROTO, "https")], public),
        (&[(FORWARDED, "proto=https"), (HOST, "public.test")], public),
        (&[(FORWARDED, "proto=https;proto=https")], tls),
        (&[(FORWARDED, "proto=https"), (PROTO, "http")], None),
        (&[(FORWARDED, "proto=http"), (PROTO, "https")], None),
        (&[(FORWARDED, "host=evil.test"), (HOST, "public.test")], None),
        (&[(FORWARDED, "host=public.test"), (HOST, "evil.test")], None),
        (&[(FORWARDED, "proto=https;proto=http")], None),
        (&[(FORWARDED, "host=evil.test;host=public.test")], None),
        // What a client can do where a proxy adds to what was sent.
        (&[(FORWARDED, "host=evil.test;x, for=192.0.2.1")], None),
        (&[(FORWARDED, "host=evil.test;for=\", for=\"[2001:db8::9]\"")], None),
        (&[(FORWARDED, "host=evil.test;for=\", for=192.0.2.1")], None),
        (&[(PROTO, "https, http")], None),
        (&[(PROTO, "https,https")], None),
        (&[(HOST, "evil.test, public.test")], None),
        (&[(PROTO, "https"), (PROTO, "https")], None),
        (&[(HOST, "evil.test"), (HOST, "public.test")], None),
        (&[(FORWARDED, "host=evil.test"), (FORWARDED, "host=public.test")], None),
        // What is no scheme, host or field.
        (&[(PROTO, "")], None),
        (&[(PROTO, "wss")], None),
        (&[(PROTO, "\"https\"")], None),
        (&[(HOST, "")], None),
        (&[(HOST, "public.test/me?")], None),
        (&[(HOST, "user@public.test")], None),
        (&[(HOST, "public.test:99999")], None),
        (&[(FORWARDED, "proto=ftp")], None),
        (&[(FORWARDED, "host=")], None),
        (&[(FORWARDED, "proto=https host=public.test")], None),
        (&[(FORWARDED, "proto")], None),
    ];
    let mut wrong = Vec::new();
    for (fields, expected) in rows {
        let mut request = Request::from(PROXY);
        for (name, value) in fields {
            request = request.with(name, *value);
        }
        let got = kit.url_of(&request);
        if got != expected {
            wrong.push(format!("{fields:?}: expected {expected:?}, got {got:?}"));
        }
        // Nobody else may say it.
        if !matches!(kit.url_of(&Request { connection: client(), ..request }), url if url == plain)
        {
            wrong.push(format!("{fields:?}: of a peer that is not trusted"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let request = Request::from(PROXY).with(HOST, b"p\xffblic.test");
    assert_eq!(kit.url_of(&request), None, "not text");
}

fn client() -> Connection {
    Connection::new().peer(CLIENT.parse().unwrap()).tls(false)
}

#[test]
fn only_what_is_on_the_list_is_trusted() {
    let networks = [" 10.0.0.7 ", "192.0.2.0/24", "2001:db8::/32", "::ffff:198.51.100.0/120"];
    let kit = Kit::new(|builder| builder.trusted_proxies(networks));
    for (peer, trusted) in [
        ("10.0.0.7", true),
        ("::ffff:10.0.0.7", true),
        ("10.0.0.6", false),
        ("192.0.2.1", true),
        ("::ffff:192.0.2.1", true),
        ("192.0.3.1", false),
        ("2001:db8::1", true),
        ("2001:db7::1", false),
        ("198.51.100.9", true),
        ("::ffff:198.51.100.9", true),
        ("198.51.99.9", false),
        ("::1", false),
    ] {
        let request = Request::from(peer).with(PROTO, "https");
        let expected = if trusted { "https://api.test/me" } else { "http://api.test/me" };
        assert_eq!(kit.url_of(&request), Some(expected), "{peer}");
    }
    let mut unknown = Request::from(PROXY).with(PROTO, "https");
    unknown.connection = Connection::new().tls(false);
    assert_eq!(kit.url_of(&unknown), Some("http://api.test/me"), "nobody knows the peer");
}

#[test]
fn a_configured_url_comes_before_everything() {
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
            let bare = Request { path, ..Request::from(peer) };
            let full = bare.clone().with(PROTO, "http").with(HOST, "evil.test");
            let full = full.with(FORWARDED, "host=evil.test");
            let mut odd = full.clone().with(PROTO, "https").with("host", "a b");
            odd.connection = Connection::new();
            for request in [bare, full, odd] {
                assert!(kit.is_url(&request, expected), "{url} {path} {expected}");
                for other in others.iter().chain(&["http://evil.test/me", "http://api.test/me"]) {
                    assert!(!kit.is_url(&request, other), "{url} {path} {other}");
                }
            }
        }
    }
}

/// To a router, dot segments are names: `/orgs/../me` may be what `/orgs/{org}/me` serves. So a proof for
/// `/me` is none for it.
#[test]
fn dot_segments_of_a_request_have_to_be_signed_as_they_were_sent() {
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
        let request = Request { path, ..Request::from(CLIENT) };
        assert_eq!(direct.is_url(&request, url), same, "{path} {url}");
    }
    // With a prefix, they would lead out of it.
    let kit = Kit::new(|builder| builder.public_url("https://public.test/./a/../api"));
    for path in ["/../me", "/a/%2E%2e/.%2e/me", "/./me"] {
        let request = Request { path, ..Request::from(CLIENT) };
        for url in [
            "https://public.test/me",
            "https://public.test/api/me",
            &format!("https://public.test/api{path}"),
        ] {
            assert!(!kit.is_url(&request, url), "{path} {url}");
        }
    }
    assert!(kit.is_url(&Request::from(CLIENT), "https://public.test/api/me"));
}

#[test]
fn a_connection_with_a_certificate_is_one_of_tls() {
    let kit = Kit::behind_a_proxy();
    let mut request = Request::from(CLIENT);
    request.connection = Connection::new().client_certificate(b"a certificate");
    assert_eq!(kit.url_of(&request), Some("https://api.test/me"));
}

#[test]
fn without_a_path_there_is_no_url() {
    for kit in [Kit::behind_a_proxy(), Kit::new(|builder| builder.public_url("https://api.test"))] {
        for path in ["", "*", "me", "api.test:443"] {
            let request = Request { path, ..Request::from(PROXY) };
            for url in ["http://api.test/", "https://api.test/", "http://api.test/me"] {
                assert!(!kit.is_url(&request, url), "{path} {url}");
            }
        }
    }
}

#[test]
fn what_cannot_work_is_refused_at_start() {
    let tenant = Tenant::new();
    for (url, told) in [
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
        assert!(error.starts_with("the public URL ") && error.contains(told), "{url}: {error}");
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

thread_local! {
    static KIT: LazyCell<Kit> = LazyCell::new(Kit::behind_a_proxy);
}

/// Bytes that are anything, and such as the parsers look for.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "\"",
        "\\",
        ",",
        ";",
        "=",
        " ",
        "\t",
        ":",
        "[",
        "]",
        "%",
        "@",
        "for=",
        "for=\"",
        "proto=https",
        "host=evil.test",
        "host=\"",
        "https",
        "evil.test",
        "a",
        "\u{e9}",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..48),
        prop::collection::vec(pieces, 0..16).prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_panic(forwarded in bytes(), proto in bytes(), host in bytes()) {
        KIT.with(|kit| {
            let request = Request::from(PROXY)
                .with(FORWARDED, forwarded)
                .with(PROTO, proto)
                .with(HOST, host);
            kit.is_url(&request, "https://public.test/me");
        });
    }

    #[test]
    fn untrusted_peers_change_nothing(forwarded in bytes(), proto in bytes(), host in bytes()) {
        KIT.with(|kit| {
            let request = Request::from(CLIENT)
                .with(FORWARDED, forwarded)
                .with(PROTO, proto)
                .with(HOST, host);
            prop_assert!(kit.is_url(&request, "http://api.test/me"));
            Ok(())
        })?;
    }

    /// Of what a proxy appends, all is read or nothing.
    #[test]
    fn appended_elements_cannot_be_reached_into(
        before in bytes(),
        own in prop::sample::select(vec![
            "for=192.0.2.1;proto=https",
            "for=\"[2001:db8::9]\";proto=https",
            "proto=https;for=\"_gaz=onk\"",
            "by=\"10.0.0.7:80\";proto=https",
        ]),
    ) {
        KIT.with(|kit| {
            let value = [b"host=evil.test;", &*before, b", ", own.as_bytes()].concat();
            let request = Request::from(PROXY).with(FORWARDED, value);
            for url in ["http://evil.test/me", "https://evil.test/me", "http://api.test/me"] {
                prop_assert!(!kit.is_url(&request, url));
            }
            Ok(())
        })?;
    }

    /// As long as a proxy overwrites what it writes, nothing that it lets through beside it counts for
    /// more: the request is refused, or is what the proxy says.
    #[test]
    fn what_is_let_through_does_not_win(forwarded in bytes()) {
        KIT.with(|kit| {
            let request = Request::from(PROXY)
                .with(FORWARDED, forwarded)
                .with(PROTO, "https")
                .with(HOST, "public.test");
            prop_assert!([None, Some("https://public.test/me")].contains(&kit.url_of(&request)));
            Ok(())
        })?;
    }
}
