//! OpenID Connect Back-Channel Logout: the tokens, and their delivery to the clients of a user.
mod delivery;
mod description;
mod token;

pub use delivery::LogoutDelivery;
pub(crate) use description::LogoutTokenDescription;
pub use token::LogoutTokenBuilder;

use crate::{error::LocalError, running::RunningTenant, store::Session};
use delivery::{Letter, deliver};
use std::collections::{BTreeMap, BTreeSet};
use tokio::task;

/// The sessions that end, by the ids of their clients.
type Sessions = BTreeMap<String, BTreeSet<String>>;

impl RunningTenant {
    /// Begins a logout token for a client, of the user who logs in by default.
    pub(crate) fn logout_token(&self, client_id: &str) -> LogoutTokenBuilder {
        let token = LogoutTokenBuilder::new(self.tenant(), self.names(), client_id);
        match self.default_user() {
            Some(user) => token.subject(user.subject()),
            None => token,
        }
    }

    /// Ends the sessions and refresh tokens of a user, and sends logout tokens to all clients: one for each session
    /// that the user had with the client or, if there was none, one with the id of an unknown session.
    pub(crate) async fn log_out(&self, subject: &str) -> Result<Vec<LogoutDelivery>, LocalError> {
        self.check_user(subject)?;
        let now = self.now();
        let mut sessions = self.store().end_logins(subject, now);
        for client in self.directory().clients_to_log_out() {
            let unknown = || BTreeSet::from([self.names().next()]);
            sessions.entry(client.id().to_owned()).or_insert_with(unknown);
        }
        Ok(deliver(self.letters(subject, &sessions)).await)
    }

    /// Sends logout tokens to the clients of sessions that a browser ended, while it continues.
    pub(crate) fn announce_logout(&self, ended: &[Session]) {
        let mut letters = Vec::new();
        for session in ended {
            let of_client = |id: &String| (id.clone(), BTreeSet::from([session.id.clone()]));
            let sessions = session.clients.iter().map(of_client).collect();
            letters.extend(self.letters(&session.subject, &sessions));
        }
        if !letters.is_empty() {
            task::spawn(deliver(letters));
        }
    }

    /// Returns a logout token for each session and each URL of its client.
    fn letters(&self, subject: &str, sessions: &Sessions) -> Vec<Letter> {
        let clients: Vec<_> = self.directory().clients_to_log_out().cloned().collect();
        let mut letters = Vec::new();
        for client in clients {
            for session in sessions.get(client.id()).into_iter().flatten() {
                for url in client.own_backchannel_logout_urls() {
                    let token = self.logout_token(client.id()).subject(subject).session_id(session);
                    letters.push(Letter {
                        client_id: client.id().to_owned(),
                        url: url.clone(),
                        session_id: session.clone(),
                        token: token.mint(),
                    });
                }
            }
        }
        letters
    }
}
