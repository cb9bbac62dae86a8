//! The grants, and the other requests of the Authentication API: one file each.
mod authorization_request;
mod backchannel;
mod connection;
mod delegation;
mod device;
mod exchange;
mod machine;
mod mfa;
mod open;
mod passwordless;
mod polling;
mod refresh;
mod revoke;

pub use authorization_request::{AuthorizationRequest, PushedRequest};
pub use backchannel::{BackchannelRequest, PendingBackchannel};
pub use connection::Connection;
pub use delegation::{Delegation, DelegationBuilder};
pub use device::{DeviceRequest, PendingDevice};
pub use exchange::Exchange;
pub use machine::MachineBuilder;
pub use mfa::{Authenticator, Enrollment, Mfa, MfaChallenge};
pub use open::OpenGrant;
pub use passwordless::{Passwordless, PasswordlessLogin, PasswordlessStart};
pub use refresh::Refresh;
pub use revoke::Revocation;

use crate::error::{Error, ErrorKind};
use auth0_core::{Audience, ConfigError, transport::HttpResponse};
use serde_json::{Map, Value};
use std::time::Duration;

/// The grant of token exchange (RFC 8693 §2.1), and its type of access tokens (§3).
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";

/// Parses the identifier of an API.
fn audience(text: &str) -> Result<String, ConfigError> {
    Ok(text.parse::<Audience>()?.as_str().to_owned())
}

/// Reads the members of an answer that has no tokens.
fn members(answer: &HttpResponse) -> Result<Map<String, Value>, Error> {
    match serde_json::from_slice(answer.body()) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Error::new(ErrorKind::Malformed, "The answer is not a JSON object")),
    }
}

/// Reads a member that an answer must have.
fn text(members: &Map<String, Value>, name: &str) -> Result<String, Error> {
    let text = members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.map(str::to_owned)
        .ok_or_else(|| Error::new(ErrorKind::Malformed, format!("The answer has no {name}")))
}

/// Reads a number of seconds, as a number or as digits.
fn seconds(members: &Map<String, Value>, name: &str) -> Option<Duration> {
    let value = members.get(name)?;
    let seconds = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    Duration::try_from_secs_f64(seconds).ok()
}
