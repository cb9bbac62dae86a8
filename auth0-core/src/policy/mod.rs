//! The requirements of a route on a token, as data.
//!
//! A [`Requirement`] is one value that is evaluated, printed, compared in tests and used for the
//! challenge. It is const-constructible, so that [`policy!`](crate::policy!) can declare a type for it,
//! which handlers name in their signature:
//!
//! ```
//! use auth0_core::policy::*;
//!
//! policy!(pub ReadMessages = scope("read:messages"));
//! policy!(pub PurgeMessages = all_of![scope("write:messages"), permission("messages:purge")]);
//!
//! assert_eq!(of::<ReadMessages>().to_string(), r#"scope("read:messages")"#);
//! assert_eq!(
//!     of::<PurgeMessages>().to_string(),
//!     r#"all_of[scope("write:messages"), permission("messages:purge")]"#,
//! );
//! ```
//!
//! | to require | write |
//! |---|---|
//! | a valid token | [`authenticated()`] |
//! | a scope that the client was granted | [`scope("read:messages")`](scope()) |
//! | one of several scopes | [`any_scope(&["read:messages", "admin"])`](any_scope()) |
//! | a permission (RBAC) of the user or machine | [`permission("read:messages")`](permission()) |
//! | one of several permissions | [`any_permission(&["read:messages", "admin"])`](any_permission()) |
//! | your own claim | [`claim("https://acme.com/roles").contains("admin")`](claim()) |
//! | an organization | [`organization("org_…")`](organization()), [`organization_name("acme")`](organization_name()), [`any_organization()`] |
//! | the organization that the request names | [`organization_in_path("org")`](organization_in_path()), [`organization_in_header("x-org")`](organization_in_header()) |
//! | a strong login (step-up) | [`acr(MFA)`](acr()), [`amr("mfa")`](amr()) |
//! | a recent login (step-up) | [`max_age(300)`](max_age()) |
//! | a machine, a person | [`machine()`], [`user()`], [`not_anonymous()`] |
//! | a certain client | [`client("…")`](client()) |
//! | several things | [`all_of![…]`](crate::all_of!), [`Requirement::and`] |
//! | one of several things | [`any_of![…]`](crate::any_of!), [`Requirement::or`] |
//! | a condition in code | [`check("name", fn)`](check()) |
mod alternatives;
mod cause;
mod claim;
mod condition;
mod evaluation;
mod organization;
mod requirement;
mod step_up;
mod text;

pub use crate::token::MFA;
pub use crate::{all_of, any_of, policy};
pub use alternatives::Alternative;
pub use claim::{Claim, claim};
pub use condition::Condition;
pub(crate) use evaluation::Circumstances;
pub use organization::{
    RequestContext, any_organization, organization, organization_in_header, organization_in_path,
    organization_name,
};
pub use requirement::{
    Requirement, any_permission, any_scope, authenticated, check, client, machine, not_anonymous,
    permission, scope, user,
};
pub use step_up::{acr, amr, max_age};

/// A type that represents a requirement: declare one with [`policy!`](crate::policy!).
///
/// A tuple of policies requires all of them:
///
/// ```
/// use auth0_core::policy::*;
///
/// policy!(pub Read = scope("read:messages"));
/// policy!(pub Staff = permission("staff"));
/// assert_eq!(*of::<(Read, Staff)>(), all_of![scope("read:messages"), permission("staff")]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy",
    label = "expected a type declared with `policy!`",
    note = "declare one: `policy!(pub {Self} = scope(\"read:messages\"));`"
)]
pub trait Policy: Send + Sync + 'static {
    /// The requirement of the policy.
    const REQUIREMENT: Requirement;
}

macro_rules! all_of_a_tuple {
    ($($policy:ident)+) => {
        impl<$($policy: Policy),+> Policy for ($($policy,)+) {
            const REQUIREMENT: Requirement =
                Requirement::all_of(const { &[$($policy::REQUIREMENT),+] });
        }
    };
}
all_of_a_tuple!(A B);
all_of_a_tuple!(A B C);
all_of_a_tuple!(A B C D);

/// Returns the requirement of a policy, as a reference to a constant.
#[must_use]
pub const fn of<P: Policy>() -> &'static Requirement {
    const { &P::REQUIREMENT }
}

/// Declares a [`Policy`] for a requirement, which the signature of a handler can name.
///
/// ```
/// use auth0_core::policy::*;
///
/// policy! {
///     /// May read messages of others.
///     pub ReadMessages = scope("read:messages")
/// }
/// assert_eq!(*of::<ReadMessages>(), scope("read:messages"));
/// ```
#[doc(alias = "require_scopes")]
#[doc(alias = "require_permissions")]
#[macro_export]
macro_rules! policy {
    ($(#[$meta:meta])* $visibility:vis $name:ident = $requirement:expr) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs)]
        $visibility enum $name {}
        impl $crate::Policy for $name {
            const REQUIREMENT: $crate::Requirement = $requirement;
        }
    };
}

/// Requires every one of these requirements.
///
/// ```
/// use auth0_core::policy::*;
///
/// const PURGE: Requirement = all_of![scope("write:messages"), permission("messages:purge")];
/// assert_eq!(PURGE, all_of![scope("write:messages"), permission("messages:purge")]);
/// ```
///
/// The list is a constant. Combine requirements that are only known at run time with [`Requirement::and`].
#[doc(alias = "require_all")]
#[macro_export]
macro_rules! all_of {
    ($($requirement:expr),+ $(,)?) => {
        $crate::Requirement::all_of(const { &[$($requirement),+] })
    };
}

/// Requires at least one of these requirements.
///
/// ```
/// use auth0_core::policy::*;
///
/// const READ: Requirement = any_of![scope("read:messages"), permission("messages:read")];
/// assert_eq!(READ.to_string(), r#"any_of[scope("read:messages"), permission("messages:read")]"#);
/// ```
///
/// The list is a constant. Combine requirements that are only known at run time with [`Requirement::or`].
#[doc(alias = "require_any")]
#[macro_export]
macro_rules! any_of {
    ($($requirement:expr),+ $(,)?) => {
        $crate::Requirement::any_of(const { &[$($requirement),+] })
    };
}
