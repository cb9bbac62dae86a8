//! The claims of a payload: RFC 7519 §4.1, RFC 9068 §2.2, and Auth0's, with the types that the
//! wire really has.
use crate::{
    error::{Error, ErrorCode},
    json::{self, Strings, Value, plain_strings},
};
use std::{borrow::Cow, time::Duration};

/// Where the claims stand that mean something here. Borrowed from the payload; their types are
/// looked at one by one afterwards, because a missing `iss` and a missing `exp` are different
/// refusals.
#[derive(Debug, Default)]
pub(crate) struct Claims<'a> {
    pub(crate) issuer: Option<Value<'a>>,
    pub(crate) subject: Option<Value<'a>>,
    pub(crate) audience: Option<Value<'a>>,
    pub(crate) expires_at: Option<Value<'a>>,
    pub(crate) not_before: Option<Value<'a>>,
    pub(crate) issued_at: Option<Value<'a>>,
    pub(crate) token_id: Option<Value<'a>>,
    pub(crate) client_id: Option<Value<'a>>,
    pub(crate) authorized_party: Option<Value<'a>>,
    pub(crate) scope: Option<Value<'a>>,
    pub(crate) permissions: Option<Value<'a>>,
    pub(crate) organization_id: Option<Value<'a>>,
    pub(crate) organization_name: Option<Value<'a>>,
    pub(crate) session_id: Option<Value<'a>>,
    pub(crate) authenticated_at: Option<Value<'a>>,
    pub(crate) authentication_class: Option<Value<'a>>,
    pub(crate) authentication_methods: Option<Value<'a>>,
    pub(crate) confirmation: Option<Value<'a>>,
    /// `nonce`, `at_hash`, `c_hash`, `s_hash`: only ID tokens have these.
    pub(crate) id_token_member: bool,
}

impl<'a> Claims<'a> {
    pub(crate) fn parse(payload: &'a str) -> Result<Self, Error> {
        let mut claims = Self::default();
        json::check_object(payload, |name, value| {
            let place = match name {
                "iss" => &mut claims.issuer,
                "sub" => &mut claims.subject,
                "aud" => &mut claims.audience,
                "exp" => &mut claims.expires_at,
                "nbf" => &mut claims.not_before,
                "iat" => &mut claims.issued_at,
                "jti" => &mut claims.token_id,
                "client_id" => &mut claims.client_id,
                "azp" => &mut claims.authorized_party,
                "scope" => &mut claims.scope,
                "permissions" => &mut claims.permissions,
                "org_id" => &mut claims.organization_id,
                "org_name" => &mut claims.organization_name,
                "sid" => &mut claims.session_id,
                "auth_time" => &mut claims.authenticated_at,
                "acr" => &mut claims.authentication_class,
                "amr" => &mut claims.authentication_methods,
                "cnf" => &mut claims.confirmation,
                "nonce" | "at_hash" | "c_hash" | "s_hash" => {
                    claims.id_token_member = true;
                    return;
                }
                _ => return,
            };
            *place = Some(value);
        })
        .map_err(|why| {
            Error::new(ErrorCode::TokenMalformed)
                .because(format!("the token's payload: {}", why.as_str()))
        })?;
        Ok(claims)
    }
}

impl Claims<'_> {
    /// The client, for the log: whatever of the two claims is a string.
    pub(crate) fn client_id(&self) -> Option<Box<str>> {
        self.client_id.or(self.authorized_party)?.as_str().map(Into::into)
    }
}

/// A piece of the payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    start: u32,
    end: u32,
}

impl Place {
    fn new(piece: &str, payload: &str) -> Option<Self> {
        let start = (piece.as_ptr() as usize).wrapping_sub(payload.as_ptr() as usize);
        let end = start.wrapping_add(piece.len());
        Some(Self { start: start.try_into().ok()?, end: end.try_into().ok()? })
    }

    fn of(self, payload: &str) -> &str {
        payload.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// What the allocator may add to a small text, in bytes.
const ALLOCATION: usize = 32;

/// A string of the payload: where it stands there, or a copy where JSON had escaped it.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Place(Place),
    Copy(Box<str>),
}

impl Text {
    fn new(text: Cow<'_, str>, payload: &str) -> Self {
        match text {
            Cow::Borrowed(text) => {
                Place::new(text, payload).map_or_else(|| Self::Copy(text.into()), Self::Place)
            }
            Cow::Owned(text) => Self::Copy(text.into()),
        }
    }

