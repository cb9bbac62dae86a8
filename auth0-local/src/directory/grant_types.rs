//! The grants of clients, by the name that requests have in `grant_type`.

pub(crate) const AUTHORIZATION_CODE: &str = "authorization_code";
pub(crate) const REFRESH_TOKEN: &str = "refresh_token";
pub(crate) const CLIENT_CREDENTIALS: &str = "client_credentials";
pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
pub(crate) const CIBA: &str = "urn:openid:params:grant-type:ciba";

/// Those that a client can be configured with.
pub(crate) const GRANT_TYPES: [&str; 5] =
    [AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, DEVICE_CODE, CIBA];

/// Those that a client which registers itself can have.
pub(crate) const OF_REGISTRATION: [&str; 3] =
    [AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS];
