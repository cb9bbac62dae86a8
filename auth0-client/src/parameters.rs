//! The parameters of a request: those of the grant, and those that the application adds.
use crate::{
    error::{Error, ErrorKind},
    secret::Secret,
};
use auth0_core::{ConfigError, support::Escaped};
use std::{borrow::Cow, collections::BTreeSet};
use url::form_urlencoded;
use zeroize::Zeroizing;

/// The most values that the application may add for one name.
const MAX_VALUES: usize = 20;

/// The names that the client sets itself, in every request.
const RESERVED: [&str; 6] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "dpop_jkt",
];

/// Parameters in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(Cow<'static, str>, Secret)>);

impl Parameters {
    pub(crate) fn of_grant(grant_type: impl Into<Secret>) -> Self {
        Self(vec![("grant_type".into(), grant_type.into())])
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Secret>) -> Self {
        self.set(name, value);
        self
    }

    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Secret>) {
        self.0.push((name.into(), value.into()));
    }

    pub(crate) fn set_some(&mut self, name: &'static str, value: Option<impl Into<Secret>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Adds a parameter of the application. It must not replace one that this request or the client sets.
    pub(crate) fn add(
        &mut self,
        name: &str,
        value: &str,
        reserved: &[&str],
    ) -> Result<(), ConfigError> {
        let refused =
            |why: &str| Err(ConfigError::new(format!("the parameter {} {why}", Escaped(name))));
        if name.is_empty() {
            return refused("has no name. Write the name of Auth0's documentation");
        }
        if RESERVED.contains(&name) || reserved.contains(&name) {
            return refused(
                "is set by the client. Use the method of this request for it, if there is one",
            );
        }
        if self.0.iter().filter(|(known, _)| known == name).count() >= MAX_VALUES {
            return refused("has too many values. Send at most 20");
        }
        self.0.push((name.to_owned().into(), Secret::new(value)));
        Ok(())
    }

    /// Appends all others.
    pub(crate) fn append(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Encodes them as a form, together with the credentials of the client.
    pub(crate) fn form(&self, credentials: &[(&'static str, Secret)]) -> Zeroizing<Vec<u8>> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(credentials.iter().map(|(name, value)| (*name, &**value)));
        form.extend_pairs(self.iter());
        Zeroizing::new(form.finish().into_bytes())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// A set of scopes: sorted, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(BTreeSet<Box<str>>);

impl Scopes {
    /// Adds scopes. One text may hold several, with spaces between them.
    pub(crate) fn extend<T: AsRef<str>>(
        &mut self,
        scopes: impl IntoIterator<Item = T>,
    ) -> Result<(), ConfigError> {
        // RFC 6749 §3.3.
        let is_char = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        for text in scopes {
            for scope in text.as_ref().split_ascii_whitespace() {
                if !scope.bytes().all(is_char) {
                    return Err(ConfigError::new(format!(
                        "the scope {} has a character that a scope cannot have. Write it as in Dashboard > \
                         Applications > APIs > Permissions",
                        Escaped(scope)
                    )));
                }
                self.0.insert(scope.into());
            }
        }
        Ok(())
    }

    pub(crate) fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Returns the scopes with spaces between them. `None` if there are none.
    pub(crate) fn text(&self) -> Option<String> {
        let scopes: Vec<&str> = self.0.iter().map(|scope| &**scope).collect();
        (!scopes.is_empty()).then(|| scopes.join(" "))
    }
}

/// The first mistake in the settings of one request: it is reported when the request is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mistake(Option<ConfigError>);

impl Mistake {
    pub(crate) fn note(&mut self, result: Result<(), ConfigError>) {
        if let (None, Err(error)) = (&self.0, result) {
            self.0 = Some(error);
        }
    }

    pub(crate) fn config(self) -> Result<(), ConfigError> {
        self.0.map_or(Ok(()), Err)
    }

    pub(crate) fn check(self) -> Result<(), Error> {
        self.config().map_err(|error| Error::new(ErrorKind::Misconfigured, error.to_string()))
    }
}

/// Checks that a text which a request needs is there.
pub(crate) fn required(what: &str, text: &str) -> Result<(), ConfigError> {
    match text.trim().is_empty() {
        false => Ok(()),
        true => Err(ConfigError::new(format!("{what} is empty"))),
    }
}