    /// A copy of several, with spaces between them.
    pub(crate) fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        Self::Copy(texts.collect::<Vec<_>>().join(" ").into())
    }

    pub(crate) fn of<'a>(&'a self, payload: &'a str) -> &'a str {
        match self {
            Self::Place(place) => place.of(payload),
            Self::Copy(text) => text,
        }
    }

    /// The bytes of memory beside the payload and itself.
    pub(crate) fn copied_bytes(&self) -> usize {
        match self {
            Self::Place(_) => 0,
            Self::Copy(text) => text.len() + ALLOCATION,
        }
    }
}

/// Strings of the payload: where their array stands there, or copies where JSON had escaped one.
#[derive(Clone, Debug, Default)]
pub(crate) enum Texts {
    #[default]
    Empty,
    One(Text),
    /// The inside of an array without escapes.
    Place(Place),
    Copies(Box<[Box<str>]>),
}

impl Texts {
    pub(crate) fn of<'a>(&'a self, payload: &'a str) -> impl Iterator<Item = &'a str> {
        let (one, inside, copies) = match self {
            Self::Empty => (None, "", &[][..]),
            Self::One(text) => (Some(text.of(payload)), "", &[][..]),
            Self::Place(place) => (None, place.of(payload), &[][..]),
            Self::Copies(copies) => (None, "", &**copies),
        };
        let copies = copies.iter().map(|copy| &**copy);
        one.into_iter().chain(plain_strings(inside)).chain(copies)
    }

    /// The bytes of memory beside the payload and itself.
    pub(crate) fn copied_bytes(&self) -> usize {
        match self {
            Self::Empty | Self::Place(_) => 0,
            Self::One(text) => text.copied_bytes(),
            Self::Copies(copies) => {
                copies.iter().map(|copy| copy.len() + size_of::<Box<str>>() + ALLOCATION).sum()
            }
        }
    }
}

/// A claim's value in the type that it must have.
pub(crate) trait Typed<'a>: Sized {
    const EXPECTED: &'static str;

    fn read(value: Value<'a>, payload: &str) -> Option<Self>;
}

impl<'a> Typed<'a> for Text {
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
        // Before 1970 is as long ago as any; beyond what a `Duration` holds is for ever.
        let seconds = value.as_number()?.max(0.0);
        Some(Self::try_from_secs_f64(seconds).unwrap_or(Self::MAX))
    }
}

impl<'a> Typed<'a> for Texts {
    const EXPECTED: &'static str = "an array of strings";

    fn read(value: Value<'a>, payload: &str) -> Option<Self> {
        Some(match value.strings()? {
            Strings::Plain("") => Self::Empty,
            Strings::Plain(inside) => Self::Place(Place::new(inside, payload)?),
            Strings::Unescaped(texts) => Self::Copies(texts),
        })
    }
}

/// One string or several: `aud` (RFC 7519 §4.1.3).
pub(crate) struct OneOrMany(pub(crate) Texts);

impl<'a> Typed<'a> for OneOrMany {
    const EXPECTED: &'static str = "a string or an array of strings";

    fn read(value: Value<'a>, payload: &str) -> Option<Self> {
        match Text::read(value, payload) {
            Some(text) => Some(Self(Texts::One(text))),
            None => Typed::read(value, payload).map(Self),
        }
    }
}

/// A claim that may be absent.
pub(crate) fn optional<'a, T: Typed<'a>>(
    name: &'static str,
    value: Option<Value<'a>>,
    payload: &str,
) -> Result<Option<T>, Error> {
    let Some(value) = value else { return Ok(None) };
    match T::read(value, payload) {
        Some(typed) => Ok(Some(typed)),
        None => Err(invalid(format!("the claim {name} is not {}", T::EXPECTED))),
    }
}

/// A claim that must be there.
pub(crate) fn required<'a, T: Typed<'a>>(
    name: &'static str,
    value: Option<Value<'a>>,
    payload: &str,
) -> Result<T, Error> {
    optional(name, value, payload)?.ok_or_else(|| invalid(format!("the claim {name} is missing")))
}

pub(crate) fn invalid(cause: String) -> Error {
    Error::new(ErrorCode::ClaimsInvalid).because(cause)
}
