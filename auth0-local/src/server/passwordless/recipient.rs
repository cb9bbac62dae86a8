//! Who receives a code, and the user behind it.
use crate::{directory::User, running::RunningTenant, secret, store::Channel};
use std::sync::Arc;

const MAX_EMAIL: usize = 254;

/// An e-mail address or a phone number, in its normal form.
#[derive(Clone, Debug)]
pub(in crate::server) struct Recipient {
    channel: Channel,
    address: String,
}

impl Recipient {
    /// Reads the recipient of a connection, or returns `None` for other text.
    pub(in crate::server) fn read(realm: &str, text: &str) -> Option<Self> {
        let text = text.trim();
        match realm {
            "email" if is_email(text) => {
                Some(Self { channel: Channel::Email, address: text.to_lowercase() })
            }
            "sms" if is_number(text) => {
                Some(Self { channel: Channel::Sms, address: text.to_owned() })
            }
            _ => None,
        }
    }

    pub(in crate::server) fn channel(&self) -> Channel {
        self.channel
    }

    pub(in crate::server) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the name of the connection.
    pub(in crate::server) fn realm(&self) -> &'static str {
        match self.channel {
            Channel::Email => "email",
            Channel::Sms => "sms",
        }
    }

    /// Returns an id that is the same each time.
    pub(super) fn id(&self) -> String {
        let hash = secret::sha256(&self.address);
        hash.bytes().take(12).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns the user who receives its messages. As with Auth0, the first login creates one.
    pub(in crate::server) fn user(&self, running: &RunningTenant) -> Arc<User> {
        let default = running.default_user().filter(|user| user.is_reached_at(&self.address));
        let user = {
            let mut directory = running.directory();
            if let Some(user) = directory.user_at(&self.address).or(default) {
                return user;
            }
            let user = User::new(format!("{}|{}", self.realm(), self.id()));
            directory.create_user(match self.channel {
                Channel::Email => user.email(&self.address),
                Channel::Sms => user.phone_number(&self.address),
            })
        };
        running.report_user("user.created", user.event_object());
        user
    }
}

fn is_email(text: &str) -> bool {
    let is_plain = |it: char| !it.is_whitespace() && !it.is_control();
    let parts = text.rsplit_once('@');
    text.len() <= MAX_EMAIL
        && text.chars().all(is_plain)
        && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

/// Returns whether it is a number of E.164.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}
