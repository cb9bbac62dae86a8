//! The error of a configuration.
use std::fmt;

/// A mistake in a configuration, with a text that says what to write instead.
///
/// `Debug` shows the same text, because a `main` that returns the error prints its `Debug` form.
///
/// ```
/// use auth0_core::ConfigError;
///
/// let error = ConfigError::new("the port 0 cannot be used. Write 1 to 65535");
/// assert_eq!(format!("{error:?}"), error.to_string());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError(Box<str>);

impl ConfigError {
    /// Creates an error from a text, for stores and transports that check their own configuration. The text
    /// should say what was found, and what to write instead. It must not contain a secret.
    #[must_use]
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into().into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}
