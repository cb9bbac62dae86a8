//! Reading and writing sessions: sealed in cookies, or in a store.
use super::{Live, copy_data};
use crate::{
    cookie::{ReceivedCookies, divide, restored},
    error::ErrorKind,
    login::Shared,
    names::hash_of,
    record::{Record, payload},
    store::{NewSession, SessionKey, SessionStoreError, StoredSession, Updated},
};
use auth0_core::{
    ErrorCode,
    support::{fetch_thread::passed, user_of_session},
};
use aws_lc_rs::{digest, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    collections::BTreeSet,
    time::{Duration, UNIX_EPOCH},
};

/// The limit for a call of the store: a request waits for it.
const STORE_LIMIT: Duration = Duration::from_secs(2);

/// How often an update is tried again that another request has outdated.
const MAX_UPDATES: usize = 5;

/// What a cookie has before the name of a session in a store, and what JSON never begins with.
const STORE_MARK: u8 = b'#';

/// Where a session is.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Cookie,
    Store { key: SessionKey, version: u64 },
}

/// What the cookies of a request say.
pub(super) enum Read {
    Live {
        live: Box<Live>,
        has_changed: bool,
        /// The cookie of a session in a store, sealed anew.
        resealed: Option<Vec<String>>,
    },
    /// A session that has ended, or bytes that are none.
    Void,
    Nothing,
}

/// Why a session is not written.
pub(crate) struct WriteFailure {
    pub(crate) kind: ErrorKind,
    pub(crate) cause: String,
}

impl From<SessionStoreError> for WriteFailure {
    fn from(error: SessionStoreError) -> Self {
        Self { kind: ErrorKind::StoreUnavailable, cause: error.to_string() }
    }
}

impl Shared {
    /// Reads the session of a request. The error is for the log.
    pub(super) async fn read(&self, cookies: &ReceivedCookies) -> Result<Read, String> {
        let texts = restored(&self.names, cookies);
        let mut found: Option<Live> = None;
        let (mut has_changed, mut is_of_other_site) = (false, false);
        let mut resealed = None;
        for text in &texts {
            let Some(opened) = self.secrets.open(&self.purpose_of_cookie(), text.as_bytes()) else {
                continue;
            };
            let live = match (opened.content.split_first(), &self.store) {
                (Some((&STORE_MARK, id)), Some(_)) => {
                    self.read_store(id, &mut is_of_other_site).await?
                }
                (Some((&STORE_MARK, _)), None) | (None, _) => None,
                (Some(_), Some(_)) => None,
                (Some(_), None) => {
                    let record = Record::read(&opened.content).map(|mut record| {
                        has_changed |= self.renewals.adopt(&mut record, self.clock.monotonic());
                        record
                    });
                    match record {
                        Some(record) => {
                            is_of_other_site |= record.issuer != self.auth_issuer();
                            self.live(record, Place::Cookie).await?
                        }
                        None => None,
                    }
                }
            };
            // Another host of the domain may have set a cookie: the session that was used last counts.
            if let Some(live) = live
                && found
                    .as_ref()
                    .is_none_or(|found| found.record.touched_at < live.record.touched_at)
            {
                if !opened.is_newest {
                    match live.place {
                        Place::Cookie => has_changed = true,
                        Place::Store { .. } => {
                            let ends_at = Duration::from_secs(live.record.ends_at);
                            let lasts = ends_at.saturating_sub(self.now());
                            let text =
                                self.secrets.seal(&self.purpose_of_cookie(), &opened.content);
                            resealed = text.and_then(|text| self.session_cookies(&text, lasts));
                        }
                    }
                }
                found = Some(live);
            }
        }
        Ok(match found {
            Some(live) => Read::Live { live: Box::new(live), has_changed, resealed },
            // At its own site it is still one.
            None if is_of_other_site => Read::Nothing,
            None if self.names.of_session().any(|name| cookies.has(&name)) => Read::Void,
            None => Read::Nothing,
        })
    }

    /// Removes the sessions of a request from the store without reading them. Returns whether that was possible.
    pub(crate) async fn remove(&self, cookies: &ReceivedCookies) -> bool {
        let Some(store) = &self.store else { return true };
        for text in restored(&self.names, cookies) {
            let opened = self.secrets.open(&self.purpose_of_cookie(), text.as_bytes());
            if let Some((&STORE_MARK, id)) = opened.as_ref().and_then(|it| it.content.split_first())
                && let Err(error) = self.limited(store.delete(&key_of(id))).await
            {
                tracing::error!(target: "auth0", %error, "a session cannot be removed");
                return false;
            }
        }
        true
    }

