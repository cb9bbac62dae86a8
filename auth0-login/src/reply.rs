//! Responses.
use std::{fmt, time::Duration};

/// The headers of every response that depends on who is signed in, or changes it: no cache may keep it.
pub(crate) const NOT_CACHED: &str = "private, no-store";

/// A response, for any HTTP library: copy the status, every header and the body. `Debug` omits the values of cookies.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        let headers = vec![("cache-control", "no-store".to_owned())];
        Self { status, headers, body: String::new() }
    }

    /// Creates a response that has the given headers only.
    pub(crate) const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn with_body(mut self, body: String) -> Self {
        self.body = body;
        self
    }

    /// Sends the browser to another page (RFC 9110 §15.4.4). The URL of this one may have a code, which no other site
    /// may learn.
    pub(crate) fn redirect(url: &str) -> Self {
        Self::new(303).with("location", url).with("referrer-policy", "no-referrer")
    }

    /// Answers a script in the form of the refusals of this family.
    pub(crate) fn json(status: u16, error: &str, code: &str, description: &str) -> Self {
        let body = serde_json::json!({
            "error": error, "error_code": code, "error_description": description,
        });
        let mut reply = Self::new(status).with("content-type", "application/json");
        reply.body = body.to_string();
        reply
    }

    pub(crate) fn html(status: u16, body: String) -> Self {
        const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                              form-action 'self'; frame-ancestors 'none'";
        let mut reply = Self::new(status)
            .with("content-type", "text/html; charset=utf-8")
            .with("content-security-policy", POLICY)
            .with("referrer-policy", "no-referrer");
        reply.body = body;
        reply
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn cookie(self, line: String) -> Self {
        self.with("set-cookie", line)
    }

    pub(crate) fn cookies(self, lines: impl IntoIterator<Item = String>) -> Self {
        lines.into_iter().fold(self, Self::cookie)
    }

    pub(crate) fn retry_after(self, time: Duration) -> Self {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        let mut this = self;
        this.headers.retain(|(name, _)| *name != "retry-after");
        this.with("retry-after", seconds.max(1).to_string())
    }

    /// Returns the HTTP status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns every header: a lower-case name, and a value of printable ASCII. A name can come several times.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Returns the body without a copy.
    #[must_use]
    pub fn into_body(self) -> String {
        self.body
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}
