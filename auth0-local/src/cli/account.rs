//! `auth0-local account` and `auth0-local history`.
use super::client::Target;
use crate::server::{ACCOUNTS_PATH, TOKEN_REQUESTS_PATH};
use clap::Args;
use serde_json::{Value, json};

/// Connect an account at another provider to a user, for Token Vault, or disconnect it
#[derive(Args)]
pub(super) struct AccountCommand {
    /// The user, by `user_id`
    user: String,
    /// The connection, for example google-oauth2
    connection: String,
    /// How requests name the account: its `login_hint`. Without it, --remove removes all of the connection
    #[arg(required_unless_present = "remove")]
    login_hint: Option<String>,
    /// A scope of its tokens; can be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The lifetime of its tokens
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    expires_in: u32,
    /// Disconnect it
    #[arg(long, conflicts_with_all = ["scopes", "expires_in"])]
    remove: bool,
    #[command(flatten)]
    target: Target,
}

impl AccountCommand {
    pub(super) async fn run(self) -> super::Result {
        let Self { user, connection, login_hint, scopes, expires_in, remove, target } = self;
        let answer: Value = if remove {
            let account =
                json!({ "user": user, "connection": connection, "login_hint": login_hint });
            target.delete_with(ACCOUNTS_PATH, &account).await?
        } else {
            let account = json!({
                "connection": connection, "login_hint": login_hint, "scopes": scopes,
                "expires_in": expires_in,
            });
            target.post(ACCOUNTS_PATH, Some(&json!({ "user": user, "account": account }))).await?
        };
        super::print(&answer.to_string())
    }
}

/// Print what the requests for tokens asked for: counts by grant, and the last hundred, as JSON
#[derive(Args)]
pub(super) struct HistoryCommand {
    #[command(flatten)]
    target: Target,
}

impl HistoryCommand {
    pub(super) async fn run(self) -> super::Result {
        let requests: Value = self.target.get(TOKEN_REQUESTS_PATH).await?;
        super::print(&requests.to_string())
    }
}
