//! The response to an error: status, `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9449 §7.1),
//! body. No other module defines what a refusal looks like.
use super::{AuthScheme, DpopMode, Error, ErrorCode, RefusalBody, body};
use std::{borrow::Cow, sync::Arc};

/// The response of a refusal, for any HTTP library: copy the status, every header in order
/// (`www-authenticate` may occur more than once) and the body.
///
/// ```
/// use auth0_core::{Auth0, adapter::RequestView};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let builder = Auth0::builder().domain("acme.eu.auth0.com").audience("https://api.acme.com");
/// let challenge = builder.build()?.authenticate(&RequestView::new()).await.unwrap_err().challenge();
/// assert_eq!(challenge.status(), 401);
/// assert!(challenge.headers().any(|(name, value)| name == "www-authenticate" && value == "Bearer"));
/// # Ok::<(), auth0_core::ConfigError>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    status: u16,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Vec<u8>,
}

impl Challenge {
    pub(crate) fn new(error: &Error, options: Option<&ChallengeOptions>) -> Self {
        let status = error.status();
        let mut headers = Vec::with_capacity(5);
        // Another token does not correct what a client says of the body.
        let is_of_body =
            matches!(error.code(), ErrorCode::McpHeaderMismatch | ErrorCode::BodyIncomplete);
        if matches!(status, 400 | 401 | 403) && !is_of_body {
            for line in lines(error, options) {
                headers.push(("www-authenticate", Cow::Owned(line)));
            }
        }
        if let Some(nonce) = error.nonce() {
            headers.push(("dpop-nonce", Cow::Owned(nonce.to_owned())));
        }
        let (media_type, body) = body::of(error, options.and_then(|options| options.body.as_ref()));
        headers.push(("content-type", Cow::Borrowed(media_type)));
        headers.push(("cache-control", Cow::Borrowed("no-store")));
        if let Some(delay) = error.delay() {
            // Whole seconds (RFC 9110 §10.2.3), rounded up: an early retry is refused again.
            let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            headers.push(("retry-after", Cow::Owned(seconds.max(1).to_string())));
        }
        Self { status, headers, body }
    }

    /// Returns the HTTP status code: 400, 401, 403, 404, 413, 500 or 503.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns every header line: a lower-case name, and a value of printable ASCII.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, &**value))
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body, without a copy.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// The settings of every challenge of one verifier.
#[derive(Debug, Default)]
pub(crate) struct ChallengeOptions {
    pub(crate) realm: Option<String>,
    pub(crate) dpop: DpopMode,
    /// The algorithms that proofs may be signed with, separated by spaces.
    pub(crate) proof_algorithms: String,
    /// The URL of the metadata of the protected resource (RFC 9728 §5.1).
    pub(crate) resource_metadata: Option<String>,
    /// The application's own body.
    pub(crate) body: Option<RefusalBody>,
}

/// The challenge of a refusal that another crate makes about the token of a caller.
#[derive(Clone, Debug, Default)]
pub struct CallerChallenge {
    options: Option<Arc<ChallengeOptions>>,
    scheme: AuthScheme,
}

impl CallerChallenge {
    pub(crate) const fn new(options: Arc<ChallengeOptions>, scheme: AuthScheme) -> Self {
        Self { options: Some(options), scheme }
    }

