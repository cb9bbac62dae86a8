//! The headers that proxies add elements to: `Forwarded` (RFC 7239) and `X-Forwarded-Client-Cert`.
//!
//! A proxy appends its element to any text that a client has sent. A header that departs from the grammar
//! anywhere is refused as a whole, so that a quotation mark or a name of the client never changes the
//! element of the proxy: after a value comes a `;`, a `,` or the end.
use std::borrow::Cow;

/// Returns the pairs of the last element, which the peer has written. An empty element has none; a name keeps
/// its case.
pub(crate) fn last(field: &str) -> Option<Vec<(&str, Cow<'_, str>)>> {
    let mut pairs = Vec::new();
    let mut rest = field;
    loop {
        let (name, after) =
            rest.split_at_checked(rest.find(['=', ';', ',']).unwrap_or(rest.len()))?;
        let name = trimmed(name);
        rest = match after.strip_prefix('=') {
            Some(after) => {
                let (value, after) = value(trimmed_start(after))?;
                pairs.push((name_of_pair(name)?, value));
                trimmed_start(after)
            }
            // RFC 7239 §4 and RFC 9110 §5.6.1 let pairs and elements be empty.
            None if name.is_empty() => after,
            None => return None,
        };
        let mut chars = rest.chars();
        match chars.next() {
            None => return Some(pairs),
            Some(';') => {}
            Some(',') => pairs.clear(),
            Some(_) => return None,
        }
        rest = chars.as_str();
    }
}

/// Returns the name if it is a token, which has no delimiter in it (RFC 9110 §5.6.2).
fn name_of_pair(name: &str) -> Option<&str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
}

/// Returns a value, which is a quoted-string or the text before the next delimiter, and what follows it.
/// Proxies write URIs and addresses without quotes, so the text need not be a token.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return unquoted(quoted);
    }
    let (value, after) = text.split_at_checked(text.find([';', ',']).unwrap_or(text.len()))?;
    (!value.contains('"')).then_some((Cow::Borrowed(trimmed(value)), after))
}

/// Returns the content of a quoted-string (RFC 9110 §5.6.4) after its first quotation mark, and what follows.
fn unquoted(quoted: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut content = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return Some((Cow::Owned(content), chars.as_str())),
            '\\' => content.push(chars.next()?),
            c => content.push(c),
        }
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn trimmed_start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(field: &str) -> Option<String> {
        let pairs = last(field)?;
        let pairs = pairs.into_iter().map(|(name, value)| format!("{name}={value}"));
        Some(pairs.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn the_last_element_counts() {
        for (field, expected) in [
            ("", ""),
            (" ", ""),
            ("for=1.2.3.4;proto=https", "for=1.2.3.4|proto=https"),
            ("For=a , proto=https", "proto=https"),
            ("a=1,b=2,\tc=3 ; d=4 ", "c=3|d=4"),
            ("a=1,", ""),
            ("a=1,,b=2", "b=2"),
            (";;a=1;", "a=1"),
            ("a=", "a="),
            ("a=\"\"", "a="),
            ("host=\"api:8443\"", "host=api:8443"),
            ("a=\"x,y;z=\\\"q\\\\\" ; b=2", "a=x,y;z=\"q\\|b=2"),
            ("URI=spiffe://acme/a?b=c", "URI=spiffe://acme/a?b=c"),
            ("Subject=CN=ann O", "Subject=CN=ann O"),
        ] {
            assert_eq!(read(field).as_deref(), Some(expected), "{field}");
        }
    }

    #[test]
    fn what_departs_from_the_grammar_is_nothing_at_all() {
        for field in [
            "a",
            "a;b=1",
            "=1",
            "a b=1",
            "\"a\"=1",
            "a=\"",
            "a=\"x",
            "a=\"x\\",
            "a=\"x\"y",
            "a=\"x\" y",
            "a=\"x\"\"y\"",
            "a=x\"y\"",
            "a=x\"",
            // The value of a client, and the element that a proxy appends to it.
            "host=evil;x, for=1;proto=https",
            "for=\", for=1;host=\"api\"",
            "Hash=evil;Subject=\",By=a;Hash=b;Subject=\"CN=a\\\"\"",
        ] {
            assert_eq!(read(field), None, "{field}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        /// The element of a proxy is read as a whole or not at all, after any value of a client.
        #[test]
        fn nothing_reaches_into_the_last_element(
            client in "([a-z]|[=;,\"\\\\ ]){0,12}",
            subject in "([a-z]|\\\\\"|\\\\,|\\\\\\\\|[=;]){0,8}",
        ) {
            let own = format!("By=a;Hash=b;Subject=\"CN={subject}\"");
            let field = format!("{client},{own}");
            prop_assert!([None, read(&own)].contains(&read(&field)), "{}", field);
        }

        #[test]
        fn never_panics(field in any::<String>(), close in "([a-zé]|[=;,\"\\\\ \t]){0,16}") {
            last(&field);
            last(&close);
        }
    }
}
