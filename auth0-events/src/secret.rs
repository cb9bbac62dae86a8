//! A token that must not be printed.
use std::{fmt, ops::Deref};
use zeroize::Zeroizing;

/// An access token for the Events API: its `Debug` omits the text, and its memory is overwritten when it is dropped.
#[derive(Clone)]
pub(crate) struct EventsToken(Zeroizing<String>);

impl EventsToken {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }
}

impl Deref for EventsToken {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EventsToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventsToken(…)")
    }
}
