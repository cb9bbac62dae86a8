//! The grants of clients, by the name that requests have in `grant_type`.

pub(crate) const AUTHORIZATION_CODE: &str = "authorization_code";
pub(crate) const REFRESH_TOKEN: &str = "refresh_token";
pub(crate) const CLIENT_CREDENTIALS: &str = "client_credentials";
pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
pub(crate) const CIBA: &str = "urn:openid:params:grant-type:ciba";
pub(crate) const PASSWORDLESS_OTP: &str = "http://auth0.com/oauth/grant-type/passwordless/otp";
pub(crate) const PASSWORD: &str = "password";
pub(crate) const PASSWORD_REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";
pub(crate) const MFA_OTP: &str = "http://auth0.com/oauth/grant-type/mfa-otp";
pub(crate) const MFA_OOB: &str = "http://auth0.com/oauth/grant-type/mfa-oob";
pub(crate) const MFA_RECOVERY_CODE: &str = "http://auth0.com/oauth/grant-type/mfa-recovery-code";
pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const TOKEN_VAULT: &str =
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token";

/// Those that a client can be configured with.
pub(crate) const GRANT_TYPES: [&str; 13] = [
    AUTHORIZATION_CODE,
    REFRESH_TOKEN,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    CIBA,
    PASSWORDLESS_OTP,
    PASSWORD,
    PASSWORD_REALM,
    MFA_OTP,
    MFA_OOB,
    MFA_RECOVERY_CODE,
    TOKEN_EXCHANGE,
    TOKEN_VAULT,
];

/// Those that a client which registers itself can have.
pub(crate) const OF_REGISTRATION: [&str; 3] =
    [AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS];
