//! The public view of one condition, for documents.
use super::requirement::{Kind, Requirement, Source};

/// A condition of an [`Alternative`](super::Alternative), for code that documents it: see
/// [`Requirement::condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition<'a> {
    /// Of [`scope()`](super::scope()): one or several scopes, separated by spaces.
    Scope(&'a str),
    /// Of [`permission()`](super::permission()).
    Permission(&'a str),
    /// Of [`claim()`](super::claim()): the name of the claim. The requirement's `Display` form has the value.
    Claim(&'a str),
    /// Of [`organization`](super::organization): the id.
    Organization(&'a str),
    /// Of [`organization_name`](super::organization_name).
    OrganizationName(&'a str),
    /// Of [`any_organization`](super::any_organization).
    AnyOrganization,
    /// Of [`organization_in_path`](super::organization_in_path): the name of the parameter.
    OrganizationInPath(&'a str),
    /// Of [`organization_in_header`](super::organization_in_header): the name of the header.
    OrganizationInHeader(&'a str),
    /// Of [`acr`](super::acr).
    Acr(&'a str),
    /// Of [`amr`](super::amr).
    Amr(&'a str),
    /// Of [`max_age`](super::max_age), in seconds.
    MaxAge(u64),
    /// Of [`machine`](super::machine).
    Machine,
    /// Of [`user`](super::user).
    User,
    /// Of [`not_anonymous`](super::not_anonymous).
    NotAnonymous,
    /// Of [`client`](super::client): the id.
    Client(&'a str),
    /// Of [`check`](super::check): the name.
    Check(&'a str),
}

impl Requirement {
    /// Returns the condition. `None` for a requirement that is a list of others, or that any valid token meets.
    ///
    /// ```
    /// use auth0_core::policy::*;
    ///
    /// assert_eq!(max_age(300).condition(), Some(Condition::MaxAge(300)));
    /// assert_eq!(all_of![max_age(300), user()].condition(), None);
    /// ```
    #[must_use]
    pub fn condition(&self) -> Option<Condition<'_>> {
        Some(match &self.0 {
            Kind::Authenticated
            | Kind::AnyScope(_)
            | Kind::AnyPermission(_)
            | Kind::All(_)
            | Kind::Any(_) => return None,
            Kind::Scope(names) => Condition::Scope(names),
            Kind::Permission(name) => Condition::Permission(name),
            Kind::Claim { name, .. } => Condition::Claim(name),
            Kind::Organization(id) => Condition::Organization(id),
            Kind::OrganizationName(name) => Condition::OrganizationName(name),
            Kind::AnyOrganization => Condition::AnyOrganization,
            Kind::OrganizationOfRequest(Source::Path(name)) => Condition::OrganizationInPath(name),
            Kind::OrganizationOfRequest(Source::Header(name)) => {
                Condition::OrganizationInHeader(name)
            }
            Kind::Acr(value) => Condition::Acr(value),
            Kind::Amr(value) => Condition::Amr(value),
            Kind::MaxAge { seconds } => Condition::MaxAge(*seconds),
            Kind::Machine => Condition::Machine,
            Kind::User => Condition::User,
            Kind::NotAnonymous => Condition::NotAnonymous,
            Kind::Client(id) => Condition::Client(id),
            Kind::Check { name, .. } => Condition::Check(name),
        })
    }
}
