//! How documents are fetched.

#[cfg(feature = "reqwest")]
mod reqwest;
