//! The guide. Every page is compiled, and its examples run as documentation tests of this crate.
#![allow(clippy::doc_markdown, reason = "the pages name products, which are no code")]

/// The front page.
#[doc = include_str!("../../README.md")]
pub mod readme {}

#[doc = include_str!("../README.md")]
pub mod introduction {}

/// The page for coding agents.
#[doc = include_str!("../../AGENTS.md")]
pub mod coding_agents {}

#[doc = include_str!("../quickstart-axum.md")]
pub mod quickstart_axum {}

#[doc = include_str!("../quickstart-actix.md")]
pub mod quickstart_actix {}

#[doc = include_str!("../how-a-request-is-verified.md")]
pub mod how_a_request_is_verified {}

#[doc = include_str!("../configuration.md")]
pub mod configuration {}

#[doc = include_str!("../issuers.md")]
pub mod issuers {}

#[doc = include_str!("../claims.md")]
pub mod claims {}

#[doc = include_str!("../requirements.md")]
pub mod requirements {}

#[doc = include_str!("../organizations.md")]
pub mod organizations {}

#[doc = include_str!("../step-up.md")]
pub mod step_up {}

#[doc = include_str!("../calling-apis.md")]
pub mod calling_apis {}

#[doc = include_str!("../agents.md")]
pub mod agents {}

#[doc = include_str!("../login.md")]
pub mod login {}

#[doc = include_str!("../streams.md")]
pub mod streams {}

#[doc = include_str!("../revocation.md")]
pub mod revocation {}

#[doc = include_str!("../dpop.md")]
pub mod dpop {}

#[doc = include_str!("../grpc.md")]
pub mod grpc {}

#[doc = include_str!("../openapi.md")]
pub mod openapi {}

#[doc = include_str!("../mcp.md")]
pub mod mcp {}

#[doc = include_str!("../mtls.md")]
pub mod mtls {}

#[doc = include_str!("../keys-and-caching.md")]
pub mod keys_and_caching {}

#[doc = include_str!("../performance.md")]
pub mod performance {}

#[doc = include_str!("../refusals.md")]
pub mod refusals {}

#[doc = include_str!("../security.md")]
pub mod security {}

#[doc = include_str!("../security-checks.md")]
pub mod security_checks {}

#[doc = include_str!("../security-dependencies.md")]
pub mod security_dependencies {}

#[doc = include_str!("../does-not-compile.md")]
pub mod does_not_compile {}

#[doc = include_str!("../testing.md")]
pub mod testing {}

#[doc = include_str!("../auth0-local.md")]
pub mod auth0_local {}

#[doc = include_str!("../deploying.md")]
pub mod deploying {}

#[doc = include_str!("../operating.md")]
pub mod operating {}

#[doc = include_str!("../platforms.md")]
pub mod platforms {}

#[doc = include_str!("../migrating-from-jwt-authorizer.md")]
pub mod migrating_from_jwt_authorizer {}

#[doc = include_str!("../migrating-from-axum-jwt-auth.md")]
pub mod migrating_from_axum_jwt_auth {}

#[doc = include_str!("../migrating-from-hand-written-middleware.md")]
pub mod migrating_from_hand_written_middleware {}

#[doc = include_str!("../migrating-from-auth0-node.md")]
pub mod migrating_from_auth0_node {}

#[doc = include_str!("../migrating-from-auth0-go.md")]
pub mod migrating_from_auth0_go {}

#[doc = include_str!("../adapters.md")]
pub mod adapters {}

#[doc = include_str!("../architecture.md")]
pub mod architecture {}

#[doc = include_str!("../design.md")]
pub mod design {}

#[doc = include_str!("../releasing.md")]
pub mod releasing {}
