//! The tokens that requests and the command line describe.
mod description;
mod organization;

#[cfg(feature = "cli")]
pub(crate) use description::ProfileName;
pub(crate) use {description::TokenDescription, organization::Organization};
