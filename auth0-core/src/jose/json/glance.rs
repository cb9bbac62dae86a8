//! A look at one member of a document that is not checked.
use super::text::{plain_length, unescaped};
use std::borrow::Cow;

/// Returns the first member of a name of the outermost object, if it is a string. The rest of the document is
/// only searched, not checked: that may be enough to refuse it, and never to accept it.
pub(crate) fn first_string<'a>(document: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let bytes = document.as_bytes();
    let (mut at, mut depth, mut is_name) = (0, 0usize, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let (content, after) = string(document, at)?;
                at = after;
                if std::mem::take(&mut is_name) && is(content, name) {
                    let colon = skip_whitespace(bytes, at);
                    let value = skip_whitespace(bytes, colon + 1);
                    let is_string =
                        bytes.get(colon) == Some(&b':') && bytes.get(value) == Some(&b'"');
                    return if is_string { unescaped(string(document, value)?.0) } else { None };
                }
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                is_name = depth == 1;
            }
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' => is_name = depth == 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns the content of a string, with its escapes, and the position after it.
fn string(document: &str, at: usize) -> Option<(&str, usize)> {
    let bytes = document.as_bytes();
    let start = at + 1;
    let mut end = start;
    loop {
        match bytes.get(end)? {
            b'"' => return Some((document.get(start..end)?, end + 1)),
            b'\\' => end += 2,
            0..=0x1f => return None,
            _ => end += plain_length(bytes.get(end..)?),
        }
    }
}

/// Compares with a name that is perhaps escaped, for which a character takes at most six bytes.
fn is(content: &str, name: &str) -> bool {
    content == name
        || (content.len() <= 6 * name.len()
            && content.contains('\\')
            && unescaped(content).is_some_and(|content| content == name))
}

fn skip_whitespace(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_the_first_string_of_the_name() {
        for (document, expected) in [
            (r#"{"iss":"a"}"#, Some("a")),
            (r#" { "x" : [1, {"iss":"no"}] , "iss" : "a" } "#, Some("a")),
            (r#"{"x":"iss","iss":"a\u0062"}"#, Some("ab")),
            (r#"{"\u0069s\u0073":"a"}"#, Some("a")),
            (r#"{"iss":"a","iss":"b"}"#, Some("a")),
            (r#"{"iss":1,"iss":"b"}"#, None),
            (r#"{"x":{"iss":"no"}}"#, None),
            (r#"{"issuer":"no","\"iss":"no"}"#, None),
            (r#"[["iss","no"]]"#, None),
            (r#"{"x":"\"","iss":"a"}"#, Some("a")),
            (r#"{"x":"\\","iss":"a"}"#, Some("a")),
            (r#"{"iss":"a"#, None),
            (r#"{"iss""#, None),
            ("", None),
            ("}", None),
        ] {
            assert_eq!(first_string(document, "iss").as_deref(), expected, "{document}");
        }
    }

    proptest! {
        /// As the pass that checks the whole document.
        #[test]
        fn agrees_with_the_pass(
            members in prop::collection::btree_map("[a-c\"\\\\é]{0,3}|iss", any::<String>(), 0..8),
            inner in any::<String>(),
        ) {
            let mut value = serde_json::to_value(&members).unwrap();
            value["nested"] = serde_json::json!([{ "iss": inner }, { "x": { "iss": 1 } }]);
            let text = value.to_string();
            let found = first_string(&text, "iss");
            prop_assert_eq!(found.as_deref(), members.get("iss").map(String::as_str));
        }

        #[test]
        fn never_panics(text in any::<String>(), close in "([{}\\[\\],:]|\"|\\\\|iss| |é)*") {
            first_string(&text, "iss");
            first_string(&close, "iss");
        }
    }
}
