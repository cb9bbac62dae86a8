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

/// The members of an answer that has no tokens.
struct Members {
    status: u16,
    members: Map<String, Value>,
}

impl Members {
    fn read(answer: &HttpResponse) -> Result<Self, Error> {
        let status = answer.status();
        match serde_json::from_slice(answer.body()) {
            Ok(Value::Object(members)) => Ok(Self { status, members }),
            _ => {
                let cause = "The answer is not a JSON object";
                Err(Error::new(ErrorKind::Malformed, cause).with_status(status))
            }
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// Returns a text that may be absent.
    fn optional(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// Returns a text that the answer must have.
    fn text(&self, name: &str) -> Result<String, Error> {
        self.optional(name).map(str::to_owned).ok_or_else(|| {
            let cause = format!("The answer has no {name}");
            Error::new(ErrorKind::Malformed, cause).with_status(self.status)
        })
    }

    /// Returns a number of seconds, which may be digits.
    fn seconds(&self, name: &str) -> Option<Duration> {
        let value = self.get(name)?;
        let seconds = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}
