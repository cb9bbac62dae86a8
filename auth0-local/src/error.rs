use auth0_core::ConfigError;
use std::fmt;

/// The reason why a local tenant could not start or an operation failed, with what to do next.
///
/// `Debug` shows the same sentence as `Display`, because a `main` that returns the error prints it
/// with `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct LocalError(Box<str>);

impl LocalError {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into().into())
    }
}

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for LocalError {}

impl From<ConfigError> for LocalError {
    fn from(error: ConfigError) -> Self {
        Self::new(error.to_string())
    }
}
