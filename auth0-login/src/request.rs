//! The parts of a request that a login reads.
use std::fmt;
use url::form_urlencoded;

/// A longer query is not one of a login: Auth0's codes and states are short.
const MAX_QUERY_BYTES: usize = 16 * 1024;

/// The parts of an HTTP request that a login reads, for any HTTP library: adapters copy the method, the target and every
/// header. `Debug` omits the cookies and the query, which may have a code.
///
/// ```
/// use auth0_login::Request;
///
/// let request = Request::new("GET", "/me?tab=1")
///     .header("accept", b"text/html")
///     .header("cookie", b"theme=dark")
///     .header("sec-fetch-mode", b"navigate");
/// assert!(request.is_navigation());
/// assert!(!Request::new("POST", "/me").is_navigation());
/// ```
#[derive(Clone)]
#[must_use]
pub struct Request {
    method: String,
    target: String,
    cookie_lines: Vec<Box<[u8]>>,
    host: Option<String>,
    accept: Option<String>,
    content_type: Option<String>,
    origin: Option<String>,
    fetch: Fetch,
    is_prefetch: bool,
}

/// What the browser says of a request (Fetch Metadata).
#[derive(Clone, Debug, Default)]
struct Fetch {
    mode: Option<String>,
    site: Option<String>,
    destination: Option<String>,
}

impl Request {
    /// Creates a request with a method and a target: the path with the query, as the browser has them.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            cookie_lines: Vec::new(),
            host: None,
            accept: None,
            content_type: None,
            origin: None,
            fetch: Fetch::default(),
            is_prefetch: false,
        }
    }

    /// Adds a header line, by its name. Those that a login does not read are skipped.
    pub fn header(mut self, name: &str, value: &[u8]) -> Self {
        let name = name.to_ascii_lowercase();
        let place = match name.as_str() {
            "cookie" => {
                self.cookie_lines.push(value.into());
                return self;
            }
            "purpose" | "sec-purpose" | "x-purpose" | "x-moz" => {
                let value = value.to_ascii_lowercase();
                self.is_prefetch |= value.starts_with(b"prefetch") || value.starts_with(b"preview");
                return self;
            }
            "next-router-prefetch" => {
                self.is_prefetch = true;
                return self;
            }
            "host" => &mut self.host,
            "accept" => &mut self.accept,
            "content-type" => &mut self.content_type,
            "origin" => &mut self.origin,
            "sec-fetch-mode" => &mut self.fetch.mode,
            "sec-fetch-site" => &mut self.fetch.site,
            "sec-fetch-dest" => &mut self.fetch.destination,
            _ => return self,
        };
        *place = Some(String::from_utf8_lossy(value).trim().to_ascii_lowercase());
        self
    }

    /// Returns the values of `Cookie`, which are read when they are needed: most requests of a site need none.
    pub(crate) fn cookie_lines(&self) -> impl Iterator<Item = &[u8]> {
        self.cookie_lines.iter().map(|line| &**line)
    }

    /// Returns the host that the browser has asked for, in lower case.
    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path with the query.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    pub(crate) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Returns the parameters of the query.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
        if query.len() > MAX_QUERY_BYTES {
            return Vec::new();
        }
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// Returns whether a person opens a page with it: a redirect to the login is an answer. A script that loads data, and a
    /// form that sends some, cannot follow one.
    #[must_use]
    pub fn is_navigation(&self) -> bool {
        let is_html = || self.accept.as_ref().is_some_and(|accept| accept.contains("text/html"));
        self.method == "GET"
            && !self.is_prefetch
            && match &self.fetch.mode {
                Some(mode) => mode == "navigate",
                None => is_html(),
            }
    }

    /// Returns whether a browser shows the answer as a page.
    pub(crate) fn shows_pages(&self) -> bool {
        self.fetch.mode.as_ref().is_none_or(|mode| mode == "navigate")
            && !self.is_prefetch
            && self.wants_html()
    }

    fn wants_html(&self) -> bool {
        self.accept.as_ref().is_some_and(|accept| accept.contains("text/html"))
    }

    /// Returns whether the browser asks in advance, for a page that the person may not open.
    pub(crate) const fn is_prefetch(&self) -> bool {
        self.is_prefetch
    }

    /// Returns whether another site has made the browser send it.
    pub(crate) fn is_of_other_site(&self, own_origin: &str) -> bool {
        match (&self.fetch.site, &self.origin) {
            (Some(site), _) => !matches!(site.as_str(), "same-origin" | "none"),
            (None, Some(origin)) => !origin.eq_ignore_ascii_case(own_origin),
            (None, None) => false,
        }
    }

    /// Returns whether it is a top-level navigation, and not an image or a frame.
    pub(crate) fn is_top_level(&self) -> bool {
        self.fetch.destination.as_ref().is_none_or(|destination| destination == "document")
            && self.fetch.mode.as_ref().is_none_or(|mode| mode == "navigate")
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &path)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secrets() {
        let request = Request::new("GET", "/auth/callback?code=s3cret&state=s3cret")
            .header("cookie", b"__Host-a0_session=s3cret")
            .header("host", b"app.acme.com");
        let text = format!("{request:?}");
        assert!(text.contains("/auth/callback") && text.contains("app.acme.com"), "{text}");
        let bytes = format!("{:?}", b"s3cret");
        assert!(
            !text.contains("s3cret") && !text.contains(bytes.trim_matches(['[', ']'])),
            "{text}"
        );
    }
}
