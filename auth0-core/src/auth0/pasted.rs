//! The values of environment variables as they are pasted: with quotation marks that a file or a shell has kept,
//! as a JSON array, with invisible characters around them.
use crate::{config_error::ConfigError, identifier::without_user_information};

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

/// Returns the only value of a variable.
pub(super) fn one(name: &str, text: &str) -> Result<String, ConfigError> {
    let text = unquoted(name, text)?;
    match of_array(name, text)? {
        None => Ok(text.to_owned()),
        Some(values) => match <[String; 1]>::try_from(values) {
            Ok([value]) => Ok(value),
            Err(values) => Err(ConfigError::new(format!(
                "{name} is a list of {} values. Write one value, without brackets",
                values.len()
            ))),
        },
    }
}

/// Returns the values of a variable that is a list: with commas between them, or a JSON array.
pub(super) fn many(name: &str, text: &str) -> Result<Vec<String>, ConfigError> {
    let text = text.trim_matches(is_invisible);
    // A comma between quotation marks separates values: `"a,b"` and `"a","b"` are the same list.
    let text = if has_one_pair(text) { unquoted(name, text)? } else { text };
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let values = match of_array(name, text)? {
        Some(values) => values,
        None => text
            .split(',')
            .map(|value| unquoted(name, value).map(str::to_owned))
            .collect::<Result<_, _>>()?,
    };
    if values.iter().any(|value| value.trim_matches(is_invisible).is_empty()) {
        return Err(ConfigError::new(format!(
            "an entry of {name}={:?} is empty. Put one comma between two of them, and none at the end",
            without_user_information(text)
        )));
    }
    Ok(values)
}

/// Reads a JSON array of strings. `None` if the text has no brackets around it.
fn of_array(name: &str, text: &str) -> Result<Option<Vec<String>>, ConfigError> {
    if !text.starts_with('[') && !text.ends_with(']') {
        return Ok(None);
    }
    if let Ok(values) = serde_json::from_str::<Vec<String>>(text) {
        return Ok(Some(values));
    }
    let inside = text.trim_start_matches('[').trim_end_matches(']');
    let values: Vec<&str> = inside.split(',').map(|value| bare(value.trim())).collect();
    Err(ConfigError::new(format!(
        "{name} has brackets around it, and is not a JSON array of strings. Write the values with commas \
         between them: {name}={}",
        without_user_information(values.join(",").trim_end_matches(','))
    )))
}

/// Removes what is invisible, and quotation marks, around a value.
fn unquoted<'a>(name: &str, text: &'a str) -> Result<&'a str, ConfigError> {
    let mut value = text.trim_matches(is_invisible);
    while let Some(inside) = inside(value) {
        value = inside.trim_matches(is_invisible);
    }
    let is_mark = |c: char| QUOTATION_MARKS.iter().any(|(start, end)| c == *start || c == *end);
    if value.starts_with(is_mark) || value.ends_with(is_mark) {
        return Err(ConfigError::new(format!(
            "{name} has a quotation mark at one end. Write the value without it: {name}={}",
            without_user_information(bare(value))
        )));
    }
    Ok(value)
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

/// Returns a value without any quotation mark around it, for the sentence that says what to write.
fn bare(value: &str) -> &str {
    value.trim_matches(|c| {
        is_invisible(c) || QUOTATION_MARKS.iter().any(|(start, end)| c == *start || c == *end)
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
            ("", &[]),
        ] {
            assert_eq!(many("X", text).unwrap(), values, "{text:?}");
        }
        for text in ["a", "\"a\"", "['a']", "[\"a\"]", "'a'\r\n", "\u{a0}a"] {
            let read = one("X", text);
            assert_eq!(read.is_ok(), text != "['a']", "{text:?}");
            assert!(read.is_err() || read.as_deref() == Ok("a"), "{text:?}");
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
