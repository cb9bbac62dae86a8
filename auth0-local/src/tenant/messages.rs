//! What the tenant would send to users.
use super::LocalTenant;
use crate::store::Message;

impl LocalTenant {
    /// Returns the messages with codes that Auth0 would have sent, the oldest first. The tenant keeps the newest
    /// 1,000.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.running.store().messages.to_vec()
    }

    /// Returns the newest message to this e-mail address or phone number.
    #[must_use]
    pub fn last_message_to(&self, recipient: &str) -> Option<Message> {
        let messages = self.messages();
        messages.into_iter().rev().find(|message| message.to.eq_ignore_ascii_case(recipient))
    }
}
