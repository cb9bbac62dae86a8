//! From an error to the wire: status, `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9449 §7.1),
//! body. The only place that knows what a refusal looks like.
use crate::{
    credentials::Scheme,
    dpop::DpopMode,
    error::{Error, ErrorCode, ErrorKind},
};
use std::{borrow::Cow, fmt, sync::Arc};

/// A refusal as it goes over the wire, for any HTTP library: copy the status, every header in
/// order (`www-authenticate` may occur more than once) and the body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    status: u16,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Vec<u8>,
}

impl Challenge {
    pub(crate) fn new(error: &Error, options: Option<&ChallengeOptions>) -> Self {
        let status = status(error.kind());
        let mut headers = Vec::with_capacity(5);
        if matches!(status, 400 | 401 | 403) {
            for line in lines(error, options) {
                headers.push(("www-authenticate", Cow::Owned(line)));
            }
        }
        if let Some(nonce) = error.nonce() {
            headers.push(("dpop-nonce", Cow::Owned(nonce.to_owned())));
        }
        let body = options
            .and_then(|options| options.render.as_ref())
            .map_or_else(|| RefusalBody::standard(error), |render| (render.0)(error));
        headers.push(("content-type", Cow::Borrowed(body.content_type)));
        headers.push(("cache-control", Cow::Borrowed("no-store")));
        if let Some(delay) = error.delay() {
            // Whole seconds (RFC 9110 §10.2.3), rounded up: coming back early is of no use.
            let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            headers.push(("retry-after", Cow::Owned(seconds.max(1).to_string())));
        }
        Self { status, headers, body: body.bytes }
    }

    /// The HTTP status code: 400, 401, 403, 500 or 503.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Every header field line: lower-case name, and a value of printable ASCII.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, &**value))
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, without a copy.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// What the application has set up for every challenge of one verifier.
#[derive(Debug, Default)]
pub(crate) struct ChallengeOptions {
    pub(crate) realm: Option<String>,
    pub(crate) dpop: DpopMode,
    /// The algorithms that proofs may be signed with, with spaces between them.
    pub(crate) proof_algorithms: String,
    pub(crate) render: Option<RenderBody>,
}

type Render = dyn Fn(&Error) -> RefusalBody + Send + Sync;

/// The application's own rendering of the body.
#[derive(Clone)]
pub(crate) struct RenderBody(pub(crate) Arc<Render>);

impl fmt::Debug for RenderBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RenderBody(_)")
    }
}

/// The body of a refusal, as the application wants it: see
/// [`Builder::refusal_body`](crate::Builder::refusal_body).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusalBody {
    content_type: &'static str,
    bytes: Vec<u8>,
}

impl RefusalBody {
    /// A body of this media type, for example `application/problem+json`.
    ///
    /// A media type that is not printable ASCII could not be sent; it is replaced by
    /// `application/octet-stream` and reported in the log.
    #[must_use]
    pub fn new(content_type: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        let sendable = content_type.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !sendable {
            tracing::error!(
                target: "auth0",
                "the media type of a refusal body is not printable ASCII: application/octet-stream is sent"
            );
        }
        let content_type = if sendable { content_type } else { "application/octet-stream" };
        Self { content_type, bytes: bytes.into() }
    }

    fn standard(error: &Error) -> Self {
        // Codes and descriptions are our own words, without a character that JSON would escape.
        let bytes = format!(
            r#"{{"error":"{}","error_description":"{}","error_code":"{}"}}"#,
            oauth_error(error.code()).unwrap_or("unauthorized"),
            error.code().description(),
            error.code(),
        );
        Self { content_type: "application/json", bytes: bytes.into_bytes() }
    }
}

const fn status(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::CredentialsMissing
        | ErrorKind::TokenInvalid
        | ErrorKind::ProofInvalid
        | ErrorKind::LoginInsufficient => 401,
        ErrorKind::RequestMalformed => 400,
        ErrorKind::Forbidden => 403,
        ErrorKind::Unavailable => 503,
        ErrorKind::Misconfigured => 500,
    }
}

/// The error code of RFC 6750 §3.1, RFC 9449 §7.1 and §9, RFC 9470 §3 (RFC 6749 §4.1.2.1 for what is not
/// the client's fault). None where the client has just not authenticated yet.
const fn oauth_error(code: ErrorCode) -> Option<&'static str> {
    match code.kind() {
        ErrorKind::CredentialsMissing => None,
        ErrorKind::RequestMalformed => Some("invalid_request"),
        ErrorKind::TokenInvalid => Some("invalid_token"),
        ErrorKind::ProofInvalid => match code {
            ErrorCode::DpopNonceRequired => Some("use_dpop_nonce"),
            _ => Some("invalid_dpop_proof"),
        },
        ErrorKind::Forbidden => Some("insufficient_scope"),
        ErrorKind::LoginInsufficient => Some("insufficient_user_authentication"),
        ErrorKind::Unavailable => Some("temporarily_unavailable"),
        ErrorKind::Misconfigured => Some("server_error"),
    }
}

