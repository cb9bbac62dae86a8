use crate::directory::Membership;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// What a user granted to a client by logging in.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// All tokens of one login have this number.
    pub(crate) number: u64,
    pub(crate) client_id: String,
    pub(crate) subject: String,
    /// The API, or `None` for the tenant's own `/userinfo`.
    pub(crate) audience: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) organization: Option<Membership>,
    pub(crate) session_id: String,
    /// When the user logged in, in seconds since 1970.
    pub(crate) authenticated: u64,
    /// Whether the request asked for the time of the login.
    pub(crate) has_max_age: bool,
    /// Whether the user has passed another factor.
    pub(crate) has_factor: bool,
    pub(crate) nonce: Option<String>,
    /// What the user granted beyond scopes (RFC 9396).
    pub(crate) authorization_details: Option<Value>,
}

impl Grant {
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

/// An issued access token, as `/userinfo` needs it.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) grant: Arc<Grant>,
    /// The thumbprint of the key to which it is bound.
    pub(crate) key: Option<String>,
    pub(crate) expires: Duration,
}
