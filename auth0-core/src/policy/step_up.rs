//! Requirements on the login behind a token (RFC 9470): its strength and its age.
use super::requirement::{Kind, Requirement};
use std::borrow::Cow;

/// Requires a login of this authentication context class: the `acr` claim. To accept several classes, use
/// [`any_of!`](crate::any_of!).
///
/// ```
/// use auth0_core::policy::*;
///
/// policy!(pub Transfer = all_of![scope("write:transfers"), acr(MFA), max_age(300)]);
/// assert!(of::<Transfer>().to_string().ends_with("max_age(300)]"));
/// ```
///
/// Refused with `401 insufficient_user_authentication` and the `error_code` `step_up_required`; the
/// challenge names the value as `acr_values`, for the client to log the user in with (RFC 9470 §3).
#[doc(alias = "step_up")]
#[must_use]
pub const fn acr(value: &'static str) -> Requirement {
    Requirement(Kind::Acr(Cow::Borrowed(value)))
}

/// Requires that the user logged in by this method: the `amr` claim lists it (RFC 8176), for example `mfa`.
///
/// ```
/// use auth0_core::policy::amr;
/// use auth0_testing::{Tenant, check};
///
/// let token = Tenant::new().token().claim("amr", ["pwd", "mfa"]).verified();
/// assert!(check(&token, &amr("mfa")).is_ok());
/// assert_eq!(check(&token, &amr("hwk")).unwrap_err().status(), 401);
/// ```
///
/// Refused as [`acr`] is. A client cannot request a method; for `mfa` the challenge names Auth0's
/// [`MFA`](super::MFA) as `acr_values`.
#[must_use]
pub const fn amr(value: &'static str) -> Requirement {
    Requirement(Kind::Amr(Cow::Borrowed(value)))
}

/// Requires that the user logged in at most this many seconds ago: the `auth_time` claim.
///
/// Refused as [`acr`] is, also where the claim is missing; the challenge names the `max_age`.
#[must_use]
pub const fn max_age(seconds: u64) -> Requirement {
    Requirement(Kind::MaxAge { seconds })
}
