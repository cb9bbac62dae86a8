#![doc = include_str!("../README.md")]

mod body;
mod extract;
mod layer;
mod once;
mod rejection;

pub use auth0_core;
pub use auth0_core::{
    Algorithm, Auth0, Builder, Challenge, ConfigError, Error, ErrorCode, ErrorKind, Policy,
    RefusalBody, Requirement, all_of, any_of, policy,
};
pub use body::AuthBody;
pub use extract::{AccessToken, Authorized};
pub use layer::{Auth, AuthLayer};
pub use rejection::AuthRejection;

/// A tenant in the process, for tests of your own API.
#[cfg(feature = "testing")]
pub use auth0_core::testing;
