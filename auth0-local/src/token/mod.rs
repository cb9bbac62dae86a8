//! The tokens that requests and the command line describe.
mod description;
mod organization;

pub(crate) use description::{ProfileName, TokenDescription};
pub(crate) use organization::Organization;
