//! The URI of a request, without query and fragment, compared as RFC 3986 §6.2.2 and §6.2.3 say: the
//! case of scheme and host, percent-encoding, dot segments, the default port and an empty path make
//! no difference; the case of the path does.
//!
//! Not the `url` crate, because it follows the rules of browsers: it reads `\` as `/`, drops tabs
//! and rewrites hosts, so URLs that it makes equal are different to a server.
use std::{borrow::Cow, fmt};

#[derive(Clone, Copy, Debug)]
pub(crate) struct HttpUri<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority<'a>,
    /// The path, which begins with `/` or is empty.
    pub(crate) path: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// A host and perhaps a port (RFC 9110 §4.2); no user information.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authority<'a> {
    host: &'a str,
    /// The digits of the port, or an empty text.
    port: &'a str,
}

impl Scheme {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(text))
    }

    const fn default_port(self) -> &'static str {
        match self {
            Self::Http => "80",
            Self::Https => "443",
        }
    }
}

impl<'a> Authority<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let end = if text.starts_with('[') {
            text.find(']')? + 1
        } else {
            text.find(':').unwrap_or(text.len())
        };
        let (host, rest) = text.split_at_checked(end)?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port,
            None if rest.is_empty() => "",
            None => return None,
        };
        let is_port = port.is_empty()
            || (port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok());
        (is_host(host) && is_port).then_some(Self { host, port })
    }

    /// Returns the host in its normal form: two hosts are the same if their normal forms are equal.
    pub(crate) fn name(self) -> Cow<'a, str> {
        let mut name = decoded(self.host);
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            name.to_mut().make_ascii_lowercase();
        }
        match name {
            Cow::Borrowed(name) => Cow::Borrowed(name.strip_suffix('.').unwrap_or(name)),
            Cow::Owned(name) => Cow::Owned(name.strip_suffix('.').unwrap_or(&name).to_owned()),
        }
    }

    pub(crate) fn equals(&self, other: &Authority<'_>, scheme: Scheme) -> bool {
        let is_default = |port: &str| port.is_empty() || port == scheme.default_port();
        (self.port == other.port || (is_default(self.port) && is_default(other.port)))
            && same_host(self.host, other.host)
    }
}

impl<'a> HttpUri<'a> {
    /// Parses an absolute URI with the scheme `http` or `https`.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let scheme = Scheme::parse(scheme)?;
        let rest = rest.strip_prefix("//")?;
        let rest = rest.find(['?', '#']).and_then(|end| rest.get(..end)).unwrap_or(rest);
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
        Some(Self { scheme, authority: Authority::parse(authority)?, path })
    }

    pub(crate) fn equals(&self, other: &HttpUri<'_>) -> bool {
        self.scheme == other.scheme
            && self.authority.equals(&other.authority, self.scheme)
            && same_path(self.path, other.path)
    }

    /// Returns whether `signed` is this URL, to which a request was sent. To routers, dot segments are names,
    /// so those of the request must be signed as they were sent.
    pub(crate) fn is_signed_as(&self, signed: &HttpUri<'_>) -> bool {
        self.equals(signed)
            && (self.path == signed.path
                || !has_dot_segments(self.path)
                || decoded(self.path) == decoded(signed.path))
    }
}

/// Writes the URI for the log.
impl fmt::Display for HttpUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, authority: Authority { host, port }, path } = self;
        let colon = if port.is_empty() { "" } else { ":" };
        write!(f, "{}://{host}{colon}{port}{path}", scheme.as_str())
    }
}

/// Returns whether a text is a `host` of RFC 3986 §3.2.2 that is not empty. An address in brackets is only
/// compared, never connected to, so its digits are not checked.
fn is_host(host: &str) -> bool {
    if let Some(literal) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return !literal.is_empty()
            && literal
                .bytes()
                .all(|byte| is_unreserved(byte) || is_sub_delimiter(byte) || byte == b':');
    }
    !host.is_empty() && {
        let mut bytes = host.bytes();
        while let Some(byte) = bytes.next() {
            let fits = match byte {
                b'%' => {
                    let mut digit = || bytes.next().is_some_and(|b| b.is_ascii_hexdigit());
                    digit() && digit()
                }
                _ => is_unreserved(byte) || is_sub_delimiter(byte),
            };
            if !fits {
                return false;
            }
        }
        true
    }
}

fn same_host(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (has_percent(a, b) && decoded(a).eq_ignore_ascii_case(&decoded(b)))
}

/// Returns whether two paths have the same normal form. Nearly always they are the same bytes.
fn same_path(a: &str, b: &str) -> bool {
    a == b || normal_path(a) == normal_path(b)
}

/// Returns the normal form of a path.
pub(crate) fn normal_path(path: &str) -> String {
    without_dot_segments(&decoded(path))
}

/// Returns whether a path has dot segments, which its normal form does not.
pub(crate) fn has_dot_segments(path: &str) -> bool {
    decoded(path).split('/').any(|segment| matches!(segment, "." | ".."))
}

fn has_percent(a: &str, b: &str) -> bool {
    a.contains('%') || b.contains('%')
}

/// Normalizes percent-encoding (RFC 3986 §6.2.2.1, §6.2.2.2): upper-case digits, and no encoding of
/// characters that need none. A `%` that begins no triplet stays as it is.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        rest = after;
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if is_unreserved(byte) => normal.push(char::from(byte)),
            Some(_) => {
                normal.push('%');
                normal.push_str(&digits.unwrap_or_default().to_ascii_uppercase());
            }
            None => {
                normal.push('%');
                continue;
            }
        }
        rest = after.get(2..).unwrap_or_default();
    }
    normal.push_str(rest);
    Cow::Owned(normal)
}

