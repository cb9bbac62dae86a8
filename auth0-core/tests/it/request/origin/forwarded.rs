//! What proxies say of the URL, and which peers may.
use super::{CLIENT, FORWARDED, HOST, Kit, PROTO, PROXY, from};
use auth0_core::adapter::Connection;

#[test]
fn the_headers_of_a_trusted_proxy_count() {
    let kit = Kit::behind_a_proxy();
    let (plain, tls) = (Some("http://api.test/me"), Some("https://api.test/me"));
    let (public, http) = (Some("https://public.test/me"), Some("http://public.test/me"));
    let with_port = Some("https://public.test:8443/me");
    type Row = (&'static [(&'static str, &'static str)], Option<&'static str>);
    let rows: [Row; 58] = [
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
        // What a client can try where a proxy appends to what was sent.
        (&[(FORWARDED, "host=evil.test;x, for=192.0.2.1")], None),
        (&[(FORWARDED, "host=evil.test;for=\", for=\"[2001:db8::9]\"")], None),
        (&[(FORWARDED, "host=evil.test;for=\", for=192.0.2.1")], None),
        (&[(PROTO, "https, http")], None),
        (&[(PROTO, "https,https")], None),
        (&[(HOST, "evil.test, public.test")], None),
        // A comma is allowed in a host name of RFC 3986.
        (&[(HOST, "evil.test,public.test")], None),
        (&[(HOST, "public.test,")], None),
        (&[(FORWARDED, "host=\"evil.test,public.test\"")], None),
        (&[(FORWARDED, "proto=\"https,http\"")], None),
        (&[(PROTO, "https"), (PROTO, "https")], None),
        (&[(HOST, "evil.test"), (HOST, "public.test")], None),
        (&[(FORWARDED, "host=evil.test"), (FORWARDED, "host=public.test")], None),
        // Values that are no scheme, no host or no element.
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
    for (headers, expected) in rows {
        let mut request = from(PROXY);
        for (name, value) in headers {
            request = request.with(name, *value);
        }
        let got = kit.url_of(&request);
        if got != expected {
            wrong.push(format!("{headers:?}: expected {expected:?}, got {got:?}"));
        }
        // From a peer that is not trusted, it does not count.
        let connection = Connection::new().tls(false);
        if kit.url_of(&request.connection(connection).from(CLIENT)) != plain {
            wrong.push(format!("{headers:?}: from a peer that is not trusted"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let request = from(PROXY).with(HOST, b"p\xffblic.test");
    assert_eq!(kit.url_of(&request), None, "not text");
}

#[test]
fn only_peers_on_the_list_are_trusted() {
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
        let request = from(peer).with(PROTO, "https");
        let expected = if trusted { "https://api.test/me" } else { "http://api.test/me" };
        assert_eq!(kit.url_of(&request), Some(expected), "{peer}");
    }
    let unknown = from(PROXY).with(PROTO, "https").connection(Connection::new().tls(false));
    assert_eq!(kit.url_of(&unknown), Some("http://api.test/me"), "the peer is not known");
}

#[test]
fn a_connection_with_a_client_certificate_uses_tls() {
    let kit = Kit::behind_a_proxy();
    let connection = Connection::new().client_certificate(b"a certificate");
    let request = from(CLIENT).connection(connection);
    assert_eq!(kit.url_of(&request), Some("https://api.test/me"));
}
