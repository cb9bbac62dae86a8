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

/// Up to this many members, names are compared as they come; more are sorted at the end.
const PAIRWISE: usize = 32;

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

/// A value of a checked document: the bytes as they stand, and what the one pass saw in them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    raw: &'a str,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    String {
        escaped: bool,
    },
    /// An array of nothing but strings.
    Strings {
        escaped: bool,
    },
    Array,
    Object,
    Number,
    Literal,
}

impl<'a> Value<'a> {
    pub(crate) const fn raw(self) -> &'a str {
        self.raw
    }

    pub(crate) fn as_str(self) -> Option<Cow<'a, str>> {
        match self.shape {
            Shape::String { escaped: false } => self.content().map(Cow::Borrowed),
            Shape::String { escaped: true } => unescape(self.content()?).map(Cow::Owned),
            _ => None,
        }
    }

    /// The text, if this is a string without escapes.
    pub(crate) fn plain_str(self) -> Option<&'a str> {
        match self.shape {
            Shape::String { escaped: false } => self.content(),
            _ => None,
        }
    }

    /// What stands between the first and the last character: of a string without escapes, its text.
    fn content(self) -> Option<&'a str> {
        self.raw.get(1..self.raw.len().checked_sub(1)?)
    }

    pub(crate) fn as_number(self) -> Option<f64> {
        match self.shape {
            Shape::Number => self.raw.parse().ok(),
            _ => None,
        }
    }

    /// A number without sign, fraction and exponent, if it is one that a `u64` surely holds.
    pub(crate) fn as_integer(self) -> Option<u64> {
        if self.shape != Shape::Number || self.raw.len() > 18 {
            return None;
        }
        self.raw.bytes().try_fold(0, |number: u64, byte| match byte {
            b'0'..=b'9' => Some(number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'))),
            _ => None,
        })
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        match self.raw {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Whether this is an array with an element of which this holds.
    pub(crate) fn any_element(self, mut holds: impl FnMut(Value<'a>) -> bool) -> bool {
        let mut found = false;
        if matches!(self.shape, Shape::Array | Shape::Strings { .. }) {
            // It was scanned before, so it is an array to its end.
            let _ = Scanner::new(self.raw).array(0, &mut |element| found |= holds(element));
        }
        found
    }

    pub(crate) fn is_object(self) -> bool {
        self.shape == Shape::Object
    }

    /// The strings, if this is an array of nothing else.
    pub(crate) fn strings(self) -> Option<Strings<'a>> {
        match self.shape {
            Shape::Strings { escaped: false } => Some(Strings::Plain(self.content()?)),
            Shape::Strings { escaped: true } => {
                let mut texts = Vec::new();
                Scanner::new(self.raw)
                    .array(0, &mut |element| texts.push(element.as_str()))
                    .ok()?;
                let texts = texts.into_iter().map(|text| Some(text?.into_owned().into()));
                Some(Strings::Unescaped(texts.collect::<Option<_>>()?))
            }
            _ => None,
        }
    }

    /// A member by name, if this is an object that has it.
    pub(crate) fn member(self, name: &str) -> Option<Value<'a>> {
        let mut found = None;
        check_object(self.raw, |key, value| {
            if key == name {
                found = Some(value);
            }
        })
        .ok()?;
        found
    }
}

/// The elements of an array of strings.
#[derive(Clone, Debug)]
pub(crate) enum Strings<'a> {
    /// The inside of the array, in which no string is escaped: see [`plain_strings`].
    Plain(&'a str),
    Unescaped(Box<[Box<str>]>),
}

/// The strings of an array's inside, where no string is escaped: every second piece between
/// quotation marks.
pub(crate) fn plain_strings(inside: &str) -> impl Iterator<Item = &str> {
    let mut pieces = inside.split('"');
    std::iter::from_fn(move || {
        pieces.next()?;
        pieces.next()
    })
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    names: Names<'a>,
}

/// A string as it stands, without its quotation marks.
#[derive(Clone, Copy, Debug)]
struct Raw<'a> {
    content: &'a str,
    escaped: bool,
}

impl<'a> Scanner<'a> {
    const fn new(text: &'a str) -> Self {
        Self { text, at: 0, names: Names::new() }
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
        // Tokens have none, as a rule: one comparison tells.
        while let Some(0..=b' ') = self.peek() {
            if !matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                return;
            }
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
        let shape = match self.peek().ok_or(Malformed::Syntax)? {
            b'"' => {
                let string = self.string()?;
                if string.escaped && unescape(string.content).is_none() {
                    return Err(Malformed::Syntax);
                }
                Shape::String { escaped: string.escaped }
            }
            b'{' => {
                self.object(depth, &mut |_, _| {})?;
                Shape::Object
            }
            b'[' => {
                let (mut strings, mut escapes) = (true, false);
                self.array(depth, &mut |element| match element.shape {
                    Shape::String { escaped } => escapes |= escaped,
                    _ => strings = false,
                })?;
                if strings { Shape::Strings { escaped: escapes } } else { Shape::Array }
            }
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => self.number()?,
        };
        Ok(Value { raw: self.since(start)?, shape })
    }

