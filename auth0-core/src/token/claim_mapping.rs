//! The names of claims in the tokens of providers other than Auth0. The default names are Auth0's, at no
//! cost.
use super::payload_text::{
    OneOrMany, PayloadStr, PayloadStrs, Scopes, Typed, lenient, not_null, optional,
};
use crate::{
    error::Error,
    jose::json::{self, Value},
};
use std::fmt;

/// The path from the payload to a value: the name of a claim, and names of members.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ClaimPath(Vec<String>);

/// The paths of claims that a provider names differently. An empty path means Auth0's.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ClaimMapping {
    pub(crate) scope: ClaimPath,
    pub(crate) client_id: ClaimPath,
    pub(crate) permissions: ClaimPath,
    /// Whether the permissions are the names of an object's members.
    pub(crate) permissions_are_members: bool,
    /// The claims that name the subject: the first that is there counts.
    pub(crate) subject: Vec<ClaimPath>,
    pub(crate) session: ClaimPath,
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

    fn read<'a, T: Typed<'a>>(&self, payload: &'a str) -> Option<T> {
        lenient(self.find(payload), payload)
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" > "))
    }
}

impl ClaimMapping {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn scope(&self, payload: &str) -> Option<PayloadStr> {
        self.scope.read(payload).map(|Scopes(scopes)| scopes)
    }

    pub(crate) fn client_id(&self, payload: &str) -> Option<PayloadStr> {
        self.client_id.read(payload)
    }

    pub(crate) fn session(&self, payload: &str) -> Option<PayloadStr> {
        self.session.read(payload)
    }

    pub(crate) fn permissions(&self, payload: &str) -> PayloadStrs {
        let Some(value) = self.permissions.find(payload) else { return PayloadStrs::Empty };
        if self.permissions_are_members {
            return PayloadStrs::members(value);
        }
        lenient(Some(value), payload).map_or(PayloadStrs::Empty, |OneOrMany(all)| all)
    }

    /// Reads the subject. `sub` is as strict here as where it is the only claim for it.
    pub(crate) fn subject(&self, payload: &str) -> Result<Option<PayloadStr>, Error> {
        for path in &self.subject {
            let found: Option<PayloadStr> = match &*path.0 {
                [claim] if claim == "sub" => {
                    optional("sub", not_null(path.find(payload)), payload)?
                }
                _ => path.read(payload),
            };
            if let Some(subject) = found.filter(|subject| !subject.of(payload).is_empty()) {
                return Ok(Some(subject));
            }
        }
        Ok(None)
    }

    /// Returns the names of the claims for the subject, for the log.
    pub(crate) fn subject_names(&self) -> String {
        self.subject.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}
