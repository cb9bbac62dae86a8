//! The parameters of grants that log a user in without a redirect.
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct LoginParameters {
    pub(super) device_code: Option<String>,
    pub(super) auth_req_id: Option<String>,
    pub(super) username: Option<String>,
    pub(super) otp: Option<String>,
    pub(super) realm: Option<String>,
    pub(super) password: Option<String>,
    pub(super) mfa_token: Option<String>,
    pub(super) oob_code: Option<String>,
    pub(super) binding_code: Option<String>,
    pub(super) recovery_code: Option<String>,
}
