//! Requirements on the application's own claims.
use super::requirement::{ClaimTest, Kind, Requirement};
use crate::jose::json::Value;
use std::borrow::Cow;

/// Starts a requirement on a claim. Its name is taken literally: dots and slashes, as in
/// `https://acme.com/roles`, have no meaning.
///
/// ```
/// use auth0_core::policy::*;
///
/// policy!(pub Admin = claim("https://acme.com/roles").contains("admin"));
/// policy!(pub Beta  = any_of![claim("plan").equals("beta"), claim("beta").equals_bool(true)]);
/// assert_eq!(of::<Admin>().to_string(), r#"claim("https://acme.com/roles").contains("admin")"#);
/// ```
///
/// Values are compared with their types: the boolean `true` is not the text `"true"`. Refused with
/// `403 insufficient_scope` and the `error_code` `requirement_not_met`.
pub const fn claim(name: &'static str) -> Claim {
    Claim { name }
}

/// A claim by its name: see [`claim`].
#[derive(Clone, Copy, Debug)]
#[must_use = "say what the claim must be"]
pub struct Claim {
    name: &'static str,
}

impl Claim {
    /// Requires that the claim is an array that has this text as an element, or is this text.
    #[must_use]
    pub const fn contains(self, text: &'static str) -> Requirement {
        self.must(ClaimTest::Contains(Cow::Borrowed(text)))
    }

    /// Requires that the claim is this text. For numbers and booleans, use
    /// [`equals_number`](Self::equals_number) and [`equals_bool`](Self::equals_bool).
    #[must_use]
    pub const fn equals(self, text: &'static str) -> Requirement {
        self.must(ClaimTest::Equals(Cow::Borrowed(text)))
    }

    /// Requires that the claim is this number, in any notation: `5`, `5.0` and `5e0` are one number.
    #[must_use]
    pub const fn equals_number(self, number: f64) -> Requirement {
        self.must(ClaimTest::EqualsNumber(number))
    }

    /// Requires that the claim is this boolean.
    #[must_use]
    pub const fn equals_bool(self, boolean: bool) -> Requirement {
        self.must(ClaimTest::EqualsBool(boolean))
    }

    const fn must(self, test: ClaimTest) -> Requirement {
        Requirement(Kind::Claim { name: Cow::Borrowed(self.name), test })
    }
}

impl ClaimTest {
    pub(super) fn is_passed_by(&self, value: Value<'_>) -> bool {
        match self {
            Self::Contains(text) => {
                let is_it = |value: Value<'_>| value.as_str().is_some_and(|value| value == *text);
                is_it(value) || value.any_element(is_it)
            }
            Self::Equals(text) => value.as_str().is_some_and(|value| value == *text),
            Self::EqualsNumber(number) => value.as_number() == Some(*number),
            Self::EqualsBool(boolean) => value.as_bool() == Some(*boolean),
        }
    }
}
