//! A requirement: built, combined, printed.
use crate::token::VerifiedToken;
use std::{borrow::Cow, fmt, sync::Arc};

/// A requirement on a verified token. See [the module](mod@crate::policy) for how to write one.
///
/// Two requirements are equal if they are written alike; a [`check`] is compared by its name.
///
/// ```
/// use auth0_core::policy::*;
///
/// let requirement = scope("read:messages").and(permission("staff").or(machine()));
/// assert_eq!(
///     requirement.to_string(),
///     r#"all_of[scope("read:messages"), any_of[permission("staff"), machine()]]"#,
/// );
/// ```
#[derive(Clone)]
pub struct Requirement(pub(super) Kind);

pub(super) type Text = Cow<'static, str>;

#[derive(Clone)]
pub(super) enum Kind {
    Authenticated,
    Scope(Text),
    AnyScope(&'static [&'static str]),
    Permission(Text),
    AnyPermission(&'static [&'static str]),
    Claim { name: Text, test: ClaimTest },
    Organization(Text),
    OrganizationName(Text),
    AnyOrganization,
    OrganizationOfRequest(Source),
    Acr(Text),
    Amr(Text),
    MaxAge { seconds: u64 },
    Machine,
    User,
    NotAnonymous,
    Client(Text),
    Check { name: &'static str, passes: fn(&VerifiedToken) -> bool },
    All(List),
    Any(List),
}

/// The condition on a claim.
#[derive(Clone)]
pub(super) enum ClaimTest {
    Contains(Text),
    Equals(Text),
    EqualsInteger(i64),
    EqualsNumber(f64),
    EqualsBool(bool),
}

/// The part of a request that names an organization.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Source {
    Path(&'static str),
    Header(&'static str),
}

/// A constant list, or one that was created at run time.
#[derive(Clone)]
pub(super) enum List {
    Static(&'static [Requirement]),
    Shared(Arc<Vec<Requirement>>),
}

/// Requires a valid token.
#[must_use]
pub const fn authenticated() -> Requirement {
    Requirement(Kind::Authenticated)
}

/// Requires that the client was granted this scope: the `scope` claim lists it. Of several scopes in one
/// text, separated by spaces as in OAuth, all are required. An empty name is never met.
///
/// ```
/// use auth0_core::policy::scope;
/// use auth0_testing::{Tenant, check};
///
/// let token = Tenant::new().token().scope("read:messages").verified();
/// assert!(check(&token, &scope("read:messages")).is_ok());
/// assert!(check(&token, &scope("read:messages write:messages")).is_err());
/// ```
///
/// Refused with `403 insufficient_scope`, and a challenge that names the scopes of the whole
/// requirement, so that the client can request a token that has them.
#[doc(alias = "require_scope")]
#[doc(alias = "require_scopes")]
#[doc(alias = "requires_scope")]
#[doc(alias = "has_scope")]
#[must_use]
pub const fn scope(name: &'static str) -> Requirement {
    Requirement(Kind::Scope(Cow::Borrowed(name)))
}

/// Requires that the client was granted at least one of these scopes. An empty list is never met.
///
/// ```
/// use auth0_core::policy::*;
///
/// policy!(pub Read = any_scope(&["read:messages", "admin:messages"]));
/// assert_eq!(of::<Read>().to_string(), r#"any_scope(["read:messages", "admin:messages"])"#);
/// ```
///
/// Refused as [`scope()`] is; the challenge names all of them.
#[doc(alias = "require_any_scope")]
#[must_use]
pub const fn any_scope(names: &'static [&'static str]) -> Requirement {
    Requirement(Kind::AnyScope(names))
}

/// Requires that the user or machine has this permission (Auth0's role-based access control): the
/// `permissions` claim lists it. An empty name is never met.
///
/// Refused with `403 insufficient_scope` and the `error_code` `insufficient_permissions`. The
/// challenge names no scope, because an administrator grants permissions, and requesting a scope would not
/// help.
#[doc(alias = "require_permission")]
#[doc(alias = "require_permissions")]
#[doc(alias = "requires_permission")]
#[doc(alias = "rbac")]
#[must_use]
pub const fn permission(name: &'static str) -> Requirement {
    Requirement(Kind::Permission(Cow::Borrowed(name)))
}

/// Requires that the user or machine has at least one of these permissions (Auth0's role-based access
/// control). An empty list is never met.
///
/// ```
/// use auth0_core::policy::*;
///
/// policy!(pub Read = any_permission(&["read:messages", "admin:messages"]));
/// assert_eq!(of::<Read>().to_string(), r#"any_permission(["read:messages", "admin:messages"])"#);
/// ```
///
/// Refused as [`permission()`] is.
#[doc(alias = "require_any_permission")]
#[must_use]
pub const fn any_permission(names: &'static [&'static str]) -> Requirement {
    Requirement(Kind::AnyPermission(names))
}

