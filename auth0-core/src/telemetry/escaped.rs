//! Text of clients and issuers, made safe for the log.
use std::fmt::{self, Write};
use tracing::field::DisplayValue;

/// Longer texts are cut: the beginning is enough to find a cause.
const SHOWN_CHARS: usize = 64;

/// Enough to recognize a route, and the parameters of most.
const SHOWN_PATH: usize = 200;

/// Enough for the audiences and issuers of most services.
const SHOWN_ENTRIES: usize = 4;

/// Text from outside in a form that is safe for the log: quoted, escaped and cut.
#[derive(Debug)]
pub struct Escaped<'a>(pub &'a str);

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
#[derive(Debug)]
pub struct EscapedMessage<'a>(pub &'a str);

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

/// A URL from outside, which may be longer than other texts.
pub(crate) struct LongText<'a>(pub(crate) &'a str);

impl fmt::Display for LongText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", RequestText(self.0))
    }
}

/// Returns the escaped text as a value of an event.
pub(crate) fn escaped(text: &str) -> DisplayValue<Escaped<'_>> {
    tracing::field::display(Escaped(text))
}

/// The method or the path of a request, escaped and cut. It has no quotation marks, because it is a field of
/// its own.
pub(crate) struct RequestText<'a>(pub(crate) &'a str);

impl fmt::Display for RequestText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = SHOWN_PATH;
        for c in self.0.chars() {
            // An escaped character takes more room, so that the line is bounded, too.
            let length = c.escape_debug().count();
            if length > left {
                return f.write_char('…');
            }
            left -= length;
            write!(f, "{}", c.escape_debug())?;
        }
        Ok(())
    }
}

/// Lists the first names of the configuration, and counts the others.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    list(names, str::to_owned)
}

/// Lists the first texts from outside, quoted, escaped and cut, and counts the others.
pub(crate) fn listed_escaped<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    list(texts, |text| Escaped(text).to_string())
}

fn list<'a>(mut entries: impl Iterator<Item = &'a str>, show: impl Fn(&str) -> String) -> String {
    let shown: Vec<String> = entries.by_ref().take(SHOWN_ENTRIES).map(show).collect();
    match entries.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_escaped_and_cut() {
        assert_eq!(RequestText("/a/b%20c").to_string(), "/a/b%20c");
        assert_eq!(RequestText("/a\n\u{202e}").to_string(), "/a\\n\\u{202e}");
        assert_eq!(RequestText(&"/".repeat(200)).to_string(), "/".repeat(200));
        assert_eq!(RequestText(&"/".repeat(201)).to_string(), format!("{}…", "/".repeat(200)));
        assert!(RequestText(&"\u{202e}".repeat(200)).to_string().len() < 210);
    }

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(listed(["a", "b"].into_iter()), "a, b");
        let many = ["a"; 7];
        assert_eq!(listed_escaped(many.into_iter()), r#""a", "a", "a", "a" and 3 more"#);
        assert_eq!(listed([].into_iter()), "");
    }
}
