//! A tenant in the process, for tests of your own API: the crate `auth0-testing`, and constructors of the
//! extractors for unit tests of one handler.
//!
//! ```
//! use auth0_actix::{Authorized, policy::*, testing::{self, Tenant}};
//!
//! policy!(pub ReadMessages = scope("read:messages"));
//!
//! async fn list(token: Authorized<ReadMessages>) -> String {
//!     format!("messages of {}", token.subject())
//! }
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let tenant = Tenant::new();
//! let token = tenant.token().subject("auth0|ann").scope("read:messages").verified();
//! let token = testing::authorized(token).unwrap();
//! assert_eq!(list(token).await, "messages of auth0|ann");
//!
//! let other = tenant.token().verified();
//! assert!(testing::authorized::<ReadMessages, ()>(other).is_err());
//! # })
//! ```
use crate::{
    error::AuthError,
    extract::{AccessToken, Authorized, Issuer, Organization},
};
use auth0_core::{Policy, VerifiedToken, policy};
pub use auth0_testing::*;

/// Creates the extractor of a token that meets the policy.
///
/// # Errors
/// The token does not meet the policy.
pub fn authorized<P: Policy, C>(token: VerifiedToken<C>) -> Result<Authorized<P, C>, AuthError> {
    auth0_testing::check(&token, policy::of::<P>())?;
    Ok(Authorized::new(AccessToken::from(token)))
}

/// Creates the extractor of a token's organization.
///
/// # Errors
/// The token has no organization.
pub fn organization<C>(token: &VerifiedToken<C>) -> Result<Organization, AuthError> {
    Ok(Organization(auth0_testing::organization(token)?))
}

/// Creates the extractor of a token's issuer.
#[must_use]
pub fn issuer<C>(token: &VerifiedToken<C>) -> Issuer {
    Issuer(auth0_core::Issuer::from(token))
}
