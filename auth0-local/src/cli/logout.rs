//! `auth0-local logout`.
use super::client::Target;
use crate::server::LOGOUT_PATH;
use clap::Args;
use serde::Deserialize;
use serde_json::json;

/// Log a user out everywhere: end the sessions and refresh tokens, send logout tokens to all clients, and print what
/// each URL answered
#[derive(Args)]
pub(super) struct LogoutCommand {
    /// The user, by `user_id`
    user: String,
    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Answer {
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Delivery {
    client_id: String,
    url: String,
    status: Option<u16>,
    error: Option<String>,
}

impl LogoutCommand {
    pub(super) async fn run(self) -> super::Result {
        let user = json!({ "user": self.user });
        let Answer { deliveries } = self.target.post(LOGOUT_PATH, Some(&user)).await?;
        deliveries.iter().try_for_each(|delivery| {
            let Delivery { client_id, url, status, error } = delivery;
            let status = status.map(|status| status.to_string());
            let answer = status.or_else(|| error.clone()).unwrap_or_default();
            super::print(&format!("{client_id} {url} {answer}"))
        })
    }
}
