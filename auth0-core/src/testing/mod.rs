//! A tenant in the process, for tests: it mints tokens of every kind, rotates its keys, counts
//! what is fetched of it and fails on demand. No socket, no sleep.
//!
//! 1. A [`Tenant`] has an issuer below `.test` or on loopback, so that a verifier for it cannot be
//!    put to use by mistake: [`Tenant::auth0`] makes the verifier.
//! 2. [`Tenant::token`] begins a token that is good; each setter changes one thing about it.
//! 3. [`Tenant::proof`] begins a DPoP proof in the same way, for a token that is
//!    [bound](TokenBuilder::bound_to) to the tenant's [client key](Tenant::client_key).
//! 4. Time stands still until [`ManualClock::advance`].
//!
//! ```
//! use auth0_core::{ErrorCode, testing::Tenant};
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
//! The keys are fixed and public: whoever has this source code has them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a broken test kit should end the test"
)]

mod clock;
mod draft;
mod key;
mod proof;
mod tenant;
mod token;
mod transport;

pub use clock::ManualClock;
pub use key::SigningKey;
pub use proof::{ProofBuilder, ProofVerifier};
pub use tenant::Tenant;
pub use token::{Profile, TokenBuilder};
pub use transport::{Document, Failure, Fetches};
