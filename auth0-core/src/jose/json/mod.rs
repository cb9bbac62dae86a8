//! Strict JSON for tokens: one pass that checks the grammar (RFC 8259), refuses an object that
//! names a member twice at any depth, bounds the nesting, and returns members as parts of the text.
//!
//! Not `serde_json`, because every reader must understand a token in the same way: a general parser takes
//! the last of two equal members, and its number type changes with a feature of another crate in the
//! application's dependencies. Custom claims still go through `serde`, after this check.
mod glance;
mod name_table;
mod names;
mod number;
mod scanner;
mod text;

pub(crate) use glance::first_string;

use scanner::Scanner;
use std::borrow::Cow;
use text::unescape;

/// The reason why a text is not acceptable JSON.
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

/// Checks a whole document of any kind.
#[cfg(feature = "mcp")]
pub(crate) fn check(text: &str) -> Result<Value<'_>, Malformed> {
    let mut scanner = Scanner::new(text);
    scanner.skip_whitespace();
    let value = scanner.value(0)?;
    scanner.end()?;
    Ok(value)
}

/// Checks a whole document that must be an object, and passes its top-level members to a function in order.
pub(crate) fn check_object<'a>(
    text: &'a str,
    mut member: impl FnMut(&str, Value<'a>),
) -> Result<(), Malformed> {
    let mut scanner = Scanner::new(text);
    scanner.skip_whitespace();
    if scanner.peek() != Some(b'{') {
        // Distinguish JSON that is not an object from text that is not JSON.
        scanner.value(0)?;
        scanner.end()?;
        return Err(Malformed::NotAnObject);
    }
    scanner.object(0, &mut member)?;
    scanner.end()
}

/// A value of a checked document: its text, and what the pass found in it.
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
    /// An array of strings only.
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

    /// Returns the text, if this is a string without escapes.
    pub(crate) fn plain_str(self) -> Option<&'a str> {
        match self.shape {
            Shape::String { escaped: false } => self.content(),
            _ => None,
        }
    }

    /// Returns what is between the first and the last character: of a string without escapes, its text.
    fn content(self) -> Option<&'a str> {
        self.raw.get(1..self.raw.len().checked_sub(1)?)
    }

    pub(crate) fn as_number(self) -> Option<f64> {
        match self.shape {
            Shape::Number => self.raw.parse().ok(),
            _ => None,
        }
    }

    /// Returns whether this is a number of exactly the value that the text of another one has.
    pub(crate) fn is_number(self, number: &str) -> bool {
        self.shape == Shape::Number && number::is_same(self.raw, number)
    }

    /// Returns a number without sign, fraction and exponent, if it is short enough for a `u64`.
    pub(crate) fn as_integer(self) -> Option<u64> {
        if self.shape != Shape::Number || self.raw.len() > 18 {
            return None;
        }
        self.raw.bytes().try_fold(0, |number: u64, byte| match byte {
            b'0'..=b'9' => Some(number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'))),
            _ => None,
        })
    }

    pub(crate) fn is_null(self) -> bool {
        self.raw == "null"
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        match self.raw {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Returns whether this is an array in which the function holds for an element.
    pub(crate) fn any_element(self, mut holds: impl FnMut(Value<'a>) -> bool) -> bool {
        let mut found = false;
        if matches!(self.shape, Shape::Array | Shape::Strings { .. }) {
            // It was scanned before, so it is a complete array.
            let _ = Scanner::new(self.raw).array(0, &mut |element| found |= holds(element));
        }
        found
    }

    pub(crate) fn is_object(self) -> bool {
        self.shape == Shape::Object
    }

    /// Returns the strings, if this is an array of strings only.
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

    /// Returns a member by its name, if this is an object that has it.
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

/// Returns the strings of an array from its inside, where no string is escaped: every second piece between
/// quotation marks.
pub(crate) fn plain_strings(inside: &str) -> impl Iterator<Item = &str> {
    let mut pieces = inside.split('"');
    std::iter::from_fn(move || {
        pieces.next()?;
        pieces.next()
    })
}

#[cfg(test)]
mod tests {
    use super::{scanner::MAX_DEPTH, *};
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

    /// Names that the filter cannot distinguish, names beyond the first ones, and names with escapes.
    #[test]
    fn a_name_is_found_wherever_it_occurs_again() {
        let alike = |number: usize| format!("a{number:04}z");
        let object = |names: &[String]| {
            let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        for len in [2, 20, 32, 33, 34, 200, 1400] {
            let names: Vec<_> = (0..len).map(alike).collect();
            let around = |inner: &str| {
                let inner = format!("{{\"{}\":[{inner},{inner}],\"x\":{inner}}}", alike(0));
                [inner.clone(), format!("{{\"y\":1,\"z\":[{inner}]}}")]
            };
            for text in [object(&names)].into_iter().chain(around(&object(&names))) {
                assert!(accepts(&text), "{len}");
            }
            for (first, again) in [(0, len), (0, 1), (len / 2, len), (len - 1, len)] {
                for escaped in [false, true] {
                    let mut names = names.clone();
                    let twice = names[first].replace('z', if escaped { "\\u007a" } else { "z" });
                    names.insert(again, twice);
                    for text in [object(&names)].into_iter().chain(around(&object(&names))) {
                        let result = check_object(&text, |_, _| {});
                        assert_eq!(
                            result,
                            Err(Malformed::DuplicateMember),
                            "{len} {first} {again}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_are_as_large_as_a_double() {
        let nines = "9".repeat(308);
        for (number, expected) in [
            ("1e308", true),
            ("1.7976931348623157e308", true),
            ("1.7976931348623159e308", false),
            ("1e309", false),
            ("-1e309", false),
            ("0e999999999999999999999", true),
            ("0.000001e313", true),
            ("1e-999999999999999999999", true),
            (&*nines, true),
            (&*format!("{nines}9"), false),
            (&*format!("{nines}.9e-1"), true),
        ] {
            assert_eq!(accepts(&format!("{{\"a\":{number}}}")), expected, "{number}");
        }
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
        /// Text that serde_json writes is accepted, and read back alike.
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

        /// Of several objects, one inside the other or beside it, each has a name once.
        #[test]
        fn refuses_exactly_the_names_that_occur_twice(
            objects in prop::collection::vec(prop::collection::vec("[a-k]{1,2}|\\\\u006[1-9][a-c]?", 0..40), 1..6),
            is_nested in any::<bool>(),
        ) {
            let is_unique = objects.iter().all(|names| {
                let mut names: Vec<_> = names.iter().map(|name| text::unescaped(name)).collect();
                names.sort_unstable();
                names.windows(2).all(|pair| pair[0] != pair[1])
            });
            let mut all = String::new();
            for names in &objects {
                let members = names.iter().map(|name| format!("\"{name}\":1,")).collect::<String>();
                let rest = if is_nested { format!("[{all}1]") } else { "1".to_owned() };
                let object = format!("{{{members}\"rest\":{rest}}},");
                if is_nested { all = object } else { all += &object }
            }
            let result = check_object(&format!("{{\"all\":[{all}1]}}"), |_, _| {});
            prop_assert_eq!(result, if is_unique { Ok(()) } else { Err(Malformed::DuplicateMember) });
        }

        /// Text that is accepted is also accepted by serde_json.
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