    fn object<F: FnMut(&str, Value<'a>)>(
        &mut self,
        depth: usize,
        member: &mut F,
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
        let mut filter = Filter::default();
        let mut escaped = false;
        loop {
            self.skip_whitespace();
            let name = self.string()?;
            self.skip_whitespace();
            self.take(b':')?;
            self.skip_whitespace();
            let value = self.value(depth + 1)?;
            if name.escaped {
                escaped = true;
                member(&unescape(name.content).ok_or(Malformed::Syntax)?, value);
            } else {
                member(name.content, value);
            }
            if filter.may_have(name.content) && self.names.repeats(outer_names, name.content) {
                return Err(Malformed::DuplicateMember);
            }
            self.names.push(name.content);
            self.skip_whitespace();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(Malformed::Syntax),
            }
        }
        self.at += 1;
        self.names.close(outer_names, escaped)
    }

    fn array(
        &mut self,
        depth: usize,
        element: &mut impl FnMut(Value<'a>),
    ) -> Result<(), Malformed> {
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

    /// The grammar of the string but for its escapes, which `unescape` checks.
    fn string(&mut self) -> Result<Raw<'a>, Malformed> {
        self.take(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_length(self.text.as_bytes().get(self.at..).unwrap_or_default());
            match self.peek().ok_or(Malformed::Syntax)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2; // whatever follows
                }
                _ => return Err(Malformed::Syntax),
            }
        }
        let content = self.since(start)?;
        self.at += 1;
        Ok(Raw { content, escaped })
    }

    fn literal(&mut self, word: &str) -> Result<Shape, Malformed> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(Malformed::Syntax);
        }
        self.at += word.len();
        Ok(Shape::Literal)
    }

    fn number(&mut self) -> Result<Shape, Malformed> {
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
        Ok(Shape::Number)
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(Malformed::Syntax) } else { Ok(()) }
    }
}

/// How many bytes a string goes on without its end, an escape or a control character. Eight at a
/// time: most of a token is the inside of strings.
fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (position, word) in words.iter().enumerate() {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return position * 8 + stops.trailing_zeros() as usize / 8;
        }
    }
    let plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..=0x1f);
    bytes.len() - rest.len() + rest.iter().take_while(plain).count()
}

/// The top bit of the lowest byte that is `"`, `\` or a control character. Of the bytes above it,
/// nothing is said: a subtraction may have borrowed from them.
const fn stops(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word
    }
    let quote = zeros(word ^ (ONES * b'"' as u64));
    let backslash = zeros(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & TOPS
}

/// The names of all objects that are open, innermost last. Without an allocation for the number of
/// claims that tokens have.
struct Names<'a> {
    first: [&'a str; PAIRWISE],
    more: Vec<&'a str>,
    len: usize,
}

impl<'a> Names<'a> {
    const fn new() -> Self {
        Self { first: [""; PAIRWISE], more: Vec::new(), len: 0 }
    }

    const fn len(&self) -> usize {
        self.len
    }

    fn push(&mut self, name: &'a str) {
        match self.first.get_mut(self.len) {
            Some(place) => *place = name,
            None => self.more.push(name),
        }
        self.len += 1;
    }

    /// Whether the object that began at `outer` has this name already, as far as that is cheap to
    /// tell; else [`close`](Self::close) tells it.
    fn repeats(&self, outer: usize, name: &str) -> bool {
        self.first.get(outer..self.len).is_some_and(|names| names.contains(&name))
    }

    /// Ends the object that began at `outer`.
    fn close(&mut self, outer: usize, escaped: bool) -> Result<(), Malformed> {
        if escaped || self.len > PAIRWISE {
            let names = self.first.iter().take(self.len).chain(&self.more).skip(outer);
            let names: Option<Vec<Cow<'_, str>>> = names.map(|name| unescaped(name)).collect();
            let mut names = names.ok_or(Malformed::Syntax)?;
            names.sort_unstable();
            if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
                return Err(Malformed::DuplicateMember);
            }
        }
        self.len = outer;
        self.more.truncate(outer.saturating_sub(PAIRWISE));
        Ok(())
    }
}

/// Tells most names that an object has not had yet from one look at length and ends.
#[derive(Default)]
struct Filter(u64);

impl Filter {
    /// Takes note of a name, and says whether it may have been there before.
    fn may_have(&mut self, name: &str) -> bool {
        let bytes = name.as_bytes();
        let end = |byte: Option<&u8>| u32::from(byte.copied().unwrap_or_default());
        let (first, last) = (end(bytes.first()), end(bytes.last()));
        let mixed = first.wrapping_mul(5) ^ last.wrapping_mul(17) ^ (bytes.len() as u32 * 11);
        let bit = 1 << (mixed % 64);
        let before = self.0 & bit != 0;
        self.0 |= bit;
        before
    }
}

fn unescaped(content: &str) -> Option<Cow<'_, str>> {
    if content.contains('\\') {
        unescape(content).map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(content))
    }
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
