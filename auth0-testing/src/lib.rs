//! A tenant in the process, for tests of an API that is protected with `auth0-core`. It mints valid and
//! invalid tokens, rotates its keys, counts the fetches and fails on demand, without a socket and without
//! sleeping.
//!
//! 1. A [`Tenant`] has an issuer below `.test` or on loopback, so that it cannot be mistaken for a real
//!    tenant. [`Tenant::auth0`] creates a verifier for it.
//! 2. [`Tenant::token`] starts a valid token; each setter changes one thing about it.
//! 3. [`Tenant::proof`] starts a DPoP proof in the same way, for a token that is
//!    [bound](TokenBuilder::bound_to) to the tenant's [client key](Tenant::client_key).
//! 4. Time stands still until [`ManualClock::advance`], and [`Tenant::settle`] waits for the work in the
//!    background that this has started.
//!
//! ```
//! use auth0_core::ErrorCode;
//! use auth0_testing::Tenant;
//! use std::time::Duration;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let tenant = Tenant::new();
//! let auth = tenant.auth0();
//!
//! let token = tenant.token().subject("auth0|ann").permissions(["messages:purge"]).mint();
//! assert!(auth.verify(&token).await?.has_permission("messages:purge"));
//!
//! tenant.clock().advance(Duration::from_secs(2 * 24 * 60 * 60));
//! let error = auth.verify(&token).await.unwrap_err();
//! assert_eq!(error.code(), ErrorCode::TokenExpired);
//! # Ok::<(), auth0_core::Error>(())
//! # }).unwrap()
//! ```
//!
//! The keys are fixed and public, because they are in this source code.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a broken test kit should end the test"
)]

mod clock;
mod draft;
mod key;
mod tenant;

pub use clock::ManualClock;
pub use key::SigningKey;
pub use tenant::{
    Document, Failure, Fetches, Profile, ProofBuilder, Tenant, TokenBuilder, check, organization,
};
