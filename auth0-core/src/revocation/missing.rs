//! What the store of revocations lacks, and this instance knows.
use super::{entry::RevocationEntry, key::RevocationKey, table::Table};
use std::collections::{HashMap, HashSet};

/// How many revocations are written back at once.
const WRITTEN_BACK_AT_ONCE: usize = 1000;

#[derive(Default)]
pub(super) struct Missing {
    /// What is not in the store yet. As bounded as the table, which has the same.
    unsent: HashMap<RevocationKey, Unsent>,
    /// What the store has lost, and was not read from it since: only the keys, because the table has the rest.
    lost: HashSet<RevocationKey>,
}

/// A revocation that is being added to the store, or could not be added.
struct Unsent {
    entry: RevocationEntry,
    /// How many callers are adding it now.
    attempts: usize,
}

impl Missing {
    /// Notes that a caller is adding an entry.
    pub(super) fn begin(&mut self, entry: RevocationEntry) {
        self.note(entry).attempts += 1;
    }

    /// Notes that a caller is not adding an entry any more.
    pub(super) fn end(&mut self, key: RevocationKey) {
        if let Some(unsent) = self.unsent.get_mut(&key) {
            unsent.attempts = unsent.attempts.saturating_sub(1);
        }
    }

    /// Notes what is to be added later.
    pub(super) fn add(&mut self, entries: Vec<RevocationEntry>) {
        for entry in entries {
            self.note(entry);
        }
    }

    fn note(&mut self, entry: RevocationEntry) -> &mut Unsent {
        let unsent = self.unsent.entry(entry.key).or_insert(Unsent { entry, attempts: 0 });
        let known = &mut unsent.entry;
        known.revoked_at = known.revoked_at.max(entry.revoked_at);
        known.expires_at = known.expires_at.max(entry.expires_at);
        unsent
    }

    /// Notes that the store has lost all.
    pub(super) fn lose(&mut self, known: HashSet<RevocationKey>) {
        self.lost = known;
    }

    /// Notes that the store has these entries, before they are inserted into the table.
    pub(super) fn found(&mut self, entries: &[RevocationEntry], table: &Table) {
        if self.lost.is_empty() {
            return;
        }
        for found in entries {
            let is_known = table.get(found.key).is_none_or(|known| {
                found.revoked_at >= known.revoked_at && found.expires_at >= known.expires_at
            });
            if is_known {
                self.lost.remove(&found.key);
            }
        }
    }

    pub(super) fn is_unsent(&self, key: RevocationKey) -> bool {
        self.unsent.contains_key(&key)
    }

    /// Returns what to write back now: what no caller is adding, and what was lost.
    pub(super) fn batch(&mut self, table: &Table) -> Vec<RevocationEntry> {
        let given_up = self.unsent.values().filter(|unsent| unsent.attempts == 0);
        let mut batch: Vec<_> =
            given_up.map(|unsent| unsent.entry).take(WRITTEN_BACK_AT_ONCE).collect();
        let mut is_over = Vec::new();
        for key in self.lost.iter().take(WRITTEN_BACK_AT_ONCE - batch.len()) {
            match table.get(*key) {
                Some(entry) => batch.push(entry),
                None => is_over.push(*key),
            }
        }
        for key in is_over {
            self.lost.remove(&key);
        }
        batch
    }

    /// Notes that the store has these entries now.
    pub(super) fn sent(&mut self, entries: &[RevocationEntry]) {
        for entry in entries {
            // A later revocation of the same may have been added meanwhile.
            if self.unsent.get(&entry.key).is_some_and(|unsent| unsent.entry == *entry) {
                self.unsent.remove(&entry.key);
            }
            self.lost.remove(&entry.key);
        }
        if self.lost.is_empty() {
            self.lost = HashSet::new(); // its memory
        }
    }
}
