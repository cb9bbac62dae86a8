//! The values of environment variables as they are pasted: with quotation marks that a file or a shell has kept,
//! as a JSON array, with invisible characters around them.
use crate::{config_error::ConfigError, identifier::without_user_information};
use std::net::Ipv6Addr;

/// Quotation marks that are removed where both are there.
const QUOTATION_MARKS: [(char, char); 7] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{ab}', '\u{bb}'),
];

/// Returns the only value of a variable. `None` if there is nothing between its quotation marks or brackets.
pub(super) fn one(name: &str, text: &str) -> Result<Option<String>, ConfigError> {
    let text = unquoted(text).ok_or_else(|| half_quoted(name, text))?;
    let Some(values) = of_array(name, text)? else {
        return Ok((!text.is_empty()).then(|| text.to_owned()));
    };
    if values.len() > 1 {
        return Err(ConfigError::new(format!(
            "{name} is a list of {} values. Write one value, without brackets",
            values.len()
        )));
    }
    Ok(values.into_iter().find(|value| !value.is_empty()))
}

/// Returns the values of a variable that is a list: with commas between them, or a JSON array.
pub(super) fn many(name: &str, text: &str) -> Result<Vec<String>, ConfigError> {
    let text = text.trim_matches(is_invisible);
    // A comma between quotation marks separates values: `"a,b"` and `"a","b"` are the same list.
    let text = match has_one_pair(text) {
        true => unquoted(text).ok_or_else(|| half_quoted(name, text))?,
        false => text,
    };
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let values = match of_array(name, text)? {
        Some(values) => values,
        None => text
            .split(',')
            .map(|value| unquoted(value).map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| half_quoted(name, text))?,
    };
    if values.iter().any(String::is_empty) {
        return Err(ConfigError::new(format!(
            "an entry of {name}={:?} is empty. Put one comma between two of them, and none at the end",
            without_user_information(text)
        )));
    }
    Ok(values)
}

/// Reads a JSON array of strings. `None` if the text has no brackets around it, or they belong to its value.
fn of_array(name: &str, text: &str) -> Result<Option<Vec<String>>, ConfigError> {
    let is_cut = text.ends_with(']') && !text.contains('[');
    if !is_cut && (!text.starts_with('[') || starts_with_address(text)) {
        return Ok(None);
    }
    let values = serde_json::from_str::<Vec<String>>(text).ok().and_then(|values| {
        values.iter().map(|value| unquoted(value).map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    if let Some(values) = values {
        return Ok(Some(values));
    }
    let inside = text.trim_start_matches('[').trim_end_matches(']');
    Err(ConfigError::new(format!(
        "{name} has brackets around it, and is not a JSON array of strings. Write the values with commas \
         between them: {name}={}",
        without_user_information(&all_bare(inside))
    )))
}

/// Returns whether a text starts with an IPv6 address in brackets, as in a URL.
fn starts_with_address(text: &str) -> bool {
    let inside = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    inside.is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok())
}

/// Removes what is invisible, and quotation marks, around a value. `None` if a mark is at one end only.
fn unquoted(text: &str) -> Option<&str> {
    let mut value = text.trim_matches(is_invisible);
    while let Some(inside) = inside(value) {
        value = inside.trim_matches(is_invisible);
    }
    (!value.starts_with(is_mark) && !value.ends_with(is_mark)).then_some(value)
}

fn half_quoted(name: &str, text: &str) -> ConfigError {
    ConfigError::new(format!(
        "{name} has a quotation mark at one end of a value. Write it without quotation marks: {name}={}",
        without_user_information(&all_bare(text))
    ))
}

/// Returns all values of a list without any quotation mark around them, for the sentence that says what to write.
fn all_bare(list: &str) -> String {
    let bare = |value: &'_ str| value.trim_matches(|c| is_invisible(c) || is_mark(c)).to_owned();
    let values: Vec<String> = list.split(',').map(bare).filter(|value| !value.is_empty()).collect();
    values.join(",")
}

fn is_mark(c: char) -> bool {
    QUOTATION_MARKS.iter().any(|(start, end)| c == *start || c == *end)
}

/// Returns the text inside a pair of quotation marks.
fn inside(text: &str) -> Option<&str> {
    QUOTATION_MARKS.iter().find_map(|(start, end)| text.strip_prefix(*start)?.strip_suffix(*end))
}

/// Returns whether one pair of quotation marks is around the whole text, as in `"a,b"` but not in `"a","b"`.
fn has_one_pair(text: &str) -> bool {
    QUOTATION_MARKS.iter().any(|(start, end)| {
        let inside = text.strip_prefix(*start).and_then(|rest| rest.strip_suffix(*end));
        inside.is_some_and(|inside| !inside.contains([*start, *end]))
    })
}

/// Returns whether a character is a space, or is not shown at all.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unambiguous_is_read() {
        for (text, values) in [
            ("a", &["a"][..]),
            (" a , b ", &["a", "b"]),
            ("\"a\"", &["a"]),
            ("'a'", &["a"]),
            ("'\"a\"'", &["a"]),
            ("\"a,b\"", &["a", "b"]),
            ("\"a\",\"b\"", &["a", "b"]),
            ("\"a\", 'b'", &["a", "b"]),
            ("[\"a\"]", &["a"]),
            ("[ \"a\", \"b\" ]\n", &["a", "b"]),
            ("'[\"a\",\"b\"]'", &["a", "b"]),
            ("\u{feff}a\u{200b}", &["a"]),
            ("\u{201c}a\u{201d}", &["a"]),
            ("\"\"", &[]),
            ("[]", &[]),
            ("", &[]),
            ("[\" a \", \"'b'\"]", &["a", "b"]),
            // Brackets that belong to the value.
            ("http://[::1]", &["http://[::1]"]),
            ("[::1]:8080,[::1]", &["[::1]:8080", "[::1]"]),
            ("urn:list[0]", &["urn:list[0]"]),
        ] {
            assert_eq!(many("X", text).unwrap(), values, "{text:?}");
        }
        for text in ["a", "\"a\"", "['a']", "[\"a\"]", "'a'\r\n", "\u{a0}a"] {
            let read = one("X", text);
            assert_eq!(read.is_ok(), text != "['a']", "{text:?}");
            assert!(read.is_err() || read == Ok(Some("a".to_owned())), "{text:?}");
        }
        for text in ["\"\"", "[]", "[\"\"]", "' '"] {
            assert_eq!(one("X", text).unwrap(), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_ambiguous_is_refused_with_what_to_write() {
        for (text, sentence) in [
            ("[a,b]", "X=a,b"),
            ("['a', 'b',]", "X=a,b"),
            ("[\"a\"", "X=a"),
            ("a]", "X=a"),
            ("\"a", "X=a"),
            ("a'", "X=a"),
            ("'a,b', c", "X=a,b,c"),
            ("[\"a'\"]", "X=a"),
            ("a,", "none at the end"),
            ("a,\"\"", "none at the end"),
            ("[\"a\",\"\"]", "none at the end"),
        ] {
            let error = many("X", text).unwrap_err().to_string();
            assert!(error.contains(sentence), "{text:?}: {error}");
        }
        let error = one("X", "[\"a\",\"b\"]").unwrap_err().to_string();
        assert!(error.contains("list of 2 values"), "{error}");
    }
}