/// Requires that the client with this id requested the token: `client_id` (RFC 9068 §2.2) or `azp`.
///
/// ```
/// use auth0_core::policy::client;
/// use auth0_testing::{Tenant, check};
///
/// let token = Tenant::new().token().client("spa").verified();
/// assert!(check(&token, &client("spa")).is_ok());
/// ```
///
/// Refused with `403 insufficient_scope` and the `error_code` `requirement_not_met`.
#[must_use]
pub const fn client(id: &'static str) -> Requirement {
    Requirement(Kind::Client(Cow::Borrowed(id)))
}

/// Requires a machine that acts for itself: the token was issued to a client (client credentials, RFC 6749
/// §4.4) or to an agent, not for a person.
///
/// No single claim says so in all of Auth0's token profiles. The token of a machine has the grant type
/// `client-credentials` (`gty`), or its `sub` is `{client}@clients`, the client itself (RFC 9068 §2.2) or an
/// agent (`agt_…`).
///
/// ```
/// use auth0_core::policy::{machine, user};
/// use auth0_testing::{Tenant, check};
///
/// let token = Tenant::new().token().machine("reporting").verified();
/// assert!(check(&token, &machine()).is_ok());
/// assert!(check(&token, &user()).is_err());
/// ```
///
/// Refused with `403 insufficient_scope` and the `error_code` `requirement_not_met`.
#[doc(alias = "client_credentials")]
#[must_use]
pub const fn machine() -> Requirement {
    Requirement(Kind::Machine)
}

/// Requires that the token was issued for a person: it is not that of a [`machine`], and its `sub` is not
/// that of a client (`…@clients`). An anonymous session counts as a person; see [`not_anonymous`].
///
/// Refused with `403 insufficient_scope` and the `error_code` `requirement_not_met`.
#[must_use]
pub const fn user() -> Requirement {
    Requirement(Kind::User)
}

/// Requires that the token is not of an anonymous session of Auth0 (`sub` begins with `anon@`).
///
/// Refused with `403 insufficient_scope` and the `error_code` `requirement_not_met`.
#[must_use]
pub const fn not_anonymous() -> Requirement {
    Requirement(Kind::NotAnonymous)
}

/// Requires that a function returns `true` for the token. The name is for the log and for tests.
///
/// ```
/// use auth0_core::policy::*;
///
/// policy!(pub Employee = check("employee", |token| token.subject().starts_with("waad|")));
/// assert_eq!(of::<Employee>().to_string(), r#"check("employee")"#);
/// ```
///
/// Refused with `403 insufficient_scope` and the `error_code` `requirement_not_met`.
#[must_use]
pub const fn check(name: &'static str, passes: fn(&VerifiedToken) -> bool) -> Requirement {
    Requirement(Kind::Check { name, passes })
}

impl Requirement {
    /// Requires every one of a constant list, as [`all_of!`](crate::all_of!) does. Every valid token meets an
    /// empty list, which the macro does not accept.
    #[must_use]
    pub const fn all_of(list: &'static [Self]) -> Self {
        Self(Kind::All(List::Static(list)))
    }

