//! The token that `POST /__local/logout-token` mints.
use super::LogoutTokenBuilder;
use crate::running::RunningTenant;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// Describes a logout token by its differences from a valid one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogoutTokenDescription {
    client_id: String,
    user: Option<String>,
    sid: Option<String>,
    typ: Option<String>,
    /// In seconds.
    expires_in: Option<u32>,
    #[serde(default)]
    expired: bool,
    #[serde(default)]
    broken_signature: bool,
    #[serde(default)]
    unsigned: bool,
    #[serde(default)]
    claims: Map<String, Value>,
    /// The claims to leave out.
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    headers: Map<String, Value>,
    /// The members of the header to leave out.
    #[serde(default)]
    without_headers: Vec<String>,
}

impl LogoutTokenDescription {
    pub(crate) fn token(&self, running: &RunningTenant) -> String {
        type Builder = LogoutTokenBuilder;
        let mut token = running.logout_token(&self.client_id);
        token = self.user.iter().fold(token, |token, user| token.subject(user));
        token = self.sid.iter().fold(token, |token, sid| token.session_id(sid));
        token = self.typ.iter().fold(token, |token, typ| token.typ(typ));
        if self.expired {
            token = token.expired();
        }
        if let Some(seconds) = self.expires_in {
            token = token.expires_in(Duration::from_secs(seconds.into()));
        }
        token = self.claims.iter().fold(token, |token, (name, value)| token.claim(name, value));
        token = self.without.iter().fold(token, |token, name| token.without_claim(name));
        token = self.headers.iter().fold(token, |token, (name, value)| token.header(name, value));
        token = self.without_headers.iter().fold(token, |token, name| token.without_header(name));
        token = if self.broken_signature { Builder::broken_signature(token) } else { token };
        token = if self.unsigned { Builder::unsigned(token) } else { token };
        token.mint()
    }
}
