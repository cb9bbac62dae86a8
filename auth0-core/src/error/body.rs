//! The body of a refusal.
use super::Error;
use crate::config_error::ConfigError;
use std::{fmt, sync::Arc};

/// Renders the body of every refusal in a format of the application: see
/// [`Builder::refusal_body`](crate::Builder::refusal_body).
///
/// Problem details (RFC 9457):
///
/// ```
/// use auth0_core::{Auth0, RefusalBody, adapter::RequestView};
/// use serde_json::json;
///
/// let problem = RefusalBody::new("application/problem+json", |error| {
///     json!({
///         "type": format!("https://api.acme.com/problems/{}", error.code()),
///         "title": error.to_string(),
///         "status": error.status(),
///     })
///     .to_string()
/// });
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let builder = Auth0::builder().domain("acme.eu.auth0.com").audience("https://api.acme.com");
/// let auth = builder.refusal_body(problem).build()?;
/// let refusal = auth.authenticate(&RequestView::new()).await.unwrap_err().challenge();
/// assert!(refusal.headers().any(|header| header == ("content-type", "application/problem+json")));
/// # Ok::<(), auth0_core::ConfigError>(())
/// # }).unwrap()
/// ```
#[derive(Clone)]
#[must_use]
pub struct RefusalBody {
    media_type: &'static str,
    render: Arc<Render>,
}

type Render = dyn Fn(&Error) -> Vec<u8> + Send + Sync;

impl RefusalBody {
    /// Creates a body of a media type, for example `application/problem+json`. The media type is checked when
    /// the verifier is built.
    ///
    /// `render` returns the body of one refusal. It may call every method of the error; the result of
    /// [`Error::challenge`] has the standard body there.
    pub fn new<B: Into<Vec<u8>>>(
        media_type: &'static str,
        render: impl Fn(&Error) -> B + Send + Sync + 'static,
    ) -> Self {
        Self { media_type, render: Arc::new(move |error| render(error).into()) }
    }

    pub(crate) const fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// Checks that the media type can be sent (RFC 9110 §8.3.1).
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let is_token = |text: &str| {
            let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
            !text.is_empty() && text.bytes().all(is_char)
        };
        let essence = self.media_type.split(';').next().unwrap_or_default().trim();
        let is_media_type =
            essence.split_once('/').is_some_and(|(kind, sub)| is_token(kind) && is_token(sub));
        if is_media_type && self.media_type.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Ok(());
        }
        Err(ConfigError::new(format!(
            "the media type {:?} of the refusal body cannot be sent. Write a type in printable ASCII, for \
             example \"application/problem+json\"",
            self.media_type
        )))
    }
}

impl fmt::Debug for RefusalBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusalBody").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

/// Returns the media type and the bytes of a refusal's body.
pub(super) fn of(error: &Error, custom: Option<&RefusalBody>) -> (&'static str, Vec<u8>) {
    match custom.filter(|_| !error.is_being_rendered()) {
        Some(custom) => (custom.media_type, (custom.render)(&error.for_rendering())),
        None => ("application/json", standard(error)),
    }
}

/// Returns the standard body. Codes and descriptions contain no character that JSON escapes.
fn standard(error: &Error) -> Vec<u8> {
    format!(
        r#"{{"error":"{}","error_description":"{}","error_code":"{}"}}"#,
        error.code().oauth_error().unwrap_or("unauthorized"),
        error.code().description(),
        error.code(),
    )
    .into_bytes()
}
