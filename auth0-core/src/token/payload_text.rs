//! Values of a payload in the types that claims have: strings, times, lists. Strings are not copied.
use crate::{
    error::{Error, ErrorCode},
    jose::json::{self, Strings, Value, plain_strings},
};
use std::{borrow::Cow, time::Duration};

/// The position of a text in the payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(piece: &str, payload: &str) -> Option<Self> {
        let start = (piece.as_ptr() as usize).wrapping_sub(payload.as_ptr() as usize);
        let end = start.wrapping_add(piece.len());
        Some(Self { start: start.try_into().ok()?, end: end.try_into().ok()? })
    }

    fn of(self, payload: &str) -> &str {
        payload.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The overhead of the allocator for a small text, in bytes.
const ALLOCATION: usize = 32;

/// A string of the payload: its span, or a copy if JSON had escaped it.
#[derive(Clone, Debug)]
pub(crate) enum PayloadStr {
    Span(Span),
    Copy(Box<str>),
}

impl PayloadStr {
    fn new(text: Cow<'_, str>, payload: &str) -> Self {
        match text {
            Cow::Borrowed(text) => {
                Span::new(text, payload).map_or_else(|| Self::Copy(text.into()), Self::Span)
            }
            Cow::Owned(text) => Self::Copy(text.into()),
        }
    }

    pub(crate) fn of<'a>(&'a self, payload: &'a str) -> &'a str {
        match self {
            Self::Span(span) => span.of(payload),
            Self::Copy(text) => text,
        }
    }

    /// Returns the bytes of memory that it takes in addition to the payload and itself.
    pub(crate) fn copied_bytes(&self) -> usize {
        match self {
            Self::Span(_) => 0,
            Self::Copy(text) => text.len() + ALLOCATION,
        }
    }
}

/// Strings of the payload: the span of their array, or copies if JSON had escaped one.
#[derive(Clone, Debug, Default)]
pub(crate) enum PayloadStrs {
    #[default]
    Empty,
    One(PayloadStr),
    /// The inside of an array without escapes.
    Span(Span),
    Copies(Box<[Box<str>]>),
}

impl PayloadStrs {
    pub(crate) fn of<'a>(&'a self, payload: &'a str) -> impl Iterator<Item = &'a str> {
        let (one, inside, copies) = match self {
            Self::Empty => (None, "", &[][..]),
            Self::One(text) => (Some(text.of(payload)), "", &[][..]),
            Self::Span(span) => (None, span.of(payload), &[][..]),
            Self::Copies(copies) => (None, "", &**copies),
        };
        let copies = copies.iter().map(|copy| &**copy);
        one.into_iter().chain(plain_strings(inside)).chain(copies)
    }

    /// Copies the names of an object's members. Another value has none.
    pub(crate) fn members(value: Value<'_>) -> Self {
        let mut names: Vec<Box<str>> = Vec::new();
        match json::check_object(value.raw(), |name, _| names.push(name.into())) {
            Ok(()) => Self::Copies(names.into()),
            Err(_) => Self::Empty,
        }
    }

    /// Returns the bytes of memory that it takes in addition to the payload and itself.
    pub(crate) fn copied_bytes(&self) -> usize {
        match self {
            Self::Empty | Self::Span(_) => 0,
            Self::One(text) => text.copied_bytes(),
            Self::Copies(copies) => {
                copies.iter().map(|copy| copy.len() + size_of::<Box<str>>() + ALLOCATION).sum()
            }
        }
    }
}

/// Reads a claim's value in the type that it must have.
pub(crate) trait Typed<'a>: Sized {
    const EXPECTED: &'static str;

    fn read(value: Value<'a>, payload: &str) -> Option<Self>;
}

impl<'a> Typed<'a> for PayloadStr {
    const EXPECTED: &'static str = "a string";

    fn read(value: Value<'a>, payload: &str) -> Option<Self> {
        Some(Self::new(value.as_str()?, payload))
    }
}

/// A NumericDate (RFC 7519 §2): seconds since 1970, which may have a fraction.
impl<'a> Typed<'a> for Duration {
    const EXPECTED: &'static str = "a number of seconds";

    fn read(value: Value<'a>, _: &str) -> Option<Self> {
        if let Some(seconds) = value.as_integer() {
            return Some(Self::from_secs(seconds));
        }
        // Times before 1970 count as 1970. Times beyond what a `Duration` holds count as the last one.
        let seconds = value.as_number()?.max(0.0);
        Some(Self::try_from_secs_f64(seconds).unwrap_or(Self::MAX))
    }
}

impl<'a> Typed<'a> for PayloadStrs {
    const EXPECTED: &'static str = "an array of strings";

    fn read(value: Value<'a>, payload: &str) -> Option<Self> {
        Some(match value.strings()? {
            Strings::Plain("") => Self::Empty,
            Strings::Plain(inside) => Self::Span(Span::new(inside, payload)?),
            Strings::Unescaped(texts) => Self::Copies(texts),
        })
    }
}

/// Scopes: one string, separated by spaces (RFC 6749 §3.3), or an array of strings.
pub(crate) struct Scopes(pub(crate) PayloadStr);

impl<'a> Typed<'a> for Scopes {
    const EXPECTED: &'static str = "a string or an array of strings";

    fn read(value: Value<'a>, payload: &str) -> Option<Self> {
        if let Some(text) = PayloadStr::read(value, payload) {
            return Some(Self(text));
        }
        let scopes = PayloadStrs::read(value, payload)?;
        // A name with a space in it would be read as two scopes, so it is none.
        let names: Vec<&str> = scopes.of(payload).filter(|name| !name.contains(' ')).collect();
        Some(Self(PayloadStr::Copy(names.join(" ").into())))
    }
}

/// One string or several: `aud` (RFC 7519 §4.1.3).
pub(crate) struct OneOrMany(pub(crate) PayloadStrs);

impl<'a> Typed<'a> for OneOrMany {
    const EXPECTED: &'static str = "a string or an array of strings";

    fn read(value: Value<'a>, payload: &str) -> Option<Self> {
        match PayloadStr::read(value, payload) {
            Some(text) => Some(Self(PayloadStrs::One(text))),
            None => Typed::read(value, payload).map(Self),
        }
    }
}

/// Reads a claim that validity does not depend on: of another type, it counts as absent.
pub(crate) fn lenient<'a, T: Typed<'a>>(value: Option<Value<'a>>, payload: &str) -> Option<T> {
    T::read(value?, payload)
}

/// Reads a claim that validity depends on, and that may be absent.
pub(crate) fn optional<'a, T: Typed<'a>>(
    name: &'static str,
    value: Option<Value<'a>>,
    payload: &str,
) -> Result<Option<T>, Error> {
    let Some(value) = value else { return Ok(None) };
    match T::read(value, payload) {
        Some(typed) => Ok(Some(typed)),
        None => Err(invalid(format!("the claim {name} has another type"))
            .expecting(format!("{name} to be {}", T::EXPECTED))),
    }
}

/// Reads a claim that must be there.
pub(crate) fn required<'a, T: Typed<'a>>(
    name: &'static str,
    value: Option<Value<'a>>,
    payload: &str,
) -> Result<T, Error> {
    optional(name, value, payload)?.ok_or_else(|| {
        invalid(format!("the claim {name} is missing"))
            .expecting(format!("{name} to be {}", T::EXPECTED))
    })
}

/// Returns an optional claim's value: `null` counts as absent.
pub(crate) fn not_null(value: Option<Value<'_>>) -> Option<Value<'_>> {
    value.filter(|value| !value.is_null())
}

pub(crate) fn invalid(cause: String) -> Error {
    Error::new(ErrorCode::ClaimsInvalid).because(cause)
}
