//! Text of a client or of an issuer, as a log may hold it.
use std::fmt;
use tracing::field::DisplayValue;

/// Longer texts are cut: what helps to find a cause is at the beginning.
const SHOWN_CHARS: usize = 64;

/// Text from outside as it may stand in a log: quoted, escaped, and not longer than is useful.
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

/// The same, as a value of an event.
pub(crate) fn escaped(text: &str) -> DisplayValue<Escaped<'_>> {
    tracing::field::display(Escaped(text))
}
