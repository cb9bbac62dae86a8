//! Strict JSON for tokens: one pass that checks the grammar (RFC 8259), refuses an object that
//! names a member twice at any depth, bounds the nesting, and hands out members where they stand.
//!
//! Not `serde_json`, because a token must mean the same to everybody: a general parser takes the
//! last of two equal members, and its number type changes with a feature of another crate in the
//! user's graph. Custom claims still go through `serde`, after this check.
use std::borrow::Cow;

/// Deep enough for any claim in use (`authorization_details`, `act` chains), and small enough
/// that recursion costs no stack worth speaking of.
const MAX_DEPTH: usize = 32;

/// Up to this many members are compared pairwise, without sorting.
const PAIRWISE: usize = 16;

/// Why a text is not acceptable JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Syntax,
    NotAnObject,
    DuplicateMember,
    TooDeep,
}

impl Malformed {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "it is not JSON",
            Self::NotAnObject => "it is not a JSON object",
            Self::DuplicateMember => "a member name occurs twice in one object",
            Self::TooDeep => "it is nested too deeply",
        }
    }
}

/// Checks a whole document that must be an object, and hands out its top-level members in order.
pub(crate) fn check_object<'a>(
    text: &'a str,
    mut member: impl FnMut(&str, Value<'a>),
) -> Result<(), Malformed> {
    let mut scanner = Scanner::new(text);
    scanner.skip_whitespace();
    if scanner.peek() != Some(b'{') {
        // Tell JSON that is no object from what is no JSON at all.
        scanner.value(0)?;
        scanner.end()?;
        return Err(Malformed::NotAnObject);
    }
    scanner.object(0, &mut member)?;
    scanner.end()
}

/// A value of a checked document: the bytes as they stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    pub(crate) const fn raw(self) -> &'a str {
        self.0
    }

    pub(crate) fn as_str(self) -> Option<Cow<'a, str>> {
        let content = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if content.contains('\\') {
            unescape(content).map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(content))
        }
    }

    pub(crate) fn as_number(self) -> Option<f64> {
        match self.0.as_bytes().first() {
            Some(b'-' | b'0'..=b'9') => self.0.parse().ok(),
            _ => None,
        }
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// The elements, if this is an array.
    pub(crate) fn elements(self) -> Option<Vec<Value<'a>>> {
        if !self.0.starts_with('[') {
            return None;
        }
        let mut elements = Vec::new();
        Scanner::new(self.0).array(0, &mut |element| elements.push(element)).ok()?;
        Some(elements)
    }

    /// A member by name, if this is an object that has it.
    pub(crate) fn member(self, name: &str) -> Option<Value<'a>> {
        let mut found = None;
        check_object(self.0, |key, value| {
            if key == name {
                found = Some(value);
            }
        })
        .ok()?;
        found
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// The names of all objects that are open, innermost last.
    names: Vec<Cow<'a, str>>,
}

impl<'a> Scanner<'a> {
    const fn new(text: &'a str) -> Self {
        Self { text, at: 0, names: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, expected: u8) -> Result<(), Malformed> {
        if self.peek() == Some(expected) {
            self.at += 1;
            Ok(())
        } else {
            Err(Malformed::Syntax)
        }
    }

    fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn since(&self, start: usize) -> Result<&'a str, Malformed> {
        self.text.get(start..self.at).ok_or(Malformed::Syntax)
    }

    fn end(&mut self) -> Result<(), Malformed> {
        self.skip_whitespace();
        if self.at == self.text.len() { Ok(()) } else { Err(Malformed::Syntax) }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        let start = self.at;
        match self.peek().ok_or(Malformed::Syntax)? {
            b'"' => drop(self.string()?),
            b'{' => self.object(depth, &mut |_, _| {})?,
            b'[' => self.array(depth, &mut |_| {})?,
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => self.number()?,
        }
        Ok(Value(self.since(start)?))
    }

    fn object(
        &mut self,
        depth: usize,
        member: &mut dyn FnMut(&str, Value<'a>),
    ) -> Result<(), Malformed> {
        if depth >= MAX_DEPTH {
            return Err(Malformed::TooDeep);
        }
        let outer_names = self.names.len();
        self.take(b'{')?;
        self.skip_whitespace();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_whitespace();
            let name = self.string()?;
            self.skip_whitespace();
            self.take(b':')?;
            self.skip_whitespace();
            let value = self.value(depth + 1)?;
            member(&name, value);
            self.names.push(name);
            self.skip_whitespace();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(Malformed::Syntax),
            }
        }
        self.at += 1;
        let own = self.names.get_mut(outer_names..).unwrap_or_default();
        if has_duplicate(own) {
            return Err(Malformed::DuplicateMember);
        }
        self.names.truncate(outer_names);
        Ok(())
    }

    fn array(&mut self, depth: usize, element: &mut dyn FnMut(Value<'a>)) -> Result<(), Malformed> {
        if depth >= MAX_DEPTH {
            return Err(Malformed::TooDeep);
        }
        self.take(b'[')?;
        self.skip_whitespace();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_whitespace();
            element(self.value(depth + 1)?);
            self.skip_whitespace();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(Malformed::Syntax),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.take(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek().ok_or(Malformed::Syntax)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2; // whatever follows; `unescape` looks at it
                }
                0..=0x1f => return Err(Malformed::Syntax),
                _ => self.at += 1,
            }
        }
        let content = self.since(start)?;
        self.at += 1;
        if escaped {
            unescape(content).map(Cow::Owned).ok_or(Malformed::Syntax)
        } else {
            Ok(Cow::Borrowed(content))
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), Malformed> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(Malformed::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(Malformed::Syntax),
        }
        let whole = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        // What no double can hold means something else to every reader.
        if self.at > whole || whole - start > 300 {
            let value: f64 = self.since(start)?.parse().map_err(|_| Malformed::Syntax)?;
            if !value.is_finite() {
                return Err(Malformed::Syntax);
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(Malformed::Syntax) } else { Ok(()) }
    }
}

