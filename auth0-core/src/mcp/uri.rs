//! The URI of a resource, compared with the prefixes of requirements.
use url::Url;

/// A longer URI is not read.
const MAX_URI_BYTES: usize = 8 * 1024;

/// A URI, and whether it is written as a server compares it. One that is not may be read as any other one.
pub(super) struct Uri {
    /// Without query and fragment.
    path: String,
    is_normal: bool,
}

impl Uri {
    pub(super) fn new(text: &str) -> Self {
        let path = text.split(['?', '#']).next().unwrap_or_default().to_owned();
        Self { path, is_normal: is_normal(text) }
    }

    /// Returns whether the URI begins with a prefix, or is the folder that the prefix names. A prefix that is not in
    /// normal form fits every URI.
    pub(super) fn has_prefix(&self, prefix: &str) -> bool {
        let is_folder = || prefix.strip_suffix('/') == Some(&self.path);
        !self.is_normal || self.path.starts_with(prefix) || is_folder() || !is_normal(prefix)
    }
}

fn is_normal(text: &str) -> bool {
    let is_same = || match Url::parse(text) {
        Ok(url) => url.as_str() == text,
        Err(url::ParseError::RelativeUrlWithoutBase) => true,
        Err(_) => false,
    };
    text.len() <= MAX_URI_BYTES
        && text.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !b"\\;".contains(&byte))
        && has_plain_path(text)
        && has_normal_escapes(text)
        && is_same()
}

/// Returns whether authority and path have neither of what servers leave out or translate: empty segments, dots,
/// upper case, user information, a dot at the end of the host.
fn has_plain_path(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let (authority, segments) = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        None => ("", path),
    };
    let host = authority.split(':').next().unwrap_or_default();
    let is_plain_authority = !authority.bytes().any(|byte| byte.is_ascii_uppercase())
        && !authority.contains('@')
        && !host.ends_with('.');
    is_plain_authority
        && !segments.contains("//")
        && !segments.starts_with('/')
        && !segments.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// Returns whether each percent-encoded byte must be encoded, and is so in upper case (RFC 3986 §6.2.2).
fn has_normal_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.get(..2).filter(|digits| !digits.bytes().any(|b| b.is_ascii_lowercase()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        byte.is_some_and(|byte| !byte.is_ascii_alphanumeric() && !b"-._~/\\".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_fits_every_prefix() {
        for (uri, prefix, fits) in [
            ("file:///secret/a", "file:///secret/", true),
            ("file:///secret", "file:///secret/", true),
            ("file:///secret?a", "file:///secret/", true),
            ("file:///open/a", "file:///secret/", false),
            ("file:///open/a%20b", "file:///secret/", false),
            ("file:///open?x=//", "file:///secret/", false),
            ("file:///open/a", "FILE:///secret/", true),
            ("file:///%73ecret/a", "file:///secret/", true),
            ("file:///s%c3%a9/a", "file:///s%C3%A9/", true),
            ("file:///open/%zz", "file:///secret/", true),
            ("file:///open/%2E%2E/secret", "file:///secret/", true),
            ("file:///open/../secret/a", "file:///secret/", true),
            ("file:////secret/a", "file:///secret/", true),
            ("file://localhost/secret/a", "file:///secret/", true),
            ("FILE:///secret/a", "file:///secret/", true),
            ("https://acme.com//secret/a", "https://acme.com/secret/", true),
            ("https://acme.com./secret/a", "https://acme.com/secret/", true),
            ("https://acme.com:443/secret/a", "https://acme.com/secret/", true),
            ("https://a@acme.com/secret/a", "https://acme.com/secret/", true),
            ("https://acme.com/secret;x/a", "https://acme.com/secret/", true),
            ("https://acme.com/open/a", "https://acme.com/secret/", false),
            ("notes://Secret/a", "notes://secret/", true),
            ("notes://secr%65t/a", "notes://secret/", true),
            ("notes://open/a", "notes://secret/", false),
            ("notes:a", "notes:b", false),
            ("a/b", "a/", true),
            ("b/b", "a/", false),
        ] {
            assert_eq!(Uri::new(uri).has_prefix(prefix), fits, "{uri} {prefix}");
        }
    }
}
