//! The organization through which a user logged in.
use std::fmt;

/// The organization of a token: see
/// [`VerifiedToken::organization`](crate::VerifiedToken::organization).
///
/// Store data by its [`id`](Self::id): another organization can get the name later.
///
/// ```
/// # use auth0_testing::Tenant;
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let tenant = Tenant::new();
/// let token = tenant.token().organization("org_a1", "acme").mint();
/// let organization = tenant.auth0().verify(&token).await?.organization().unwrap();
/// assert_eq!((organization.id(), organization.name()), ("org_a1", Some("acme")));
/// # Ok::<(), auth0_core::Error>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Organization {
    id: Box<str>,
    name: Option<Box<str>>,
}

impl Organization {
    pub(crate) fn new(id: &str, name: Option<&str>) -> Self {
        Self { id: id.into(), name: name.map(Into::into) }
    }

    /// Returns the `org_id` claim: `org_…`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the `org_name` claim, if the tenant puts it into tokens.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl fmt::Display for Organization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}
