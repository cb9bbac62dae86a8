//! How much memory and work a verifier is configured to spend.
use crate::config_error::ConfigError;

/// Twice what common servers accept as one header.
pub(super) const DEFAULT_MAX_TOKEN_BYTES: usize = 16 * 1024;
/// Keeps the work that a client can cause with one request small.
const LARGEST_MAX_TOKEN_BYTES: usize = 1024 * 1024;

/// Enough for the users that are active at one time in most services. It takes at most 20 MiB.
pub(super) const DEFAULT_TOKEN_CACHE: usize = 10_000;
/// It takes at most 2 GiB. A larger number is a mistake.
const LARGEST_TOKEN_CACHE: usize = 1_000_000;

pub(super) fn check(max_token_bytes: usize, token_cache: usize) -> Result<(), ConfigError> {
    if !(1..=LARGEST_MAX_TOKEN_BYTES).contains(&max_token_bytes) {
        return Err(ConfigError::new(format!(
            "a token limit of {max_token_bytes} bytes cannot work. Write 1 to {LARGEST_MAX_TOKEN_BYTES}"
        )));
    }
    if token_cache > LARGEST_TOKEN_CACHE {
        return Err(ConfigError::new(format!(
            "a token cache for {token_cache} tokens cannot work. Write the number of tokens that are in \
             use at one time, at most {LARGEST_TOKEN_CACHE}"
        )));
    }
    Ok(())
}
