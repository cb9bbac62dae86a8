//! What the crates of this family share beyond the public interface: it may change in any release.
pub use crate::{
    auth0::{one_variable, variables},
    error::CallerChallenge,
    identifier::{PlainHttp, is_loopback},
    jose::Thumbprint,
    keys::{MetadataError, ServerMetadata},
    runtime::{
        SystemClock,
        fetch_thread::{self, Ended, How, NoThread, passed, passed_while_running},
        set_cache::{Address, SetCache},
        single_flight::{Joined, Leader, Settle, SingleFlight, Waiter},
    },
    telemetry::{Escaped, EscapedMessage},
    transport::default_client,
};

use crate::{config_error::ConfigError, identifier::Issuer, token::VerifiedToken};

/// Parses an issuer, which may be http on loopback and on the allowed hosts.
///
/// # Errors
/// The text is not an issuer.
pub fn issuer(text: &str, plain_http: &PlainHttp) -> Result<Issuer, ConfigError> {
    Issuer::parse(text, plain_http)
}

/// Returns the challenge of a caller with this token: that of its verifier, and the scheme that it used.
#[must_use]
pub fn caller_challenge<C>(token: &VerifiedToken<C>) -> CallerChallenge {
    token.caller_challenge()
}

/// Decodes base64url without padding, as tokens have it (RFC 7515 §2).
#[must_use]
pub fn base64url(text: &str) -> Option<Vec<u8>> {
    crate::jose::base64url::decode(text)
}
