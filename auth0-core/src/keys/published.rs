//! Keys that an issuer does not publish any more.
use super::cache::KeyCache;
use crate::token::{PublishedKeys, SigningKey};
use std::sync::Arc;
use tokio::sync::Notify;

impl PublishedKeys for KeyCache {
    fn lack(&self, signing: &SigningKey) -> bool {
        let SigningKey { key, algorithm } = signing;
        let current = self.current.load();
        current.as_ref().is_some_and(|current| !current.keys.still_has(key, *algorithm))
    }

    fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }
}
