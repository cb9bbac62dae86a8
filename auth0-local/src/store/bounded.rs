use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A map with a limit. One entry too many removes the oldest one.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    entries: HashMap<K, (u64, V)>,
    /// The keys by the order of their insertion.
    order: BTreeMap<u64, K>,
    inserted: u64,
    limit: usize,
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), inserted: 0, limit }
    }

    /// Inserts an entry as the newest one. Returns the entry that was removed for it, if any.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.remove(&key);
        let evicted = match self.entries.len() < self.limit {
            true => None,
            false => self.order.pop_first().and_then(|(_, oldest)| self.entries.remove(&oldest)),
        };
        self.inserted += 1;
        self.order.insert(self.inserted, key.clone());
        self.entries.insert(key, (self.inserted, value));
        evicted.map(|(_, value)| value)
    }

    /// Returns whether one more entry removes the oldest one.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.limit
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// Returns the value of a key, which is inserted if it is not there.
    pub(super) fn get_or_insert_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        if !self.entries.contains_key(&key) {
            self.insert(key.clone(), V::default());
        }
        &mut self.entries.entry(key).or_default().1
    }

    /// Returns the values, the oldest first.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.order.values().filter_map(|key| self.get(key))
    }

    /// Returns the values to change, in no order.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut().map(|(_, value)| value)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let (number, value) = self.entries.remove(key)?;
        self.order.remove(&number);
        Some(value)
    }

    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&V) -> bool) {
        self.entries.retain(|_, (_, value)| keeps(value));
        let entries = &self.entries;
        self.order.retain(|_, key| entries.contains_key(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_goes_first() {
        let mut map = Bounded::new(2);
        assert_eq!(map.insert("a", 1), None);
        assert_eq!(map.insert("b", 2), None);
        assert_eq!(map.insert("a", 3), None, "the same key, and now the newest");
        assert_eq!(map.insert("c", 4), Some(2));
        assert_eq!((map.get(&"a"), map.get(&"b"), map.get(&"c")), (Some(&3), None, Some(&4)));
        assert_eq!(map.remove(&"a"), Some(3));
        assert_eq!(map.insert("d", 5), None);
        map.retain(|value| *value != 4);
        assert_eq!((map.get(&"c"), map.order.len(), map.entries.len()), (None, 1, 1));
    }
}
