//! `auth0-local login`.
use super::client::Target;
use crate::{error::LocalError, server::LOGIN_PATH};
use clap::Args;
use serde::Deserialize;
use serde_json::json;

/// Choose who answers logins, and print the user who logs in by default
#[derive(Args)]
pub(super) struct LoginCommand {
    /// The user who logs in from now on, by `user_id`
    user: Option<String>,
    /// Only for the next login
    #[arg(long, requires = "user")]
    once: bool,
    /// Refuse the next login with this error: `access_denied`, `login_required`
    #[arg(long, value_name = "ERROR", conflicts_with = "user")]
    error: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl LoginCommand {
    pub(super) async fn run(self) -> super::Result {
        #[derive(Deserialize)]
        struct Answer {
            user: Option<String>,
        }
        let choice = match (self.user, self.error) {
            (Some(user), _) if self.once => json!({ "next": { "user": user } }),
            (Some(user), _) => json!({ "user": user }),
            (None, Some(error)) => json!({ "next": { "error": error } }),
            (None, None) => json!({}),
        };
        let Answer { user } = self.target.post(LOGIN_PATH, Some(&choice)).await?;
        let none =
            || LocalError::new("the tenant has no user, because all were deleted. Start it again");
        super::print(&user.ok_or_else(none)?)
    }
}
