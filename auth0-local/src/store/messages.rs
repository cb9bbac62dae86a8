use serde::Serialize;
use std::{collections::VecDeque, fmt};

const MAX_MESSAGES: usize = 1_000;

/// How a message reaches a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Channel {
    /// An e-mail.
    Email,
    /// A text message.
    Sms,
}

/// A message with a code, which the tenant keeps and never sends: see
/// [`LocalTenant::messages`](crate::LocalTenant::messages).
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// The e-mail address or phone number.
    pub to: String,
    /// How Auth0 would send it.
    pub channel: Channel,
    /// The client that asked for it.
    pub client_id: String,
    /// The code.
    pub code: String,
    /// The link that logs in, if the client asked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Does not print the code.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("to", &self.to)
            .field("channel", &self.channel)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The newest messages, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Messages(VecDeque<Message>);

impl Messages {
    pub(crate) fn keep(&mut self, message: Message) {
        if self.0.len() >= MAX_MESSAGES {
            self.0.pop_front();
        }
        self.0.push_back(message);
    }

    pub(crate) fn to_vec(&self) -> Vec<Message> {
        self.0.iter().cloned().collect()
    }
}
