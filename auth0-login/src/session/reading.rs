//! Reading sessions: from cookies, or from a store.
use super::{Live, Place, name::StoredName, persistence::text_of};
use crate::{
    cookie::{ReceivedCookies, restored},
    login::Shared,
    record::Record,
    store::StoredSession,
};
use auth0_core::{
    ErrorCode,
    support::{are_stored, is_revoked_by_id},
};
use std::time::Duration;

/// What the cookies of a request say.
pub(super) enum Read {
    Live {
        live: Box<Live>,
        has_changed: bool,
        /// The cookie of a session in a store, sealed anew.
        resealed: Option<Vec<String>>,
    },
    /// A session whose time is over, or bytes that are none: the cookies are removed.
    Void,
    Nothing,
}

/// What the text of one cookie says.
enum Found {
    Live(Box<Live>),
    /// No session, or one whose time is over.
    Over,
    /// Another site's, where it still is a session. Or it has ended before its time: by a logout, or by another login, whose
    /// cookie would be removed if this answer came later. It goes with the time of the session.
    Stays,
}

impl Shared {
    /// Reads the session of a request. The error is for the log.
    pub(super) async fn read(&self, cookies: &ReceivedCookies) -> Result<Read, String> {
        let mut found: Option<Box<Live>> = None;
        let (mut has_changed, mut stays) = (false, false);
        let mut resealed = None;
        for text in restored(&self.names, cookies) {
            let Some(opened) = self.secrets.open(&self.purpose_of_cookie(), text.as_bytes()) else {
                continue;
            };
            let content = &*opened.content;
            let one = match (StoredName::is_one(content), self.store.is_some()) {
                (true, true) => self.read_store(content).await?,
                (false, false) => self.read_cookie(content, &mut has_changed).await?,
                (true, false) | (false, true) => Found::Over,
            };
            let live = match one {
                Found::Live(live) => live,
                Found::Over => continue,
                Found::Stays => {
                    stays = true;
                    continue;
                }
            };
            // Another host of the domain may have set a cookie: the session that was used last counts.
            if found.as_ref().is_none_or(|found| found.record.touched_at < live.record.touched_at) {
                if !opened.is_newest {
                    match live.place {
                        Place::Cookie => has_changed = true,
                        Place::Store { .. } => {
                            let ends_at = Duration::from_secs(live.record.ends_at);
                            let lasts = ends_at.saturating_sub(self.now());
                            let text = self.secrets.seal(&self.purpose_of_cookie(), content);
                            resealed = text.and_then(|text| self.session_cookies(&text, lasts));
                        }
                    }
                }
                found = Some(live);
            }
        }
        Ok(match found {
            Some(live) => Read::Live { live, has_changed, resealed },
            None if stays => Read::Nothing,
            None if self.names.of_session().any(|name| cookies.has(&name)) => Read::Void,
            None => Read::Nothing,
        })
    }

    /// Removes the sessions of a request from the store without reading them. Returns whether that was possible.
    pub(crate) async fn remove(&self, cookies: &ReceivedCookies) -> bool {
        let Some(store) = &self.store else { return true };
        for text in restored(&self.names, cookies) {
            let opened = self.secrets.open(&self.purpose_of_cookie(), text.as_bytes());
            if let Some(name) = opened.and_then(|opened| StoredName::read(&opened.content))
                && let Err(error) = self.limited(store.delete(&name.key())).await
            {
                tracing::error!(target: "auth0", %error, "a session cannot be removed");
                return false;
            }
        }
        true
    }

    async fn read_cookie(&self, content: &[u8], has_changed: &mut bool) -> Result<Found, String> {
        let Some(mut record) = Record::read(content) else { return Ok(Found::Over) };
        *has_changed |= self.renewals.adopt(&mut record, self.clock.monotonic());
        self.found(record, Place::Cookie).await
    }

    async fn read_store(&self, content: &[u8]) -> Result<Found, String> {
        let Some(name) = StoredName::read(content) else { return Ok(Found::Over) };
        let key = name.key();
        let stored = self.load(&key).await.map_err(|error| error.to_string())?;
        let Some(StoredSession { content, version }) = stored else {
            // Before this time, it was ended.
            let first_end = name.began_at.saturating_add(self.times.longest_without_activity());
            let has_ended = self.now() < first_end
                || self.renewals.has_ended(&text_of(&key), self.clock.monotonic());
            return Ok(if has_ended { Found::Stays } else { Found::Over });
        };
        let Some(mut record) = self.opened(&key, &content) else { return Ok(Found::Over) };
        let is_behind = self.renewals.adopt(&mut record, self.clock.monotonic());
        self.found(record, Place::Store { key, version, is_behind }).await
    }

    /// Returns the session, if it has neither ended nor was revoked.
    async fn found(&self, record: Record, place: Place) -> Result<Found, String> {
        if record.issuer != self.auth_issuer() {
            return Ok(Found::Stays);
        }
        if self.times.is_over(&record, self.now()) {
            return Ok(Found::Over);
        }
        if self.renewals.has_ended(&record.id, self.clock.monotonic()) {
            return Ok(Found::Stays);
        }
        match self.user_of(&record).await {
            Ok(user) => Ok(Found::Live(Box::new(Live { record, place, user }))),
            Err(error) if error.code() == ErrorCode::RevocationsUnavailable => {
                Err(error.to_string())
            }
            Err(error)
                if is_revoked_by_id(&error)
                    && self.revocations.as_ref().is_some_and(are_stored) =>
            {
                Ok(Found::Stays)
            }
            // With others of the user, or a while ago. A restart loses revocations in memory, and the cookie must not be
            // good again.
            Err(_) => Ok(Found::Over),
        }
    }
}
