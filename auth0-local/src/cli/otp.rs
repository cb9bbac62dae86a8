//! `auth0-local otp`.
use super::client::Target;
use crate::server::OTP_PATH;
use clap::Args;
use serde::Deserialize;
use serde_json::json;

/// Print the one-time password that a user's authenticator app shows
#[derive(Args)]
pub(super) struct OtpCommand {
    /// The user, by `user_id`
    user: String,
    #[command(flatten)]
    target: Target,
}

impl OtpCommand {
    pub(super) async fn run(self) -> super::Result {
        #[derive(Deserialize)]
        struct Answer {
            otp: String,
        }
        let Answer { otp } =
            self.target.post(OTP_PATH, Some(&json!({ "user": self.user }))).await?;
        super::print(&otp)
    }
}
