//! What tests of an application need. A development dependency has this feature, and a release has not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails")]
use crate::store::{LogoutTarget, NewSession, SessionKey, SessionStore, Updated};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: Duration = Duration::from_secs(86_400);

/// Checks what every store must do, on a store that has no sessions yet: for the tests of your own. It waits a millisecond for
/// the end of a lock, by the clock of the store.
///
/// ```
/// use auth0_login::{InMemorySessionStore, testing::check_session_store};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let store = InMemorySessionStore::new();
/// check_session_store(&store).await;
/// assert_eq!(store.count(), 2, "it is for an empty store of its own");
/// # })
/// ```
///
/// # Panics
/// The store does not do it, or fails.
pub async fn check_session_store(store: &dyn SessionStore) {
    assert!(!has(store, 1).await);
    let version = store.create(&key(1), session(1, Some(1), 100)).await.unwrap();
    let loaded = store.load(&key(1)).await.unwrap().unwrap();
    assert_eq!((loaded.content.as_str(), loaded.version), ("content", version));

    let Updated::Done(newer) = store.update(&key(1), version, "newer", DAY).await.unwrap() else {
        panic!("it has this version")
    };
    assert_ne!(newer, version);
    assert_eq!(store.update(&key(1), version, "older", DAY).await.unwrap(), Updated::Stale);
    assert_eq!(store.load(&key(1)).await.unwrap().unwrap().content, "newer");
    store.delete(&key(1)).await.unwrap();
    store.delete(&key(1)).await.unwrap();
    assert_eq!(store.update(&key(1), newer, "revived", DAY).await.unwrap(), Updated::Gone);
    assert!(!has(store, 1).await, "it does not come back");

    // One session of the issuer, which may be several here.
    store.create(&key(2), session(1, Some(1), 100)).await.unwrap();
    store.create(&key(3), session(1, Some(1), 200)).await.unwrap();
    store.create(&key(4), session(1, Some(2), 300)).await.unwrap();
    store.create(&key(5), session(2, Some(3), 100)).await.unwrap();
    assert_eq!(store.log_out(&LogoutTarget::Session([1; 32])).await.unwrap(), 2);
    assert_eq!(store.log_out(&LogoutTarget::Session([9; 32])).await.unwrap(), 0);
    assert!(!has(store, 2).await && !has(store, 3).await && has(store, 4).await);
    // All of a user that began up to a time.
    store.create(&key(6), session(1, None, 299)).await.unwrap();
    store.create(&key(7), session(1, None, 301)).await.unwrap();
    let until = at(300);
    assert_eq!(store.log_out(&LogoutTarget::User { user: [1; 32], until }).await.unwrap(), 2);
    assert!(!has(store, 4).await && !has(store, 6).await);
    assert!(has(store, 7).await && has(store, 5).await);

    // One lock at a time; an old number unlocks nothing.
    let first = store.lock(&key(7), DAY).await.unwrap().unwrap();
    assert_eq!(store.lock(&key(7), DAY).await.unwrap(), None);
    store.unlock(&key(7), first).await.unwrap();
    let second = store.lock(&key(7), DAY).await.unwrap().unwrap();
    store.unlock(&key(7), first).await.unwrap();
    assert_eq!(store.lock(&key(7), DAY).await.unwrap(), None);
    store.unlock(&key(7), second).await.unwrap();
    assert!(store.lock(&key(7), Duration::from_millis(1)).await.unwrap().is_some());
    assert_eq!(store.lock(&key(8), DAY).await.unwrap(), None, "there is no such session");
    // A lock is not a change.
    let loaded = store.load(&key(7)).await.unwrap().unwrap();
    assert!(matches!(
        store.update(&key(7), loaded.version, "after", DAY).await.unwrap(),
        Updated::Done(_)
    ));

    assert!(store.use_once([1; 32], DAY).await.unwrap());
    assert!(!store.use_once([1; 32], DAY).await.unwrap());
    assert!(store.use_once([2; 32], DAY).await.unwrap());
}

fn key(number: u8) -> SessionKey {
    SessionKey::new([number; 32])
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn session(user: u8, sid: Option<u8>, began_at: u64) -> NewSession<'static> {
    let mut session = NewSession::new("content", [user; 32], at(began_at), DAY);
    session.issuer_session = sid.map(|sid| [sid; 32]);
    session
}

async fn has(store: &dyn SessionStore, number: u8) -> bool {
    store.load(&key(number)).await.unwrap().is_some()
}
