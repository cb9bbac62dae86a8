//! The organization of a token, as requests and the command line write it.
use auth0_testing::TokenBuilder;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An organization: `org_abc`, or `org_abc:acme` for a token that contains the name, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Organization {
    id: String,
    name: Option<String>,
}

impl Organization {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Adds the claims of the organization to a token.
    pub(crate) fn add_to(&self, token: TokenBuilder) -> TokenBuilder {
        match &self.name {
            Some(name) => token.organization(&self.id, name),
            None => token.claim("org_id", &self.id),
        }
    }
}

impl FromStr for Organization {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, name) = match text.split_once(':') {
            Some((id, name)) => (id, Some(name)),
            None => (text, None),
        };
        if id.strip_prefix("org_").is_none_or(str::is_empty) || name.is_some_and(str::is_empty) {
            return Err(format!(
                "the organization {text:?} is not an id. Write it as org_abc, or as org_abc:acme to \
                 have its name in the token, too"
            ));
        }
        Ok(Self { id: id.into(), name: name.map(str::to_owned) })
    }
}

impl TryFrom<String> for Organization {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Organization> for String {
    fn from(organization: Organization) -> Self {
        organization.to_string()
    }
}

impl fmt::Display for Organization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        self.name.iter().try_for_each(|name| write!(f, ":{name}"))
    }
}