    /// Returns one line for each enabled scheme, as those of a refused token.
    #[must_use]
    pub fn lines(&self, error: &str, description: &str) -> Vec<String> {
        let push_error = |line: &mut Parameters| {
            line.push("error", error);
            line.push("error_description", description);
        };
        lines_of(self.scheme, true, push_error, self.options.as_deref())
    }
}

/// Returns one line for each enabled scheme. The line of the scheme that the client used has the error.
fn lines(error: &Error, options: Option<&ChallengeOptions>) -> Vec<String> {
    // A malformed request is not corrected by another token.
    let needs_token = matches!(error.status(), 401 | 403);
    lines_of(error.scheme(), needs_token, |line| line.push_error(error), options)
}

fn lines_of(
    client_used: AuthScheme,
    needs_token: bool,
    push_error: impl Fn(&mut Parameters),
    options: Option<&ChallengeOptions>,
) -> Vec<String> {
    let mode = options.map_or(DpopMode::default(), |options| options.dpop);
    let schemes: &[AuthScheme] = match mode {
        DpopMode::Allowed => &[AuthScheme::Bearer, AuthScheme::Dpop],
        DpopMode::Required => &[AuthScheme::Dpop],
        DpopMode::Disabled => &[AuthScheme::Bearer],
    };
    // If the request names no scheme, the first line has the error.
    let used = schemes.iter().find(|scheme| **scheme == client_used).or(schemes.first());
    let line = |scheme: &AuthScheme| {
        let push_error = |line: &mut Parameters| {
            if Some(scheme) == used {
                push_error(line);
            }
        };
        line(*scheme, needs_token, push_error, options)
    };
    schemes.iter().map(line).collect()
}

fn line(
    scheme: AuthScheme,
    needs_token: bool,
    push_error: impl Fn(&mut Parameters),
    options: Option<&ChallengeOptions>,
) -> String {
    let mut line = Parameters::of(scheme.as_str());
    if let Some(realm) = options.and_then(|options| options.realm.as_deref()) {
        line.push("realm", realm);
    }
    push_error(&mut line);
    if needs_token
        && let Some(url) = options.and_then(|options| options.resource_metadata.as_deref())
    {
        line.push("resource_metadata", url);
    }
    if scheme == AuthScheme::Dpop {
        let algorithms = options.map_or("", |options| &options.proof_algorithms);
        line.push("algs", if algorithms.is_empty() { "ES256" } else { algorithms });
    }
    line.0
}

/// One `WWW-Authenticate` line.
struct Parameters(String);

impl Parameters {
    fn of(scheme: &str) -> Self {
        Self(scheme.to_owned())
    }

    fn push_error(&mut self, error: &Error) {
        if let Some(oauth) = error.code().oauth_error() {
            self.push("error", oauth);
            self.push("error_description", error.code().description());
        }
        if !error.scope().is_empty() {
            self.push("scope", error.scope());
        }
        if let Some(step_up) = error.step_up() {
            if !step_up.acr_values.is_empty() {
                self.push("acr_values", &step_up.acr_values);
            }
            if let Some(seconds) = step_up.max_age {
                self.push("max_age", &seconds.to_string());
            }
        }
    }

    /// Appends a parameter as a quoted-string (RFC 9110 §5.6.4). Characters that a quoted-string of printable
    /// ASCII cannot hold are left out.
    fn push(&mut self, name: &str, value: &str) {
        self.0.push_str(if self.0.contains('=') { ", " } else { " " });
        self.0.push_str(name);
        self.0.push_str("=\"");
        for c in value.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                ' '..='~' => self.0.push(c),
                _ => {}
            }
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_strings_are_correct() {
        let mut line = Parameters::of("Bearer");
        line.push("realm", "a \"b\" \\c\r\nX: y\u{e4}");
        line.push("error", "invalid_token");
        assert_eq!(line.0, r#"Bearer realm="a \"b\" \\cX: y", error="invalid_token""#);
    }

    #[test]
    fn retry_after_is_rounded_up() {
        for (millis, expected) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (59_999, "60")] {
            let error = Error::new(ErrorCode::KeysUnavailable)
                .retry_after(std::time::Duration::from_millis(millis));
            let challenge = error.challenge();
            assert!(challenge.headers().any(|header| header == ("retry-after", expected)));
        }
    }

    #[test]
    fn descriptions_need_no_escaping() {
        for code in ErrorCode::ALL {
            for text in [code.as_str(), code.description()] {
                assert!(text.bytes().all(|b| matches!(b, b' '..=b'~') && !b"\"\\".contains(&b)));
            }
        }
    }
}
