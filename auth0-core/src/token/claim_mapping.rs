//! The names of claims in the tokens of providers other than Auth0. The default names are Auth0's, at no
//! cost.
use super::payload_text::{PayloadStr, PayloadStrs, Typed, invalid};
use crate::{
    error::Error,
    jose::json::{self, Value},
};

/// The path from the payload to a value: the name of a claim, and names of members.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ClaimPath(Vec<String>);

/// The paths of claims that a provider names differently. An empty path means Auth0's.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ClaimMapping {
    pub(crate) scope: ClaimPath,
    pub(crate) client_id: ClaimPath,
    pub(crate) permissions: ClaimPath,
}

impl ClaimPath {
    pub(crate) fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    pub(crate) const fn is_default(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds the value. Names are taken literally: dots and slashes have no meaning.
    fn find<'a>(&self, payload: &'a str) -> Option<Value<'a>> {
        let (claim, members) = self.0.split_first()?;
        let mut found = None;
        json::check_object(payload, |name, value| {
            if name == claim {
                found = Some(value);
            }
        })
        .ok()?;
        members.iter().try_fold(found?, |value, name| value.member(name))
    }

    fn read<'a, T: Typed<'a>>(&self, payload: &'a str) -> Result<Option<T>, Error> {
        let Some(value) = self.find(payload) else { return Ok(None) };
        T::read(value, payload).map(Some).ok_or_else(|| self.mistyped(T::EXPECTED))
    }

    fn mistyped(&self, expected: &str) -> Error {
        invalid(format!("the claim {} is not {expected}", self.0.join(" > ")))
    }
}

impl ClaimMapping {
    pub(crate) const fn is_default(&self) -> bool {
        self.scope.is_default() && self.client_id.is_default() && self.permissions.is_default()
    }

    /// Reads the scopes, separated by spaces.
    pub(crate) fn scope(&self, payload: &str) -> Result<Option<PayloadStr>, Error> {
        let Some(value) = self.scope.find(payload) else { return Ok(None) };
        if let Some(text) = PayloadStr::read(value, payload) {
            return Ok(Some(text));
        }
        let mistyped = || self.scope.mistyped("a string or an array of strings");
        let scopes = PayloadStrs::read(value, payload).ok_or_else(mistyped)?;
        // A scope with a space in it would be read as two (RFC 6749 §3.3).
        if scopes.of(payload).any(|scope| scope.contains(' ')) {
            return Err(self.scope.mistyped("an array of scopes: one has a space in it"));
        }
        Ok(Some(PayloadStr::joined(scopes.of(payload))))
    }

    pub(crate) fn client_id(&self, payload: &str) -> Result<Option<PayloadStr>, Error> {
        self.client_id.read(payload)
    }

    pub(crate) fn permissions(&self, payload: &str) -> Result<PayloadStrs, Error> {
        Ok(self.permissions.read(payload)?.unwrap_or_default())
    }
}