fn has_duplicate(names: &mut [Cow<'_, str>]) -> bool {
    if names.len() <= PAIRWISE {
        let mut rest = &*names;
        while let Some((first, others)) = rest.split_first() {
            if others.contains(first) {
                return true;
            }
            rest = others;
        }
        return false;
    }
    names.sort_unstable();
    names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

/// The text of a JSON string's content; `None` for a bad escape or a lone surrogate.
fn unescape(content: &str) -> Option<String> {
    let mut text = String::with_capacity(content.len());
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        text.push(match chars.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => match hex4(&mut chars)? {
                high @ 0xd800..=0xdbff => {
                    if chars.next()? != '\\' || chars.next()? != 'u' {
                        return None;
                    }
                    let low @ 0xdc00..=0xdfff = hex4(&mut chars)? else { return None };
                    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?
                }
                unit => char::from_u32(unit)?,
            },
            _ => return None,
        });
    }
    Some(text)
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | chars.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(text: &str) -> bool {
        check_object(text, |_, _| {}).is_ok()
    }

    fn member(text: &str, name: &str) -> Option<String> {
        let mut found = None;
        check_object(text, |key, value| {
            if key == name {
                found = value.as_str().map(Cow::into_owned);
            }
        })
        .ok()?;
        found
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        for (text, expected) in [
            ("", Malformed::Syntax),
            ("[]", Malformed::NotAnObject),
            ("1", Malformed::NotAnObject),
            ("{", Malformed::Syntax),
            ("{}x", Malformed::Syntax),
            ("{,}", Malformed::Syntax),
            (r#"{"a":1,}"#, Malformed::Syntax),
            (r#"{"a":01}"#, Malformed::Syntax),
            (r#"{"a":1.}"#, Malformed::Syntax),
            (r#"{"a":.5}"#, Malformed::Syntax),
            (r#"{"a":+1}"#, Malformed::Syntax),
            (r#"{"a":1e999}"#, Malformed::Syntax),
            (r#"{"a":NaN}"#, Malformed::Syntax),
            (r#"{"a":"\x"}"#, Malformed::Syntax),
            (r#"{"a":"\ud800"}"#, Malformed::Syntax),
            (r#"{"a":"\ud800\u0041"}"#, Malformed::Syntax),
            (r#"{"a":"\"#, Malformed::Syntax),
            ("{\"a\":\"\n\"}", Malformed::Syntax),
            ("\u{feff}{}", Malformed::Syntax),
            (r#"{"a":1,"a":1}"#, Malformed::DuplicateMember),
            (r#"{"a":1,"\u0061":1}"#, Malformed::DuplicateMember),
            (r#"{"x":[{"a":1,"a":1}]}"#, Malformed::DuplicateMember),
        ] {
            assert_eq!(check_object(text, |_, _| {}), Err(expected), "{text}");
        }
        let many: Vec<String> = (0..40).map(|i| format!("\"m{i}\":{i}")).collect();
        assert!(accepts(&format!("{{{}}}", many.join(","))));
        assert_eq!(
            check_object(&format!("{{{},\"m7\":0}}", many.join(",")), |_, _| {}),
            Err(Malformed::DuplicateMember)
        );
        let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(accepts(&deep(MAX_DEPTH - 1)));
        assert_eq!(check_object(&deep(MAX_DEPTH), |_, _| {}), Err(Malformed::TooDeep));
    }

    #[test]
    fn equal_names_in_different_objects_are_fine() {
        assert!(accepts(r#"{"a":{"a":{"a":1}},"b":{"a":1}}"#));
    }

    #[test]
    fn escapes_are_read_wherever_they_stand() {
        assert_eq!(member(r#"{"\u0065xp":"\u0041\n\ud83d\ude00\/"}"#, "exp").unwrap(), "A\n😀/");
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..24)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// What serde_json writes is accepted, and read back alike.
        #[test]
        fn agrees_on_what_is_written(map in prop::collection::btree_map(any::<String>(), json(), 0..24)) {
            let text = serde_json::to_string(&map).unwrap();
            let mut seen = std::collections::BTreeMap::new();
            check_object(&text, |name, value| {
                seen.insert(name.to_owned(), serde_json::from_str::<serde_json::Value>(value.raw()).unwrap());
                assert_eq!(value.as_str().as_deref(), map[name].as_str());
            }).unwrap();
            let expected: std::collections::BTreeMap<_, _> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(seen, expected);
        }

        /// What is accepted, serde_json accepts; what it refuses, we refuse.
        #[test]
        fn never_laxer(text in r#"[ \t]?\{("[a-c\\u0061]{0,8}" ?: ?([-0-9.eE]{1,5}|"[^"]{0,4}"|\[\]|\{\}|true|null),?){0,4}\}"#) {
            if accepts(&text) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            accepts(&text);
        }
    }
}
