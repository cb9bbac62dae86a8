use super::bounded::Bounded;
use crate::secret::Fingerprint;
use std::time::Duration;

/// Auth0's default lifetime of a session.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Auth0's default lifetime of a session that is not used.
const IDLE_LIFETIME: Duration = Duration::from_secs(3 * 24 * 60 * 60);

const MAX_SESSIONS: usize = 10_000;

/// A user's session with the tenant, which a cookie names.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) subject: String,
    /// The `sid` of ID tokens. It is public, in contrast to the cookie.
    pub(crate) id: String,
    pub(crate) began: Duration,
    pub(crate) used: Duration,
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
        if now >= session.began + LIFETIME || now >= session.used + IDLE_LIFETIME {
            return None;
        }
        session.used = now;
        Some(session.clone())
    }

    pub(crate) fn end(&mut self, cookie: &str) {
        self.0.remove(&Fingerprint::of(cookie));
    }

    /// Ends the session with this `sid`.
    pub(crate) fn end_by_id(&mut self, id: &str) {
        self.0.retain(|session| session.id != id);
    }
}
