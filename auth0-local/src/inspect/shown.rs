//! Text of tokens in a form that a terminal and a page show as it is: no control characters, no colors, no change of
//! the direction of writing.
use serde_json::Value;
use std::fmt::Write;

/// Longer values are cut.
const MAX_CHARS: usize = 600;

/// Returns a text with escapes for what is not printable.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    shown
}

/// Returns a text in quotation marks, escaped and cut.
pub(super) fn quoted(text: &str) -> String {
    value(&Value::from(text))
}

/// Returns a value as JSON in one line, escaped and cut.
pub(super) fn value(value: &Value) -> String {
    let json = printable(&value.to_string());
    match json.char_indices().nth(MAX_CHARS) {
        None => json,
        Some((end, _)) => {
            let mut cut = json.get(..end).unwrap_or_default().to_owned();
            let _ = write!(cut, "… ({} more characters)", json.chars().count() - MAX_CHARS);
            cut
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let evil = "a\u{1b}[31m\u{7}\u{9b}2J\u{7f}\u{202e}\u{200b}\r\n\u{2028}é";
        for shown in [printable(evil), quoted(evil)] {
            let is_shown = |c: char| (' '..='~').contains(&c) || c == 'é';
            assert!(shown.chars().all(is_shown), "{shown:?}");
        }
        assert_eq!(quoted("a\"b\\c'é"), r#""a\"b\\c'é""#);
    }

    #[test]
    fn a_long_value_is_cut() {
        let shown = quoted(&"é".repeat(700));
        assert!(shown.ends_with("é… (102 more characters)"), "{shown}");
    }
}
