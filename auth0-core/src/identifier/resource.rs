//! The identifier of a protected resource (RFC 8707 §2, RFC 9728 §1.2), and the URL of its metadata.
use super::{is_loopback, placeholder::without_user_information};
use crate::config_error::ConfigError;
use std::str::FromStr;
use url::Url;

/// The well-known path of the metadata (RFC 9728 §3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The URL that clients use for this API, which is also the audience of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    identifier: Box<str>,
    /// The origin, without a slash at its end.
    origin: Box<str>,
    /// The path as the identifier has it: empty for a bare origin.
    path: Box<str>,
}

impl Resource {
    pub(crate) fn as_str(&self) -> &str {
        &self.identifier
    }

    /// Returns the audiences that a token may have for this resource: a bare origin is spelt with and without
    /// the slash.
    pub(crate) fn audiences(&self) -> Vec<String> {
        let mut spellings = vec![self.identifier.to_string()];
        match &*self.path {
            "" => spellings.push(format!("{}/", self.origin)),
            "/" => spellings.push(self.origin.to_string()),
            _ => {}
        }
        spellings
    }

    /// Returns the path of the metadata: the well-known path is inserted before that of the resource
    /// (RFC 9728 §3.1).
    pub(crate) fn metadata_path(&self) -> String {
        match &*self.path {
            "" | "/" => WELL_KNOWN.to_owned(),
            path => format!("{WELL_KNOWN}{path}"),
        }
    }

    /// Returns the paths at which clients look for the metadata: that of the resource, in both spellings of
    /// braces, and that of its origin.
    pub(crate) fn metadata_paths(&self) -> Vec<String> {
        let path = self.metadata_path();
        let mut paths = vec![with_encoded_braces(&path), WELL_KNOWN.to_owned()];
        if !paths.contains(&path) {
            paths.insert(0, path);
        }
        paths.dedup();
        paths
    }

    /// Returns the host, with its port.
    pub(crate) fn host(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, host)| host)
    }

    pub(crate) fn metadata_url(&self) -> String {
        format!("{}{}", self.origin, self.metadata_path())
    }
}

impl FromStr for Resource {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let refuse = |why: &str| {
            Err(ConfigError::new(format!(
                "the resource {:?} {why}. Write the URL that clients use for this API, for example \
                 \"https://api.acme.com/mcp\"",
                without_user_information(text)
            )))
        };
        let name = text.trim();
        let Ok(url) = Url::parse(name) else { return refuse("is not an absolute URL") };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return refuse("is plain http, which is accepted on loopback only"),
            _ => return refuse("is not an https URL"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("has user information in it");
        }
        if name.contains('#') {
            return refuse("has a fragment in it");
        }
        if name.contains('?') {
            return refuse("has a query in it");
        }
        // Clients compare it as text (RFC 9728 §3.3), so it must be spelt as they read it.
        let normal = url.as_str();
        let is_bare = url.path() == "/" && normal.strip_suffix('/') == Some(name);
        if with_encoded_braces(name) != normal && !is_bare {
            return refuse(&format!("is not in normal form; that would be {normal:?}"));
        }
        let length = url.origin().ascii_serialization().len();
        let Some((origin, path)) = name.split_at_checked(length) else {
            return refuse("is not an absolute URL");
        };
        Ok(Self { identifier: name.into(), origin: origin.into(), path: path.into() })
    }
}

/// Some clients encode braces, others send them as they are.
fn with_encoded_braces(text: &str) -> String {
    text.replace('{', "%7B").replace('}', "%7D")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_is_inserted() {
        for (text, url, paths) in [
            ("https://h.test", "https://h.test/.well-known/oauth-protected-resource", 1),
            ("https://h.test/", "https://h.test/.well-known/oauth-protected-resource", 1),
            ("https://h.test/mcp", "https://h.test/.well-known/oauth-protected-resource/mcp", 2),
            ("https://h.test/mcp/", "https://h.test/.well-known/oauth-protected-resource/mcp/", 2),
            (
                "http://127.0.0.1:3001/a/{b}:c*",
                "http://127.0.0.1:3001/.well-known/oauth-protected-resource/a/{b}:c*",
                3,
            ),
            ("https://[::1]:3/mcp", "https://[::1]:3/.well-known/oauth-protected-resource/mcp", 2),
        ] {
            let resource: Resource = text.parse().unwrap();
            assert_eq!((resource.as_str(), &*resource.metadata_url()), (text, url));
            assert_eq!(resource.metadata_paths().len(), paths);
        }
    }

    #[test]
    fn what_is_no_resource() {
        for (text, why) in [
            ("", "absolute URL"),
            ("/mcp", "absolute URL"),
            ("api.acme.com/mcp", "absolute URL"),
            ("ftp://acme.com/", "not an https URL"),
            ("urn:acme:api", "not an https URL"),
            ("http://acme.com/mcp", "loopback only"),
            ("https://user:secret@acme.com/", "user information"),
            ("https://acme.com/#a", "fragment"),
            ("https://acme.com/?a", "query"),
            ("https://acme.com/mcp?", "query"),
            ("https://ACME.com/mcp", "normal form"),
            ("https://acme.com:443/mcp", "normal form"),
            ("https://acme.com/a/../mcp", "normal form"),
            ("https://acme.com/a b", "normal form"),
            ("https://acme.com/\u{e4}", "normal form"),
        ] {
            let error = text.parse::<Resource>().unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("secret"), "{text}: {error}");
            assert!(error.contains("https://api.acme.com/mcp"), "says what to write: {error}");
        }
    }

    #[test]
    fn a_bare_origin_has_two_spellings() {
        let spellings = |text: &str| text.parse::<Resource>().unwrap().audiences();
        assert_eq!(spellings("https://h.test"), ["https://h.test", "https://h.test/"]);
        assert_eq!(spellings("https://h.test/"), ["https://h.test/", "https://h.test"]);
        assert_eq!(spellings("https://h.test/mcp"), ["https://h.test/mcp"]);
    }
}
