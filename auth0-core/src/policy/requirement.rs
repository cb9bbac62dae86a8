//! A requirement: built, printed, checked.
use crate::{
    error::{Error, ErrorCode},
    token::AccessToken,
};
use std::{borrow::Cow, fmt, sync::Arc};

/// A requirement on a verified token. See [the module](mod@crate::policy) for how to write one.
///
/// Two requirements are equal if they are written alike; a [`check`] is known by its name.
#[derive(Clone)]
pub struct Requirement(Kind);

#[derive(Clone)]
enum Kind {
    Authenticated,
    Scope(Cow<'static, str>),
    Permission(Cow<'static, str>),
    Check { name: &'static str, passes: fn(&AccessToken) -> bool },
    All(List),
    Any(List),
}

/// A constant list, or one put together at run time.
#[derive(Clone)]
enum List {
    Static(&'static [Requirement]),
    Shared(Arc<[Requirement]>),
}

/// A valid token is enough.
#[must_use]
pub const fn authenticated() -> Requirement {
    Requirement(Kind::Authenticated)
}

/// The client was granted this scope: it stands in the `scope` claim. Several with spaces between
/// them, as OAuth writes them, are all required. An empty name is never met.
///
/// Refused with `403 insufficient_scope`, and a challenge that names the scopes of the whole
/// requirement, so that the client can ask for a token that has them.
#[doc(alias = "require_scope")]
#[doc(alias = "require_scopes")]
#[doc(alias = "requires_scope")]
#[doc(alias = "has_scope")]
#[must_use]
pub const fn scope(name: &'static str) -> Requirement {
    Requirement(Kind::Scope(Cow::Borrowed(name)))
}

/// The user or machine has this permission (Auth0's role-based access control): it stands in the
/// `permissions` claim. An empty name is never met.
///
/// Refused with `403 insufficient_scope` and the `error_code` `insufficient_permissions`. The
/// challenge names no scope, since asking for one would not help: somebody has to grant it.
#[doc(alias = "require_permission")]
#[doc(alias = "require_permissions")]
#[doc(alias = "requires_permission")]
#[doc(alias = "rbac")]
#[must_use]
pub const fn permission(name: &'static str) -> Requirement {
    Requirement(Kind::Permission(Cow::Borrowed(name)))
}

/// What only code can tell, under a name for the log and for tests.
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
pub const fn check(name: &'static str, passes: fn(&AccessToken) -> bool) -> Requirement {
    Requirement(Kind::Check { name, passes })
}

impl Requirement {
    /// Every one of a fixed list; what [`all_of!`](crate::all_of!) writes. An empty list, which the
    /// macro does not take, is met by every valid token.
    #[must_use]
    pub const fn all_of(list: &'static [Self]) -> Self {
        Self(Kind::All(List::Static(list)))
    }

    /// At least one of a fixed list; what [`any_of!`](crate::any_of!) writes. An empty list is never
    /// met.
    #[must_use]
    pub const fn any_of(list: &'static [Self]) -> Self {
        Self(Kind::Any(List::Static(list)))
    }

    /// A [`scope`] whose name is only known at run time.
    pub fn scope_named(name: impl Into<String>) -> Self {
        Self(Kind::Scope(Cow::Owned(name.into())))
    }

    /// A [`permission`] whose name is only known at run time.
    pub fn permission_named(name: impl Into<String>) -> Self {
        Self(Kind::Permission(Cow::Owned(name.into())))
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if matches!(self.0, Kind::Authenticated) {
            return other; // a requirement is asked of valid tokens only
        }
        Self(Kind::All(List::Shared(Arc::new([self, other]))))
    }

    /// Either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(Kind::Any(List::Shared(Arc::new([self, other]))))
    }

    /// Checks a verified token. In a service use [`Auth0::authorize`](crate::Auth0::authorize),
    /// which also logs, and answers with the challenge as it was configured.
    ///
    /// # Errors
    /// `insufficient_scope`, `insufficient_permissions` or `requirement_not_met`. Where several
    /// things are missing, the first of these that applies: a client can mend a missing scope by
    /// itself.
    pub fn check<C>(&self, token: &AccessToken<C>) -> Result<(), Error> {
        let Some(code) = self.missing(token) else { return Ok(()) };
        let error = Error::new(code).because(format!("required: {self}"));
        Err(match code {
            ErrorCode::InsufficientScope => error.needing_scope(self.scopes()),
            _ => error,
        })
    }

    fn missing<C>(&self, token: &AccessToken<C>) -> Option<ErrorCode> {
        let unless = |met: bool, code| (!met).then_some(code);
        match &self.0 {
            Kind::Authenticated => None,
            Kind::Scope(names) => {
                let mut names = names.split_ascii_whitespace().peekable();
                let met = names.peek().is_some() && names.all(|name| token.has_scope(name));
                unless(met, ErrorCode::InsufficientScope)
            }
            Kind::Permission(name) => {
                let met = !name.is_empty() && token.has_permission(name);
                unless(met, ErrorCode::InsufficientPermissions)
            }
            Kind::Check { passes, .. } => {
                unless(passes(&token.without_claims()), ErrorCode::RequirementNotMet)
            }
            Kind::All(list) => {
                list.get().iter().filter_map(|r| r.missing(token)).min_by_key(|code| rank(*code))
            }
            Kind::Any(list) => {
                let mut worst = Some(ErrorCode::RequirementNotMet);
                for requirement in list.get() {
                    let missing = requirement.missing(token)?;
                    worst = worst.into_iter().chain([missing]).min_by_key(|code| rank(*code));
                }
                worst
            }
        }
    }

    /// Every scope that the requirement names, each once, as a `scope` parameter lists them. What
    /// is not a scope-token (RFC 6749 §3.3) cannot be asked for and is left out.
    fn scopes(&self) -> String {
        let mut names = Vec::new();
        self.collect_scopes(&mut names);
        names.join(" ")
    }

    fn collect_scopes<'a>(&'a self, names: &mut Vec<&'a str>) {
        match &self.0 {
            Kind::Scope(scopes) => {
                for name in scopes.split_ascii_whitespace() {
                    let token = |byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
                    if name.bytes().all(token) && !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
            Kind::All(list) | Kind::Any(list) => {
                for requirement in list.get() {
                    requirement.collect_scopes(names);
                }
            }
            Kind::Authenticated | Kind::Permission(_) | Kind::Check { .. } => {}
        }
    }
}

/// What the client can do most about comes first.
const fn rank(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::InsufficientScope => 0,
        ErrorCode::InsufficientPermissions => 1,
        _ => 2,
    }
}

impl List {
    fn get(&self) -> &[Requirement] {
        match self {
            Self::Static(list) => list,
            Self::Shared(list) => list,
        }
    }
}

impl PartialEq for Requirement {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Authenticated, Kind::Authenticated) => true,
            (Kind::Scope(a), Kind::Scope(b)) | (Kind::Permission(a), Kind::Permission(b)) => a == b,
            (Kind::Check { name: a, .. }, Kind::Check { name: b, .. }) => a == b,
            (Kind::All(a), Kind::All(b)) | (Kind::Any(a), Kind::Any(b)) => a.get() == b.get(),
            _ => false,
        }
    }
}

impl Eq for Requirement {}

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
            Kind::Permission(name) => write!(f, "permission({name:?})"),
            Kind::Check { name, .. } => write!(f, "check({name:?})"),
            Kind::All(all) => list(f, "all_of", all),
            Kind::Any(any) => list(f, "any_of", any),
        }
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
