//! Requirements on the organization through which a user logged in.
use super::requirement::{Kind, Requirement, Source};
use crate::token::VerifiedToken;
use std::borrow::Cow;

/// Requires that the user logged in through this organization: `org_id` is this id (`org_…`).
///
/// ```
/// use auth0_core::policy::organization;
/// use auth0_testing::{Tenant, check};
///
/// let token = Tenant::new().token().organization("org_a1", "acme").verified();
/// assert!(check(&token, &organization("org_a1")).is_ok());
/// assert!(check(&token, &organization("org_b2")).is_err());
/// ```
///
/// Refused with `403 insufficient_scope` and the `error_code` `organization_mismatch`.
#[must_use]
pub const fn organization(id: &'static str) -> Requirement {
    Requirement(Kind::Organization(Cow::Borrowed(id)))
}

/// Requires that the user logged in through the organization of this name: `org_name`, in any case (of
/// ASCII, which Auth0's names are), together with an `org_id`. Another organization can get the name later,
/// so prefer [`organization`].
///
/// Refused as [`organization`] is.
#[must_use]
pub const fn organization_name(name: &'static str) -> Requirement {
    Requirement(Kind::OrganizationName(Cow::Borrowed(name)))
}

/// Requires that the user logged in through an organization.
///
/// Refused as [`organization`] is.
#[must_use]
pub const fn any_organization() -> Requirement {
    Requirement(Kind::AnyOrganization)
}

/// Requires that the token is of the organization that the path of the request names, in the route's
/// parameter of this name: `org` for the route `/orgs/{org}/reports`. This keeps the users of one
/// organization from the data of another.
///
/// A value that begins with `org_` is compared with `org_id`, any other value with `org_name` (in any
/// case). Refused as [`organization`] is. A missing parameter, or nested routes that have several of this
/// name, are a mistake of the application: `500 misconfigured`. (With axum's `nest_service`, a layer around it
/// sees only the parameters of the outer route. Give those of the inner service other names.)
#[must_use]
pub const fn organization_in_path(parameter: &'static str) -> Requirement {
    Requirement(Kind::OrganizationOfRequest(Source::Path(parameter)))
}

/// Requires that the token is of the organization that a header of the request names. The header must occur
/// exactly once. Compared and refused as for [`organization_in_path`].
#[must_use]
pub const fn organization_in_header(name: &'static str) -> Requirement {
    Requirement(Kind::OrganizationOfRequest(Source::Header(name)))
}

/// Supplies the values of a request that a requirement needs. Adapters implement it.
pub trait RequestContext {
    /// Returns a parameter of the route, decoded as the handler sees it. `None` if the route has none of this
    /// name, or several.
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>>;

    /// Returns the value of a header that occurs once; `None` if it is missing or occurs several times.
    fn header(&self, name: &str) -> Option<&[u8]>;

    /// Returns the method and the path of the request for the log, without the query. By default, the log has
    /// neither.
    fn request_line(&self) -> Option<(&str, &str)> {
        None
    }
}

impl<R: RequestContext + ?Sized> RequestContext for &R {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        R::path_parameter(self, name)
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        R::header(self, name)
    }

    fn request_line(&self) -> Option<(&str, &str)> {
        R::request_line(self)
    }
}

/// Returns whether the token's organization has this id or name.
pub(super) fn is_of<C>(token: &VerifiedToken<C>, id_or_name: &str) -> bool {
    // No name begins like an id, in any case: a database may treat `Org_` and `org_` as equal.
    let is_id = id_or_name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("org_"));
    if is_id {
        token.organization_id() == Some(id_or_name)
    } else {
        !id_or_name.is_empty() && is_named(token, id_or_name)
    }
}

pub(super) fn is_named<C>(token: &VerifiedToken<C>, name: &str) -> bool {
    let has_id = token.organization_id().is_some_and(|id| !id.is_empty());
    has_id && token.organization_name().is_some_and(|known| known.eq_ignore_ascii_case(name))
}
