use super::bounded::Bounded;
use crate::secret::Fingerprint;
use std::{collections::BTreeSet, time::Duration};

/// Auth0's default lifetime of a session.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Auth0's default lifetime of a session that is not used.
const IDLE_LIFETIME: Duration = Duration::from_secs(3 * 24 * 60 * 60);

const MAX_SESSIONS: usize = 10_000;

/// The most clients of a session that are kept.
const MAX_CLIENTS: usize = 100;

/// A user's session with the tenant, which a cookie names.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) subject: String,
    /// The `sid` of ID tokens. It is public, in contrast to the cookie.
    pub(crate) id: String,
    pub(crate) began: Duration,
    pub(crate) used: Duration,
    /// Whether the user has passed another factor.
    pub(crate) has_factor: bool,
    /// The clients that received a code of it.
    pub(crate) clients: BTreeSet<String>,
}

impl Session {
    fn is_alive(&self, now: Duration) -> bool {
        now < self.began + LIFETIME && now < self.used + IDLE_LIFETIME
    }
}

#[derive(Debug)]
pub(crate) struct Sessions(Bounded<Fingerprint, Session>);

impl Sessions {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MAX_SESSIONS))
    }

    pub(crate) fn begin(&mut self, cookie: &str, session: Session) {
        self.0.insert(Fingerprint::of(cookie), session);
    }

    /// Returns the session of a cookie at this time, and notes its use.
    pub(crate) fn use_session(&mut self, cookie: &str, now: Duration) -> Option<Session> {
        let session = self.0.get_mut(&Fingerprint::of(cookie))?;
        if !session.is_alive(now) {
            return None;
        }
        session.used = now;
        Some(session.clone())
    }

    /// Notes that the user of a session has passed another factor.
    pub(crate) fn pass_factor(&mut self, cookie: &str) {
        if let Some(session) = self.0.get_mut(&Fingerprint::of(cookie)) {
            session.has_factor = true;
        }
    }

    /// Notes that a client received a code of a session, if this is its cookie.
    pub(crate) fn add_client(&mut self, cookie: &str, id: &str, client_id: &str) {
        let session = self.0.get_mut(&Fingerprint::of(cookie));
        let is_open = |it: &&mut Session| it.id == id && it.clients.len() < MAX_CLIENTS;
        if let Some(session) = session.filter(is_open) {
            session.clients.insert(client_id.to_owned());
        }
    }

    /// Ends the session of a cookie, and returns it.
    pub(crate) fn end(&mut self, cookie: &str) -> Option<Session> {
        self.0.remove(&Fingerprint::of(cookie))
    }

    /// Ends the session with this `sid`, and returns it.
    pub(crate) fn end_by_id(&mut self, id: &str) -> Option<Session> {
        self.end_all(|session| session.id == id).pop()
    }

    /// Ends the sessions of a user. Returns those that had not expired.
    pub(crate) fn end_of(&mut self, subject: &str, now: Duration) -> Vec<Session> {
        let mut ended = self.end_all(|session| session.subject == subject);
        ended.retain(|session| session.is_alive(now));
        ended
    }

    fn end_all(&mut self, mut ends: impl FnMut(&Session) -> bool) -> Vec<Session> {
        let mut ended = Vec::new();
        self.0.retain(|session| {
            let is_ended = ends(session);
            if is_ended {
                ended.push(session.clone());
            }
            !is_ended
        });
        ended
    }
}
