//! `auth0-local messages`.
use super::client::Target;
use crate::server::MESSAGES_PATH;
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

/// Print the messages with codes that Auth0 would have sent, one JSON object in a line, the newest last
#[derive(Args)]
pub(super) struct MessagesCommand {
    /// Only those to this e-mail address or phone number
    #[arg(long, value_name = "RECIPIENT")]
    to: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl MessagesCommand {
    pub(super) async fn run(self) -> super::Result {
        #[derive(Deserialize)]
        struct Answer {
            messages: Vec<Value>,
        }
        let Answer { messages } = self.target.get(MESSAGES_PATH).await?;
        let is_shown = |message: &&Value| match &self.to {
            Some(to) => message["to"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(to)),
            None => true,
        };
        messages.iter().filter(is_shown).try_for_each(|message| super::print(&message.to_string()))
    }
}
