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

/// From here on, several integers are the same double.
const TWO_TO_53: f64 = 9_007_199_254_740_992.0;

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
    /// [`equals_integer`](Self::equals_integer), [`equals_number`](Self::equals_number) and
    /// [`equals_bool`](Self::equals_bool).
    // Where the type is another one, the compiler shows the line of the signature.
    #[rustfmt::skip]
    #[must_use]
    pub const fn equals(self, text: &'static str) -> Requirement { // or equals_bool, equals_integer, equals_number
        self.must(ClaimTest::Equals(Cow::Borrowed(text)))
    }

    /// Requires that the claim is this number, in any notation: `5`, `5.0` and `5e0` are one number. An
    /// integer is compared exactly. Rust rounds a number that is written as `f64`: beyond 2⁵³, use
    /// [`equals_integer`](Self::equals_integer).
    #[must_use]
    pub const fn equals_number(self, number: f64) -> Requirement {
        self.must(ClaimTest::EqualsNumber(number))
    }

    /// Requires that the claim is this integer, in any notation: `5`, `5.0` and `5e0` are one number.
    ///
    /// ```
    /// use auth0_core::policy::*;
    ///
    /// policy!(pub Account = claim("account").equals_integer(9_007_199_254_740_993));
    /// assert_eq!(of::<Account>().to_string(), r#"claim("account").equals_integer(9007199254740993)"#);
    /// ```
    #[must_use]
    pub const fn equals_integer(self, number: i64) -> Requirement {
        self.must(ClaimTest::EqualsInteger(number))
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
            Self::EqualsInteger(number) => value.is_number(&number.to_string()),
            Self::EqualsNumber(number) => {
                // A double distinguishes smaller integers. Larger ones have the digits that Rust prints.
                value.as_number() == Some(*number)
                    && (number.abs() < TWO_TO_53 || value.is_number(&format!("{number:e}")))
            }
            Self::EqualsBool(boolean) => value.as_bool() == Some(*boolean),
        }
    }
}