    /// Requires at least one of a constant list, as [`any_of!`](crate::any_of!) does. An empty list is never
    /// met.
    #[must_use]
    pub const fn any_of(list: &'static [Self]) -> Self {
        Self(Kind::Any(List::Static(list)))
    }

    /// Creates the requirement of a [`scope`] whose name is only known at run time.
    pub fn scope_named(name: impl Into<String>) -> Self {
        Self(Kind::Scope(Cow::Owned(name.into())))
    }

    /// Creates the requirement of a [`permission`] whose name is only known at run time.
    pub fn permission_named(name: impl Into<String>) -> Self {
        Self(Kind::Permission(Cow::Owned(name.into())))
    }

    /// Creates the requirement of an [`organization`](super::organization) whose id is only known at run
    /// time.
    pub fn organization_with_id(id: impl Into<String>) -> Self {
        Self(Kind::Organization(Cow::Owned(id.into())))
    }

    /// Requires both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if matches!(self.0, Kind::Authenticated) {
            return other; // every token that is checked is valid
        }
        Self(match self.0 {
            Kind::All(List::Shared(list)) => Kind::All(List::longer(list, other)),
            kind => Kind::All(List::Shared(Arc::new(vec![Self(kind), other]))),
        })
    }

    /// Requires one of the two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(match self.0 {
            Kind::Any(List::Shared(list)) => Kind::Any(List::longer(list, other)),
            kind => Kind::Any(List::Shared(Arc::new(vec![Self(kind), other]))),
        })
    }

    /// Returns whether every valid token meets it.
    pub(crate) const fn is_authenticated(&self) -> bool {
        matches!(self.0, Kind::Authenticated)
    }

    pub(crate) fn needs_time(&self) -> bool {
        match &self.0 {
            Kind::MaxAge { .. } => true,
            Kind::All(list) | Kind::Any(list) => list.get().iter().any(Self::needs_time),
            _ => false,
        }
    }

    /// Returns whether the requirement needs a value of the request, such as a path parameter. For adapters:
    /// other requirements need no [`RequestContext`](super::RequestContext).
    #[must_use]
    pub fn needs_request(&self) -> bool {
        match &self.0 {
            Kind::OrganizationOfRequest(_) => true,
            Kind::All(list) | Kind::Any(list) => list.get().iter().any(Self::needs_request),
            _ => false,
        }
    }
}

impl List {
    pub(super) fn get(&self) -> &[Requirement] {
        match self {
            Self::Static(list) => list,
            Self::Shared(list) => list,
        }
    }

    /// Returns the list with one more requirement. A chain is one list: as nested pairs, a thousand
    /// organizations would be a thousand calls deep.
    fn longer(list: Arc<Vec<Requirement>>, last: Requirement) -> Self {
        let mut list = Arc::unwrap_or_clone(list);
        list.push(last);
        Self::Shared(Arc::new(list))
    }
}

impl Requirement {
    /// Returns whether both are equal and their checks are the same functions, not only of the same names.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.checks(), other.checks());
        self == other && mine.len() == theirs.len() && {
            mine.iter().zip(theirs).all(|(mine, theirs)| std::ptr::fn_addr_eq(*mine, theirs))
        }
    }

    fn checks(&self) -> Vec<fn(&VerifiedToken) -> bool> {
        match &self.0 {
            Kind::Check { passes, .. } => vec![*passes],
            Kind::All(all) | Kind::Any(all) => all.get().iter().flat_map(Self::checks).collect(),
            _ => Vec::new(),
        }
    }
}

