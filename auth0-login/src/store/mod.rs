//! Where sessions are kept, if not in cookies.
mod logout;
mod memory;

pub(crate) use logout::StoredSessions;
pub use memory::InMemorySessionStore;

use auth0_core::BoxFuture;
use std::{
    error::Error,
    fmt,
    time::{Duration, SystemTime},
};

/// Keeps the sessions of an application, so that a browser has only the name of its session. All instances share it.
///
/// The contents are sealed, and the keys are hashes: a copy of the store has no names and no tokens, and opens no session.
/// A call that takes longer than two seconds counts as failed. Dropping a future cancels the call. Renewals of tokens call it on
/// the thread `auth0-fetch`, which all logins of the process share: it must not block, and a pool of connections must work on
/// any runtime.
///
/// [`InMemorySessionStore`] keeps them in one process; `auth0-redis` has one for several. With the feature `testing`, `testing::check_session_store` checks a store of your own.
pub trait SessionStore: Send + Sync + fmt::Debug + 'static {
    /// Returns a session that has not ended.
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
    ) -> BoxFuture<'a, Result<Option<StoredSession>, SessionStoreError>>;

    /// Adds a session, and returns its version.
    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        session: NewSession<'a>,
    ) -> BoxFuture<'a, Result<u64, SessionStoreError>>;

    /// Replaces a session if it is there, and has this version: in one step, so that a session that has ended meanwhile does
    /// not come back.
    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        version: u64,
        content: &'a str,
        lasts: Duration,
    ) -> BoxFuture<'a, Result<Updated, SessionStoreError>>;

    /// Removes a session. It is no error if there is none.
    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), SessionStoreError>>;

    /// Removes the sessions that a logout token names, and returns how many.
    fn log_out<'a>(
        &'a self,
        target: &'a LogoutTarget,
    ) -> BoxFuture<'a, Result<u64, SessionStoreError>>;

    /// Locks a session for the renewal of its tokens, for this long at most. Returns a number that unlocks it, or `None` if
    /// it is locked.
    fn lock<'a>(
        &'a self,
        key: &'a SessionKey,
        lasts: Duration,
    ) -> BoxFuture<'a, Result<Option<u64>, SessionStoreError>>;

    /// Unlocks a session, if this lock has not ended.
    fn unlock<'a>(
        &'a self,
        key: &'a SessionKey,
        lock: u64,
    ) -> BoxFuture<'a, Result<(), SessionStoreError>>;

    /// Records the use of a logout token. Returns whether it is the first.
    fn use_once<'a>(
        &'a self,
        id: [u8; 32],
        lasts: Duration,
    ) -> BoxFuture<'a, Result<bool, SessionStoreError>>;
}

/// The name of a session in a store: a hash of what the browser has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// Creates a name, for tests of a store.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Returns the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// A session for a store to keep.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct NewSession<'a> {
    /// The sealed content: printable ASCII.
    pub content: &'a str,
    /// The hash of the user (`iss` and `sub`), for [`SessionStore::log_out`].
    pub user: [u8; 32],
    /// The hash of the session at the issuer (`iss` and `sid`), if the ID token names it.
    pub issuer_session: Option<[u8; 32]>,
    /// `iat` of the ID token.
    pub began_at: SystemTime,
    /// How long it lasts, unless it is updated.
    pub lasts: Duration,
    /// How long it lasts at most, however often it is updated.
    pub lasts_at_most: Duration,
}

/// A session of a store.
#[derive(Clone)]
#[non_exhaustive]
pub struct StoredSession {
    /// The content as it was given.
    pub content: String,
    /// Changes with each update.
    pub version: u64,
}

impl<'a> NewSession<'a> {
    /// Creates a session of a user, for tests of a store. Its fields can be changed.
    #[must_use]
    pub const fn new(
        content: &'a str,
        user: [u8; 32],
        began_at: SystemTime,
        lasts: Duration,
    ) -> Self {
        Self { content, user, issuer_session: None, began_at, lasts, lasts_at_most: lasts }
    }
}

impl StoredSession {
    /// Creates one, for stores.
    #[must_use]
    pub const fn new(content: String, version: u64) -> Self {
        Self { content, version }
    }
}

/// The result of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Updated {
    /// It has this version now.
    Done(u64),
    /// It has another version than the one that was expected.
    Stale,
    /// There is no such session: it has ended.
    Gone,
}

/// The sessions that a logout token ends.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogoutTarget {
    /// The session at the issuer with this hash of `iss` and `sid`.
    Session([u8; 32]),
    /// The sessions of the user with this hash of `iss` and `sub` that began up to this time.
    User {
        /// The hash.
        user: [u8; 32],
        /// The latest `iat` of the ID tokens of the sessions that end.
        until: SystemTime,
    },
}

impl fmt::Debug for LogoutTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session(…)",
            Self::User { .. } => "User(…)",
        })
    }
}

impl fmt::Debug for NewSession<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession").field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

impl fmt::Debug for StoredSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSession").field("version", &self.version).finish_non_exhaustive()
    }
}

/// A store has failed. The text is for the log.
#[derive(Clone, Debug)]
pub struct SessionStoreError(String);

impl SessionStoreError {
    /// Creates an error. The text goes to the log: it must have no secrets.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for SessionStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        auth0_core::support::EscapedMessage(&self.0).fmt(f)
    }
}

impl Error for SessionStoreError {}