/// One line for each scheme that is enabled. What is wrong stands on that of the scheme that the client
/// used; an error of the verifier's own or of a requirement alone names both, as verifiers do unless
/// told otherwise.
fn lines(error: &Error, options: Option<&ChallengeOptions>) -> Vec<String> {
    let mode = options.map_or(DpopMode::default(), |options| options.dpop);
    let schemes: &[Scheme] = match mode {
        DpopMode::Allowed => &[Scheme::Bearer, Scheme::Dpop],
        DpopMode::Required => &[Scheme::Dpop],
        DpopMode::Disabled => &[Scheme::Bearer],
    };
    // A request that names no scheme at all is told on the first line.
    let used = schemes.iter().find(|scheme| **scheme == error.scheme()).or(schemes.first());
    schemes.iter().map(|scheme| line(*scheme, Some(scheme) == used, error, options)).collect()
}

fn line(
    scheme: Scheme,
    is_used: bool,
    error: &Error,
    options: Option<&ChallengeOptions>,
) -> String {
    let mut line = Parameters::of(scheme.as_str());
    if let Some(realm) = options.and_then(|options| options.realm.as_deref()) {
        line.push("realm", realm);
    }
    if is_used {
        line.push_error(error);
    }
    if scheme == Scheme::Dpop {
        let algorithms = options.map_or("", |options| &options.proof_algorithms);
        line.push("algs", if algorithms.is_empty() { "ES256" } else { algorithms });
    }
    line.0
}

/// One `WWW-Authenticate` field line.
struct Parameters(String);

impl Parameters {
    fn of(scheme: &str) -> Self {
        Self(scheme.to_owned())
    }

    fn push_error(&mut self, error: &Error) {
        if let Some(oauth) = oauth_error(error.code()) {
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

    /// Appends a parameter as a quoted-string (RFC 9110 §5.6.4). What a quoted-string of printable
    /// ASCII cannot hold is left out rather than sent.
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
        let mut code = ErrorCode::TokenMissing;
        loop {
            for text in [code.as_str(), code.description()] {
                assert!(text.bytes().all(|b| matches!(b, b' '..=b'~') && !b"\"\\".contains(&b)));
            }
            // Exhaustive on purpose: a new code has to be added to this walk.
            code = match code {
                ErrorCode::TokenMissing => ErrorCode::SchemeUnsupported,
                ErrorCode::SchemeUnsupported => ErrorCode::RequestMalformed,
                ErrorCode::RequestMalformed => ErrorCode::TokenMalformed,
                ErrorCode::TokenMalformed => ErrorCode::TokenOpaque,
                ErrorCode::TokenOpaque => ErrorCode::AlgorithmUnsupported,
                ErrorCode::AlgorithmUnsupported => ErrorCode::KeyUnknown,
                ErrorCode::KeyUnknown => ErrorCode::SignatureInvalid,
                ErrorCode::SignatureInvalid => ErrorCode::IssuerMismatch,
                ErrorCode::IssuerMismatch => ErrorCode::AudienceMismatch,
                ErrorCode::AudienceMismatch => ErrorCode::TokenExpired,
                ErrorCode::TokenExpired => ErrorCode::TokenNotYetValid,
                ErrorCode::TokenNotYetValid => ErrorCode::ClaimsInvalid,
                ErrorCode::ClaimsInvalid => ErrorCode::TokenTypeInvalid,
                ErrorCode::TokenTypeInvalid => ErrorCode::TokenBindingMismatch,
                ErrorCode::TokenBindingMismatch => ErrorCode::DpopProofMissing,
                ErrorCode::DpopProofMissing => ErrorCode::DpopProofInvalid,
                ErrorCode::DpopProofInvalid => ErrorCode::DpopProofReplayed,
                ErrorCode::DpopProofReplayed => ErrorCode::DpopNonceRequired,
                ErrorCode::DpopNonceRequired => ErrorCode::OrganizationMismatch,
                ErrorCode::OrganizationMismatch => ErrorCode::InsufficientScope,
                ErrorCode::InsufficientScope => ErrorCode::InsufficientPermissions,
                ErrorCode::InsufficientPermissions => ErrorCode::RequirementNotMet,
                ErrorCode::RequirementNotMet => ErrorCode::StepUpRequired,
                ErrorCode::StepUpRequired => ErrorCode::KeysUnavailable,
                ErrorCode::KeysUnavailable => ErrorCode::IssuersUnavailable,
                ErrorCode::IssuersUnavailable => ErrorCode::ReplayStoreUnavailable,
                ErrorCode::ReplayStoreUnavailable => ErrorCode::Misconfigured,
                ErrorCode::Misconfigured => break,
            };
        }
    }
}
