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

/// An error of the application's code, such as that of a database, can quote anything, and can be long.
const SHOWN_MESSAGE_CHARS: usize = 400;

/// A message in a form that is safe for the log: escaped and cut, without quotation marks around it.
pub(crate) struct EscapedMessage<'a>(pub(crate) &'a str);

impl fmt::Display for EscapedMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(SHOWN_MESSAGE_CHARS) {
            match c {
                '"' | '\'' => write!(f, "{c}")?,
                c => write!(f, "{}", c.escape_debug())?,
            }
        }
        f.write_str(if chars.as_str().is_empty() { "" } else { "…" })
    }
}

/// Returns the escaped text as a value of an event.
pub(crate) fn escaped(text: &str) -> DisplayValue<Escaped<'_>> {
    tracing::field::display(Escaped(text))
}
