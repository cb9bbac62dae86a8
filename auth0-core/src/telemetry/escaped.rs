//! Text of clients and issuers, made safe for the log.
use std::fmt;
use tracing::field::DisplayValue;

/// Longer texts are cut: the beginning is enough to find a cause.
const SHOWN_CHARS: usize = 64;

/// Text from outside in a form that is safe for the log: quoted, escaped and cut.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.char_indices().nth(SHOWN_CHARS).map_or(self.0.len(), |(end, _)| end);
        match self.0.get(..end) {
            Some(start) if end < self.0.len() => write!(f, "{start:?}…"),
            _ => write!(f, "{:?}", self.0),
        }
    }
}

/// Returns the escaped text as a value of an event.
pub(crate) fn escaped(text: &str) -> DisplayValue<Escaped<'_>> {
    tracing::field::display(Escaped(text))
}
