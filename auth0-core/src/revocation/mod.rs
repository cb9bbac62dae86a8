//! Revocation: access tokens that are refused although they have not expired.
//!
//! 1. [`Revocations`] is given to the verifier: [`Builder::revocations`](crate::Builder::revocations). Every request with a token is
//!    checked, also if the token is in the token cache, and open connections end.
//! 2. What is revoked comes from the application ([`Revocations::revoke`]), from logout tokens
//!    ([`BackchannelLogout`](crate::BackchannelLogout)), and from events of the tenant (the crate `auth0-events`).
//! 3. A subject that is revoked at a time loses the tokens with an `iat` up to it, and those without `iat`. Tokens of a
//!    later login are accepted.
//! 4. All revocations are in memory, so that a request waits for nothing. Several instances share a
//!    [`RevocationStore`], and learn of a revocation within a second.
//!
//! ```
//! # use auth0_testing::Tenant;
//! use auth0_core::revocation::Revocations;
//! # use std::time::Duration;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let tenant = Tenant::new();
//! let revocations = Revocations::in_memory();
//! let auth = tenant.builder().revocations(&revocations).build().unwrap();
//! let token = tenant.token().subject("auth0|ann").mint();
//! assert!(auth.verify(&token).await.is_ok());
//!
//! revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
//! let refused = auth.verify(&token).await.unwrap_err();
//! assert_eq!(refused.code().as_str(), "token_revoked");
//!
//! tenant.clock().advance(Duration::from_secs(1));
//! assert!(auth.verify(&tenant.token().subject("auth0|ann").mint()).await.is_ok(), "after a new login");
//! # })
//! ```
mod announcement;
mod check;
mod entry;
mod expiry;
mod key;
mod local;
mod mark;
mod missing;
mod reader;
mod revocation_error;
mod store;
mod sync;
mod table;
mod target;
mod used;
mod verifiers;

pub(crate) use check::{ITSELF, RevocationCheck, TokenMarks};
pub use entry::RevocationEntry;
pub(crate) use key::IssuerHash;
pub use key::RevocationKey;
pub(crate) use local::WeakRevocations;
pub use local::{OnUnavailable, Revocations};
pub use revocation_error::RevocationError;
pub use store::{Changes, RevocationStore, RevocationStoreError, UsedId};
pub use target::Revocation;