impl PartialEq for Requirement {
    fn eq(&self, other: &Self) -> bool {
        use Kind::{
            Acr, All, Amr, Any, AnyOrganization, AnyPermission, AnyScope, Authenticated, Check,
            Claim, Client, Machine, MaxAge, NotAnonymous, Organization, OrganizationName,
            OrganizationOfRequest, Permission, Scope, User,
        };
        match (&self.0, &other.0) {
            (Authenticated, Authenticated)
            | (AnyOrganization, AnyOrganization)
            | (Machine, Machine)
            | (User, User)
            | (NotAnonymous, NotAnonymous) => true,
            (Scope(a), Scope(b))
            | (Permission(a), Permission(b))
            | (Organization(a), Organization(b))
            | (OrganizationName(a), OrganizationName(b))
            | (Acr(a), Acr(b))
            | (Amr(a), Amr(b))
            | (Client(a), Client(b)) => a == b,
            (AnyScope(a), AnyScope(b)) | (AnyPermission(a), AnyPermission(b)) => a == b,
            (Claim { name: a, test: x }, Claim { name: b, test: y }) => a == b && x == y,
            (OrganizationOfRequest(a), OrganizationOfRequest(b)) => a == b,
            (MaxAge { seconds: a }, MaxAge { seconds: b }) => a == b,
            (Check { name: a, .. }, Check { name: b, .. }) => a == b,
            (All(a), All(b)) | (Any(a), Any(b)) => a.get() == b.get(),
            _ => false,
        }
    }
}

impl Eq for Requirement {}

impl PartialEq for ClaimTest {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Contains(a), Self::Contains(b)) | (Self::Equals(a), Self::Equals(b)) => a == b,
            (Self::EqualsInteger(a), Self::EqualsInteger(b)) => a == b,
            // Compared by their bits, so that each is equal to itself.
            (Self::EqualsNumber(a), Self::EqualsNumber(b)) => a.to_bits() == b.to_bits(),
            (Self::EqualsBool(a), Self::EqualsBool(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, name: &str, list: &List| {
            write!(f, "{name}[")?;
            for (position, requirement) in list.get().iter().enumerate() {
                let comma = if position == 0 { "" } else { ", " };
                write!(f, "{comma}{requirement}")?;
            }
            f.write_str("]")
        };
        match &self.0 {
            Kind::Authenticated => f.write_str("authenticated()"),
            Kind::Scope(name) => write!(f, "scope({name:?})"),
            Kind::AnyScope(names) => write!(f, "any_scope({names:?})"),
            Kind::Permission(name) => write!(f, "permission({name:?})"),
            Kind::AnyPermission(names) => write!(f, "any_permission({names:?})"),
            Kind::Claim { name, test } => write!(f, "claim({name:?}){test}"),
            Kind::Organization(id) => write!(f, "organization({id:?})"),
            Kind::OrganizationName(name) => write!(f, "organization_name({name:?})"),
            Kind::AnyOrganization => f.write_str("any_organization()"),
            Kind::OrganizationOfRequest(Source::Path(name)) => {
                write!(f, "organization_in_path({name:?})")
            }
            Kind::OrganizationOfRequest(Source::Header(name)) => {
                write!(f, "organization_in_header({name:?})")
            }
            Kind::Acr(value) => write!(f, "acr({value:?})"),
            Kind::Amr(value) => write!(f, "amr({value:?})"),
            Kind::MaxAge { seconds } => write!(f, "max_age({seconds})"),
            Kind::Machine => f.write_str("machine()"),
            Kind::User => f.write_str("user()"),
            Kind::NotAnonymous => f.write_str("not_anonymous()"),
            Kind::Client(id) => write!(f, "client({id:?})"),
            Kind::Check { name, .. } => write!(f, "check({name:?})"),
            Kind::All(all) => list(f, "all_of", all),
            Kind::Any(any) => list(f, "any_of", any),
        }
    }
}

impl fmt::Display for ClaimTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(text) => write!(f, ".contains({text:?})"),
            Self::Equals(text) => write!(f, ".equals({text:?})"),
            Self::EqualsInteger(number) => write!(f, ".equals_integer({number})"),
            Self::EqualsNumber(number) => write!(f, ".equals_number({number:?})"),
            Self::EqualsBool(boolean) => write!(f, ".equals_bool({boolean})"),
        }
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
