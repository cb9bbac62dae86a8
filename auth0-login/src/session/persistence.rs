//! Writing sessions: sealed in cookies, or in a store.
use super::{Live, copy_data, name::StoredName};
use crate::{
    cookie::{ReceivedCookies, divide},
    error::ErrorKind,
    login::Shared,
    names::hash_of,
    record::{Dropped, Record, payload},
    renewals::Ending,
    store::{NewSession, SessionKey, SessionStoreError, StoredSession, Updated},
};
use auth0_core::{
    revocation::Revocation,
    support::{fetch_thread::passed, user_of_session},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The limit for a call of the store: a request waits for it.
const STORE_LIMIT: Duration = Duration::from_secs(2);

/// How often an update is tried again that another request has outdated.
const MAX_UPDATES: usize = 5;

/// Where a session is.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Cookie,
    Store {
        key: SessionKey,
        version: u64,
        /// The store has not got the tokens of the last renewal yet.
        is_behind: bool,
    },
}

/// Why a session is not written.
pub(crate) struct WriteFailure {
    pub(crate) kind: ErrorKind,
    pub(crate) cause: String,
}

impl Place {
    pub(super) const fn is_behind(self) -> bool {
        matches!(self, Self::Store { is_behind: true, .. })
    }
}

impl From<SessionStoreError> for WriteFailure {
    fn from(error: SessionStoreError) -> Self {
        Self { kind: ErrorKind::StoreUnavailable, cause: error.to_string() }
    }
}

impl Shared {
    /// Good for this application only, also if another one has the same secret.
    pub(super) fn purpose_of_cookie(&self) -> String {
        format!("{} {}", self.names.session, self.client.client_id())
    }

    /// Good for this session only.
    fn purpose_of_store(&self, key: &SessionKey) -> String {
        format!("store {} {}", text_of(key), self.client.client_id())
    }

    /// Opens the content of a store.
    pub(crate) fn opened(&self, key: &SessionKey, content: &str) -> Option<Record> {
        let opened = self.secrets.open(&self.purpose_of_store(key), content.as_bytes())?;
        Record::read(&opened.content)
    }

    /// Returns the user as a verified token, which ends with the session.
    pub(crate) async fn user_of(
        &self,
        record: &Record,
    ) -> Result<auth0_core::VerifiedToken, auth0_core::Error> {
        let ends_at = self.times.end(record);
        let client_id = self.client.client_id();
        // A clock that was set back ends no session.
        let issued_at = record.issued_at.min(self.now().as_secs());
        let payload = payload(record, client_id, issued_at, ends_at);
        user_of_session(&self.auth, payload.unwrap_or_default()).await
    }

    pub(crate) fn auth_issuer(&self) -> &str {
        self.client.issuer()
    }

    /// Writes a session that is there already, and returns the cookies to set.
    pub(super) async fn write(
        &self,
        mut live: Live,
        has_changed: bool,
        changed: &BTreeSet<String>,
    ) -> Result<Vec<String>, WriteFailure> {
        let now = self.now();
        live.record.touched_at = now.as_secs();
        match live.place {
            // An answer that comes after that of a logout, or of another login, would bring it back.
            Place::Cookie
                if self.renewals.has_ended(&live.record.id, self.clock.monotonic())
                    || live.user.is_revoked() =>
            {
                Ok(Vec::new())
            }
            Place::Cookie => self.cookies_of(live.record),
            Place::Store { key, mut version, .. } => {
                let mut record = live.record;
                for _ in 0..MAX_UPDATES {
                    match self.update(&key, version, &record).await? {
                        // The cookie has the name of the session only: it lasts as long as the session can.
                        Updated::Done(_) => return Ok(Vec::new()),
                        // It has ended meanwhile, and the browser may have the cookie of another one already.
                        Updated::Gone => return Ok(Vec::new()),
                        Updated::Stale => {}
                    }
                    let Some(stored) = self.load(&key).await? else { return Ok(Vec::new()) };
                    let Some(mut newer) = self.opened(&key, &stored.content) else {
                        return Ok(Vec::new());
                    };
                    if has_changed {
                        copy_data(changed, &record, &mut newer);
                        if record.tokens.generation > newer.tokens.generation {
                            (newer.tokens, newer.claims) = (record.tokens, record.claims);
                        }
                    }
                    newer.touched_at = newer.touched_at.max(now.as_secs());
                    (record, version) = (newer, stored.version);
                }
                // Others have just written it.
                Ok(Vec::new())
            }
        }
    }

