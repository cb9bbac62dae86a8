//! Ids that may be used once, in the memory of this process.
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Ids of a few minutes. More come only from an issuer that sends hundreds of logout tokens in a second.
const CAPACITY: usize = 100_000;

/// The ids, with their ends on the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct UsedIds(Mutex<HashMap<[u8; 32], Duration>>);

impl UsedIds {
    /// Remembers an id. Returns whether it was unknown, and `None` without room.
    pub(super) fn insert(&self, id: [u8; 32], now: Duration, lifetime: Duration) -> Option<bool> {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.get(&id).is_some_and(|end| now < *end) {
            return Some(false);
        }
        if ids.len() >= CAPACITY {
            ids.retain(|_, end| now < *end);
        }
        (ids.len() < CAPACITY).then(|| {
            ids.insert(id, now.saturating_add(lifetime));
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_used_once_within_its_life() {
        let (used, minute) = (UsedIds::default(), Duration::from_secs(60));
        assert_eq!(used.insert([1; 32], Duration::ZERO, minute), Some(true));
        assert_eq!(used.insert([1; 32], Duration::from_secs(59), minute), Some(false));
        assert_eq!(used.insert([2; 32], Duration::ZERO, minute), Some(true));
        assert_eq!(used.insert([1; 32], minute, minute), Some(true));
    }

    #[test]
    fn it_is_bounded() {
        let (used, minute) = (UsedIds::default(), Duration::from_secs(60));
        let id = |number: usize| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&number.to_le_bytes());
            id
        };
        for number in 0..CAPACITY {
            assert_eq!(used.insert(id(number), Duration::ZERO, minute), Some(true));
        }
        assert_eq!(used.insert(id(CAPACITY), Duration::ZERO, minute), None);
        assert_eq!(used.insert(id(0), Duration::ZERO, minute), Some(false));
        assert_eq!(
            used.insert(id(CAPACITY), minute, minute),
            Some(true),
            "the others have expired"
        );
    }
}
