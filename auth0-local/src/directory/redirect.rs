//! URLs to which a browser is sent.
use url::{Host, Url};

/// Schemes that run code in a browser, or read files.
const REFUSED_SCHEMES: [&str; 9] =
    ["javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws"];

/// Schemes that a website can receive: a browser opens them itself, or lets a website handle them. Those of
/// HTML's `registerProtocolHandler`, others of common browsers, and every `web+…`.
const SCHEMES_OF_WEBSITES: [&str; 31] = [
    "http",
    "https",
    "ws",
    "wss",
    "bitcoin",
    "ftp",
    "ftps",
    "geo",
    "im",
    "irc",
    "ircs",
    "magnet",
    "mailto",
    "matrix",
    "mms",
    "news",
    "nntp",
    "openpgp4fpr",
    "sftp",
    "sip",
    "sms",
    "smsto",
    "ssh",
    "tel",
    "urn",
    "webcal",
    "wtai",
    "xmpp",
    "intent",
    "ipfs",
    "microsoft-edge",
];

/// Returns whether a browser can be sent to a URL: absolute, without a fragment (RFC 6749 §3.1.2), user
/// information, or characters that a header or page cannot have, and of a scheme that runs no code.
pub(crate) fn is_redirect_url(text: &str) -> bool {
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    is_plain
        && Url::parse(text).is_ok_and(|url| {
            !REFUSED_SCHEMES.contains(&url.scheme())
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
                && (url.has_host() || !["http", "https"].contains(&url.scheme()))
        })
}

/// Returns whether it is such a URL, and one to which a server can send a request.
pub(crate) fn is_endpoint_url(text: &str) -> bool {
    let is_http = |url: Url| ["http", "https"].contains(&url.scheme());
    is_redirect_url(text) && Url::parse(text).is_ok_and(is_http)
}

/// Returns whether it is such a URL, and one of this machine over plain http (RFC 8252 §7.3).
pub(crate) fn is_loopback_url(text: &str) -> bool {
    is_redirect_url(text)
        && text.starts_with("http://")
        && match Url::parse(text).ok().as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

/// Returns whether it is such a URL, and one of a scheme that a native application registers (RFC 8252 §7.1).
pub(crate) fn is_native_url(text: &str) -> bool {
    let is_native = |url: Url| {
        !SCHEMES_OF_WEBSITES.contains(&url.scheme()) && !url.scheme().starts_with("web+")
    };
    is_redirect_url(text) && Url::parse(text).is_ok_and(is_native)
}

/// Returns whether it is such a URL, and one of a website over https.
pub(crate) fn is_website_url(text: &str) -> bool {
    is_redirect_url(text) && Url::parse(text).is_ok_and(|url| url.scheme() == "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (url, is_redirect, is_loopback) in [
            ("http://127.0.0.1:3000/callback", true, true),
            ("http://localhost/callback?a=b", true, true),
            ("http://[::1]:1/", true, true),
            ("http://127.0.0.1", true, true),
            ("https://app.acme.com/callback", true, false),
            ("https://127.0.0.1/callback", true, false),
            ("http://app:3000/callback", true, false),
            ("com.acme.app:/callback", true, false),
            ("cursor://anysphere.cursor-mcp/oauth/callback", true, false),
            ("http://localhost.evil.test/", true, false),
            ("http://127.0.0.1.evil.test/", true, false),
            ("http://evil.test/?http://127.0.0.1/", true, false),
            ("HTTP://127.0.0.1/", true, false),
            ("javascript:alert(1)", false, false),
            ("JavaScript://127.0.0.1/%0aalert(1)", false, false),
            ("data:text/html,a", false, false),
            ("file:///etc/passwd", false, false),
            ("http://localhost@evil.test/", false, false),
            ("http://:secret@127.0.0.1/", false, false),
            ("http://127.0.0.1/#fragment", false, false),
            ("http://127.0.0.1/\r\nset-cookie: a=b", false, false),
            ("http://127.0.0.1/\t", false, false),
            ("http://127.0.0.1/é", false, false),
            ("http://127.0.0.1\\@evil.test/", false, false),
            ("/callback", false, false),
            ("//127.0.0.1/callback", false, false),
            ("http:", false, false),
            ("", false, false),
        ] {
            assert_eq!(
                (is_redirect_url(url), is_loopback_url(url)),
                (is_redirect, is_loopback),
                "{url}"
            );
        }
    }
}
