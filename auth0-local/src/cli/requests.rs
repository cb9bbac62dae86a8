//! The commands for requests that wait for a user: `requests`, `approve` and `deny`.
use super::client::Target;
use crate::server::REQUESTS_PATH;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

/// Print the requests of the device flow and of CIBA that wait for a user, one JSON object in a line
#[derive(Args)]
pub(super) struct RequestsCommand {
    #[command(flatten)]
    target: Target,
}

/// Approve a request of the device flow or of CIBA, and print those that still wait
#[derive(Args)]
pub(super) struct ApproveCommand {
    /// The id of the request: the code that the device shows, or a number
    id: String,
    /// The user who approves it, by `user_id`; the one who logs in by default. A request of CIBA names
    /// its user
    #[arg(long)]
    user: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// Deny a request of the device flow or of CIBA, and print those that still wait
#[derive(Args)]
pub(super) struct DenyCommand {
    /// The id of the request: the code that the device shows, or a number
    id: String,
    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Answer {
    requests: Vec<Value>,
}

impl RequestsCommand {
    pub(super) async fn run(self) -> super::Result {
        print(self.target.get(REQUESTS_PATH).await?)
    }
}

impl ApproveCommand {
    pub(super) async fn run(self) -> super::Result {
        let mut choice = json!({ "approve": self.id });
        if let (Some(user), Some(members)) = (self.user, choice.as_object_mut()) {
            members.insert("user".into(), user.into());
        }
        print(self.target.post(REQUESTS_PATH, Some(&choice)).await?)
    }
}

impl DenyCommand {
    pub(super) async fn run(self) -> super::Result {
        print(self.target.post(REQUESTS_PATH, Some(&json!({ "deny": self.id }))).await?)
    }
}

fn print(answer: Answer) -> super::Result {
    answer.requests.iter().try_for_each(|request| super::print(&request.to_string()))
}
