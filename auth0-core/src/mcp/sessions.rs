//! The sessions of an MCP server, each with the identity that created it.
use crate::{
    error::{Error, ErrorCode},
    request::{HeaderLines, HttpParts},
    token::VerifiedToken,
};
use aws_lc_rs::digest;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

const SESSION_ID: &str = "mcp-session-id";
const DEFAULT_CAPACITY: usize = 10_000;

/// The part of the sessions that one identity may have, so that it cannot end those of others.
const SHARE: usize = 10;

type Hash = [u8; digest::SHA256_OUTPUT_LEN];

/// Binds the sessions of an MCP server (`Mcp-Session-Id`) to the issuer, subject and client of the token that created
/// them: to another identity, a session does not exist. The adapters have a layer or middleware of it.
///
/// Only servers with sessions need it. The protocol of 2026-07-28 has none.
///
/// It remembers a bounded number of sessions; clones share them. When there are more, those that were not used for the
/// longest time are forgotten, and their clients have to start new ones, as after a restart. One identity may have a
/// tenth.
///
/// ```
/// use auth0_core::{ErrorCode, adapter::{Connection, HeaderLines, HttpParts}, mcp::McpSessions};
/// use auth0_testing::Tenant;
///
/// struct Sent(&'static str);
///
/// impl HttpParts for Sent {
///     fn method(&self) -> &str { "POST" }
///     fn path(&self) -> &str { "/mcp" }
///     fn scheme(&self) -> Option<&str> { None }
///     fn authority(&self) -> Option<&str> { None }
///     fn connection(&self) -> Connection { Connection::new() }
///     fn header(&self, name: &str) -> HeaderLines<'_> {
///         HeaderLines::of((name == "mcp-session-id").then_some(self.0.as_bytes()))
///     }
/// }
///
/// let tenant = Tenant::new();
/// let [ann, bob] = ["auth0|ann", "auth0|bob"].map(|name| tenant.token().subject(name).verified());
/// let sessions = McpSessions::new(100);
/// sessions.created(Some(&ann), b"4d1f");
/// assert!(sessions.check(Some(&ann), &Sent("4d1f")).is_ok());
/// let error = sessions.check(Some(&bob), &Sent("4d1f")).unwrap_err();
/// assert_eq!((error.code(), error.status()), (ErrorCode::McpSessionUnknown, 404));
/// ```
#[derive(Clone)]
pub struct McpSessions(Arc<Mutex<Sessions>>);

struct Sessions {
    capacity: usize,
    /// Counts uses, so that a number is older than every greater one.
    uses: u64,
    by_id: HashMap<Hash, Session>,
    by_last_use: BTreeMap<u64, Hash>,
    /// The last uses of the sessions of each owner.
    by_owner: HashMap<Hash, BTreeSet<u64>>,
}

#[derive(Clone, Copy)]
struct Session {
    owner: Hash,
    last_use: u64,
}

impl McpSessions {
    /// Creates a memory for at most this many sessions, at about 300 bytes each.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Mutex::new(Sessions {
            capacity: capacity.max(1),
            uses: 0,
            by_id: HashMap::new(),
            by_last_use: BTreeMap::new(),
            by_owner: HashMap::new(),
        })))
    }

    /// Returns the number of sessions that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Returns whether no session is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Checks the session that a request names, if it names one.
    ///
    /// # Errors
    /// `mcp_session_unknown` if this identity has not created it.
    pub fn check(
        &self,
        token: Option<&VerifiedToken>,
        request: &impl HttpParts,
    ) -> Result<(), Error> {
        let unknown = |cause| Err(Error::new(ErrorCode::McpSessionUnknown).because(cause));
        let id = match request.header(SESSION_ID) {
            HeaderLines::Absent => return Ok(()),
            HeaderLines::One(id) => id,
            HeaderLines::Several => return unknown("the request names several sessions"),
        };
        match self.lock().find(hash_of([id]), owner(token)) {
            Found::Own => Ok(()),
            Found::OfAnother => unknown("the session is of another subject, client or issuer"),
            Found::None => unknown("there is no such session"),
        }
    }

    /// Remembers the session that the server has created for a token.
    pub fn created(&self, token: Option<&VerifiedToken>, id: &[u8]) {
        self.lock().insert(hash_of([id]), owner(token));
    }

    /// Forgets a session that the client has ended.
    pub fn ended(&self, id: &[u8]) {
        self.lock().remove(&hash_of([id]));
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for McpSessions {
    /// Creates a memory for 10,000 sessions.
    fn default() -> Self {
        Self::new(DEFAULT_CAPACITY)
    }
}

impl fmt::Debug for McpSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpSessions").field("len", &self.len()).finish_non_exhaustive()
    }
}

enum Found {
    Own,
    OfAnother,
    None,
}

impl Sessions {
    fn find(&mut self, id: Hash, owner: Hash) -> Found {
        match self.by_id.get(&id) {
            None => Found::None,
            Some(session) if session.owner != owner => Found::OfAnother,
            Some(_) => {
                self.remove(&id);
                self.put(id, owner);
                Found::Own
            }
        }
    }

    /// A session that is there keeps its owner.
    fn insert(&mut self, id: Hash, owner: Hash) {
        if self.by_id.contains_key(&id) {
            return;
        }
        let share = (self.capacity / SHARE).max(1);
        let own = self.by_owner.get(&owner);
        let oldest_own = own.filter(|uses| uses.len() >= share).and_then(BTreeSet::first).copied();
        let is_full = self.by_id.len() >= self.capacity;
        let oldest = || self.by_last_use.first_key_value().map(|(use_, _)| *use_);
        let evicted = oldest_own.or_else(|| oldest().filter(|_| is_full));
        if let Some(id) = evicted.and_then(|use_| self.by_last_use.get(&use_)).copied() {
            self.remove(&id);
        }
        self.put(id, owner);
    }

    fn put(&mut self, id: Hash, owner: Hash) {
        self.uses += 1;
        let last_use = self.uses;
        self.by_id.insert(id, Session { owner, last_use });
        self.by_last_use.insert(last_use, id);
        self.by_owner.entry(owner).or_default().insert(last_use);
    }

    fn remove(&mut self, id: &Hash) {
        let Some(Session { owner, last_use }) = self.by_id.remove(id) else { return };
        self.by_last_use.remove(&last_use);
        if let Some(uses) = self.by_owner.get_mut(&owner) {
            uses.remove(&last_use);
            if uses.is_empty() {
                self.by_owner.remove(&owner);
            }
        }
    }
}

fn owner(token: Option<&VerifiedToken>) -> Hash {
    match token {
        None => hash_of([]),
        Some(token) => hash_of([
            token.issuer().as_bytes(),
            token.subject().as_bytes(),
            token.client_id().unwrap_or_default().as_bytes(),
        ]),
    }
}

fn hash_of<const N: usize>(texts: [&[u8]; N]) -> Hash {
    let mut state = digest::Context::new(&digest::SHA256);
    for text in texts {
        // The length separates the texts.
        state.update(&(text.len() as u64).to_be_bytes());
        state.update(text);
    }
    let mut hash = [0; digest::SHA256_OUTPUT_LEN];
    hash.copy_from_slice(state.finish().as_ref());
    hash
}