    /// Keeps a new session, and returns the cookies to set. `previous` ends.
    pub(crate) async fn begin(
        &self,
        record: Record,
        previous: Option<&Live>,
    ) -> Result<Vec<String>, WriteFailure> {
        let previous = previous.map(|previous| (previous, ending(&previous.record, &record)));
        let cookies = match &self.store {
            None => self.cookies_of(record)?,
            Some(store) => {
                let name = StoredName::new(self.now()).ok_or_else(no_randomness)?;
                let key = name.key();
                let content = self.sealed(&key, &record)?;
                let absolute = record.ends_at.saturating_sub(self.now().as_secs());
                let absolute = Duration::from_secs(absolute);
                self.limited(store.create(&key, self.new_session(&content, &record, absolute)))
                    .await?;
                let text = self.secrets.seal(&self.purpose_of_cookie(), &name.content());
                self.session_cookies(&text.ok_or_else(no_randomness)?, absolute)
                    .ok_or_else(too_large)?
            }
        };
        if let Some((previous, why)) = previous {
            // Not a reason to refuse a login: it ends by itself.
            drop(self.end(previous, why).await);
        }
        Ok(cookies)
    }

    fn new_session<'a>(
        &self,
        content: &'a str,
        record: &Record,
        absolute: Duration,
    ) -> NewSession<'a> {
        let hash = |name: &str| hash_of(&[record.issuer.trim_end_matches('/'), name]);
        let user = hash(&record.claim("sub").unwrap_or_default());
        let began_at = time_at(record.issued_at).unwrap_or(UNIX_EPOCH);
        let mut new = NewSession::new(content, user, began_at, self.lasts(record));
        new.issuer_session = record.claim("sid").map(|sid| hash(&sid));
        new.lasts_at_most = absolute;
        new
    }

    /// Ends a session: nothing that is on its way brings it back.
    pub(crate) async fn end(&self, live: &Live, why: Ending) -> Result<(), SessionStoreError> {
        let now = self.clock.monotonic();
        if let (Place::Store { key, .. }, Some(store)) = (&live.place, &self.store) {
            self.limited(store.delete(key)).await?;
            self.renewals.end(&text_of(key), why, now);
        }
        self.renewals.end(&live.record.id, why, now);
        // A cookie that was copied is good for nothing from now on. The session at Auth0 may go on, and begin another here.
        if let (Place::Cookie, Some(revocations)) = (&live.place, &self.revocations) {
            let mut revocation = Revocation::token(&live.record.issuer, &live.record.id);
            // No request extends it any more, so that no cookie of it lasts longer.
            if let Some(end) = time_at(self.times.end_without_extension(&live.record, self.now())) {
                revocation = revocation.until(end);
            }
            // The log has the reason; the cookies are replaced or removed in any case.
            drop(revocations.revoke(revocation).await);
        }
        Ok(())
    }

    /// Returns the cookies of a session that is kept in them.
    fn cookies_of(&self, mut record: Record) -> Result<Vec<String>, WriteFailure> {
        let mut has_lost_token = false;
        let lines = loop {
            let lasts = self.lasts(&record);
            let text = self.secrets.seal(&self.purpose_of_cookie(), &record.write());
            match self.session_cookies(&text.ok_or_else(no_randomness)?, lasts) {
                Some(lines) => break lines,
                None => {
                    let dropped = record.shrink(self.now()).ok_or_else(too_large)?;
                    has_lost_token |= dropped == Dropped::AccessToken;
                }
            }
        };
        if has_lost_token {
            tracing::warn!(
                target: "auth0",
                "the cookies of a session are full: an access token is not kept, and each use renews it. Keep fewer data in \
                 the session, or use a store: LoginBuilder::store"
            );
        }
        Ok(lines)
    }

    /// Returns the cookies with a text, and removes all others that a session may have.
    pub(super) fn session_cookies(&self, text: &str, lasts: Duration) -> Option<Vec<String>> {
        let chunks = divide(&self.names, text, lasts)?;
        let others =
            self.names.of_session().filter(|name| chunks.iter().all(|(set, _)| set != name));
        let cleared: Vec<String> = others.map(|name| self.names.clear(&name)).collect();
        let set = chunks.iter().map(|(name, value)| self.names.set(name, value, lasts));
        Some(set.chain(cleared).collect())
    }

    /// Removes the cookies of a session that a request has.
    pub(crate) fn clearing(&self, cookies: &ReceivedCookies) -> Vec<String> {
        let had = self.names.of_session().filter(|name| cookies.has(name));
        had.map(|name| self.names.clear(&name)).collect()
    }

    pub(crate) fn all_cleared(&self) -> Vec<String> {
        self.names.of_session().map(|name| self.names.clear(&name)).collect()
    }

    fn lasts(&self, record: &Record) -> Duration {
        Duration::from_secs(self.times.end(record).saturating_sub(self.now().as_secs()))
    }

    fn sealed(&self, key: &SessionKey, record: &Record) -> Result<String, WriteFailure> {
        self.secrets.seal(&self.purpose_of_store(key), &record.write()).ok_or_else(no_randomness)
    }

    pub(crate) async fn load(
        &self,
        key: &SessionKey,
    ) -> Result<Option<StoredSession>, SessionStoreError> {
        match &self.store {
            Some(store) => self.limited(store.load(key)).await,
            None => Ok(None),
        }
    }

    pub(crate) async fn update(
        &self,
        key: &SessionKey,
        version: u64,
        record: &Record,
    ) -> Result<Updated, WriteFailure> {
        let content = self.sealed(key, record)?;
        match &self.store {
            Some(store) => {
                Ok(self.limited(store.update(key, version, &content, self.lasts(record))).await?)
            }
            None => Ok(Updated::Gone),
        }
    }

    /// Limits a call of the store.
    pub(crate) async fn limited<T>(
        &self,
        call: impl Future<Output = Result<T, SessionStoreError>>,
    ) -> Result<T, SessionStoreError> {
        tokio::select! {
            biased;
            outcome = call => outcome,
            () = passed(&*self.clock, STORE_LIMIT) => {
                let limit = STORE_LIMIT.as_secs();
                Err(SessionStoreError::new(format!("it has not answered within {limit} s")))
            }
        }
    }
}

/// Returns how a login ends the session of before in its browser.
fn ending(previous: &Record, new: &Record) -> Ending {
    let of = |record: &Record| (record.issuer.clone(), record.claim("sub"));
    if of(previous) == of(new) { Ending::Replaced } else { Ending::Left }
}

/// Returns a key as text.
pub(super) fn text_of(key: &SessionKey) -> String {
    URL_SAFE_NO_PAD.encode(key.as_bytes())
}

/// Returns a time in seconds since 1970. `None` for one that the system cannot have.
fn time_at(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn no_randomness() -> WriteFailure {
    WriteFailure { kind: ErrorKind::Misconfigured, cause: "the system has no randomness".into() }
}

fn too_large() -> WriteFailure {
    WriteFailure {
        kind: ErrorKind::TooLarge,
        cause: "the session does not fit into five cookies. Keep fewer data in it, or use a store: LoginBuilder::store"
            .into(),
    }
}