    async fn read_store(
        &self,
        id: &[u8],
        is_of_other_site: &mut bool,
    ) -> Result<Option<Live>, String> {
        let key = key_of(id);
        let stored = self.load(&key).await.map_err(|error| error.to_string())?;
        let Some(StoredSession { content, version }) = stored else { return Ok(None) };
        let Some(mut record) = self.opened(&key, &content) else { return Ok(None) };
        self.renewals.adopt(&mut record, self.clock.monotonic());
        *is_of_other_site |= record.issuer != self.auth_issuer();
        self.live(record, Place::Store { key, version }).await
    }

    /// Good for this application only, also if another one has the same secret.
    fn purpose_of_cookie(&self) -> String {
        format!("{} {}", self.names.session, self.client.client_id())
    }

    /// Good for this session only.
    fn purpose_of_store(&self, key: &SessionKey) -> String {
        let key = URL_SAFE_NO_PAD.encode(key.as_bytes());
        format!("store {key} {}", self.client.client_id())
    }

    /// Opens the content of a store.
    pub(crate) fn opened(&self, key: &SessionKey, content: &str) -> Option<Record> {
        let opened = self.secrets.open(&self.purpose_of_store(key), content.as_bytes())?;
        Record::read(&opened.content)
    }

    /// Returns the session, if it has neither ended nor was revoked.
    async fn live(&self, record: Record, place: Place) -> Result<Option<Live>, String> {
        if self.times.is_over(&record, self.now())
            || self.renewals.has_ended(&record.id, self.clock.monotonic())
            || record.issuer != self.auth_issuer()
        {
            return Ok(None);
        }
        match self.user_of(&record).await {
            Ok(user) => Ok(Some(Live { record, place, user })),
            Err(error) if error.code() == ErrorCode::RevocationsUnavailable => {
                Err(error.to_string())
            }
            Err(_) => Ok(None),
        }
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
            Place::Cookie => self.cookies_of(live.record),
            Place::Store { key, mut version } => {
                let mut record = live.record;
                for _ in 0..MAX_UPDATES {
                    match self.update(&key, version, &record).await? {
                        // The cookie has the name of the session only: it lasts as long as the session can.
                        Updated::Done(_) => return Ok(Vec::new()),
                        Updated::Gone => return Ok(self.all_cleared()),
                        Updated::Stale => {}
                    }
                    let Some(stored) = self.load(&key).await? else {
                        return Ok(self.all_cleared());
                    };
                    let Some(mut newer) = self.opened(&key, &stored.content) else {
                        return Ok(self.all_cleared());
                    };
                    if has_changed {
                        copy_data(changed, &record, &mut newer);
                        if record.tokens.generation > newer.tokens.generation {
                            newer.tokens = record.tokens;
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
        let Some(_) = &self.store else { return self.cookies_of(record) };
        let mut id = [0; 32];
        rand::fill(&mut id).map_err(|_| no_randomness())?;
        let key = key_of(&id);
        let content = self.sealed(&key, &record)?;
        let subject = record.claim("sub").unwrap_or_default();
        let session = record.claim("sid");
        let absolute = Duration::from_secs(record.ends_at.saturating_sub(self.now().as_secs()));
        let began_at = UNIX_EPOCH.checked_add(Duration::from_secs(record.issued_at));
        let began_at = began_at.unwrap_or(UNIX_EPOCH);
        let user = hash_of(&[record.issuer.trim_end_matches('/'), &subject]);
        let mut new = NewSession::new(&content, user, began_at, self.lasts(&record));
        new.issuer_session =
            session.map(|sid| hash_of(&[record.issuer.trim_end_matches('/'), &sid]));
        new.lasts_at_most = absolute;
        if let Some(store) = &self.store {
            self.limited(store.create(&key, new)).await?;
            if let Some(Place::Store { key, .. }) = previous.map(|live| live.place) {
                // Not a reason to refuse a login: it ends by itself.
                drop(self.limited(store.delete(&key)).await);
            }
        }
        let mut mark = vec![STORE_MARK];
        mark.extend(id);
        let text = self.secrets.seal(&self.purpose_of_cookie(), &mark).ok_or_else(no_randomness)?;
        self.session_cookies(&text, absolute).ok_or_else(too_large)
    }

    /// Returns the cookies of a session that is kept in them.
    fn cookies_of(&self, mut record: Record) -> Result<Vec<String>, WriteFailure> {
        loop {
            let lasts = self.lasts(&record);
            let text = self.secrets.seal(&self.purpose_of_cookie(), &record.write());
            match self.session_cookies(&text.ok_or_else(no_randomness)?, lasts) {
                Some(lines) => return Ok(lines),
                None if record.shrink(self.now()) => {}
                None => return Err(too_large()),
            }
        }
    }

    /// Returns the cookies with a text, and removes all others that a session may have.
    fn session_cookies(&self, text: &str, lasts: Duration) -> Option<Vec<String>> {
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

fn key_of(id: &[u8]) -> SessionKey {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, id).as_ref());
    SessionKey::new(hash)
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