/// Removes dot segments (RFC 3986 §5.2.4) from a path that begins with `/`, or is empty, which means `/` in
/// HTTP.
fn without_dot_segments(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_in_slash = true;
    for segment in path.split('/').skip(1) {
        ends_in_slash = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let mut normal = String::with_capacity(path.len() + 1);
    for segment in &segments {
        normal.push('/');
        normal.push_str(segment);
    }
    if ends_in_slash {
        normal.push('/');
    }
    normal
}

/// Returns whether a byte is unreserved (RFC 3986 §2.3).
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Returns whether a byte is a sub-delimiter (RFC 3986 §2.2).
const fn is_sub_delimiter(byte: u8) -> bool {
    matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;
    use fluent_uri::{Uri, normalize::Normalizer};
    use proptest::prelude::*;

    fn equal(a: &str, b: &str) -> bool {
        HttpUri::parse(a).unwrap().equals(&HttpUri::parse(b).unwrap())
    }

    /// Returns the normal form of a URI by another implementation of RFC 3986, without query and fragment.
    fn normal(text: &str) -> String {
        let uri = Uri::parse(text).unwrap();
        let mut uri = Normalizer::new().normalize(&uri).unwrap();
        uri.set_fragment(None);
        let text = uri.as_str().split('?').next().unwrap().to_owned();
        if uri.path().as_str().is_empty() { text + "/" } else { text }
    }

    #[test]
    fn what_makes_no_difference_and_what_does() {
        for (a, b) in [
            ("HTTPS://API.example:443/a", "https://api.example/a"),
            ("http://api:80", "http://api/"),
            ("http://api:", "http://api/"),
            ("https://api/a/../b", "https://api/b"),
            ("https://api/./b", "https://api/b"),
            ("https://api/../../b", "https://api/b"),
            ("https://api/a/..", "https://api/"),
            ("https://api/%61%2fb", "https://api/a%2Fb"),
            ("https://api/%2e%2E/b", "https://api/b"),
            ("https://%61pi/", "https://api/"),
            ("https://[::AB]/", "https://[::ab]:443/"),
            ("https://api/a?x#y", "https://api/a"),
        ] {
            assert!(equal(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("http://api/", "https://api/"),
            ("http://api:443/", "https://api/"),
            ("https://api:80/", "https://api/"),
            ("https://api/a", "https://api/A"),
            ("https://api/a", "https://api/a/"),
            ("https://api/a%2Fb", "https://api/a/b"),
            ("https://api//a", "https://api/a"),
            ("https://api/a", "https://api/b"),
            ("https://api/a;b", "https://api/a"),
            ("https://api.other/", "https://api/"),
        ] {
            assert!(!equal(a, b), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_http_uri_is_refused() {
        for text in [
            "",
            "api",
            "/a",
            "//api/a",
            "ftp://api/a",
            "https:api",
            "https:/api",
            "https:///a",
            "https://",
            "https://user@api/a",
            "https://user:pass@api/",
            "https://api:99999/",
            "https://api:x/",
            "https://api:-1/",
            "https://api:1:2/",
            "https://a b/",
            "https://[::1/",
            "https://[]/",
            "https://[::1]x/",
            "https://%6/",
            "https://%zz/",
            "https://api\\a/",
            "https://\u{e4}/",
            " https://api/",
        ] {
            assert!(HttpUri::parse(text).is_none(), "{text}");
        }
        for text in ["api/a?", "api/a#", "user@api", "api:99999", "api?", "", ":80", "a,b/"] {
            assert!(Authority::parse(text).is_none(), "{text}");
        }
    }

    fn uri() -> impl Strategy<Value = String> {
        let segment = "(\\.|\\.\\.|%2[eE]|%2[fF]|%6[1A-F]|%7[eE]|%c3%A4|[abAB~;=@:!]){0,3}";
        (
            "(http|https|HTTP|hTTps)",
            "(a|A|b|%61|%41|%c3|a\\.b|127\\.0\\.0\\.1|\\[::a\\]|\\[::A\\])",
            "(|:|:80|:443|:8080)",
            prop::collection::vec(segment, 0..4),
            "(|\\?x=/y|#z)",
        )
            .prop_map(|(scheme, host, port, segments, rest)| {
                let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
                format!("{scheme}://{host}{port}{path}{rest}")
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        /// Two URIs are equal if and only if they have one normal form.
        #[test]
        fn as_another_implementation_says(a in uri(), b in uri()) {
            prop_assert_eq!(equal(&a, &b), normal(&a) == normal(&b), "{} {}", normal(&a), normal(&b));
        }

        /// The same for two that differ in their path only, which are equal often enough.
        #[test]
        fn paths_as_another_implementation_says(
            a in "(/(\\.|\\.\\.|%2[eE]|a|%61|%2f|%2F){0,2}){0,5}",
            b in "(/(\\.|\\.\\.|%2[eE]|a|%61|%2f|%2F){0,2}){0,5}",
        ) {
            let (a, b) = (format!("http://h{a}"), format!("http://h{b}"));
            prop_assert_eq!(equal(&a, &b), normal(&a) == normal(&b), "{} {}", normal(&a), normal(&b));
        }

        #[test]
        fn every_uri_equals_its_normal_form(uri in uri()) {
            prop_assert!(equal(&uri, &normal(&uri)));
            prop_assert!(equal(&uri, &uri));
        }

        #[test]
        fn never_panics(text in any::<String>(), host in "[a-z%:\\[\\]0-9@]{0,12}", path in "[/.%2eéa]{0,12}") {
            let _ = HttpUri::parse(&text);
            let _ = Authority::parse(&host);
            same_path(&path, &text);
            same_host(&host, &text);
        }
    }
}
