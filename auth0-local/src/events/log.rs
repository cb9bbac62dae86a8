use serde_json::Value;
use std::{collections::VecDeque, time::Duration};

/// The most events that are kept. The offset before an older one has expired.
const MAX_EVENTS: usize = 10_000;

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) kind: String,
    pub(super) time: Duration,
    /// As the specification `CloudEvents` describes it.
    pub(super) json: Value,
}

/// An event at its position.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) position: u64,
    pub(super) event: Event,
}

/// The newest events. A position is that of the last event which a reader has received.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    entries: VecDeque<Entry>,
    last: u64,
    /// The first position at which a reader can continue.
    first_valid: u64,
    /// The last position whose event is not kept any more.
    removed: u64,
}

impl EventLog {
    pub(super) fn append(&mut self, event: Event) {
        if self.entries.len() >= MAX_EVENTS
            && let Some(oldest) = self.entries.pop_front()
        {
            self.removed = oldest.position;
            self.first_valid = self.first_valid.max(oldest.position);
        }
        self.last += 1;
        self.entries.push_back(Entry { position: self.last, event });
    }

    /// Lets all offsets that exist expire. Those who are reading continue.
    pub(super) fn expire(&mut self) {
        self.last += 1;
        self.first_valid = self.last;
    }

    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// Returns whether a reader can continue at a position of this log.
    pub(super) const fn is_valid(&self, position: u64) -> bool {
        self.first_valid <= position && position <= self.last
    }

    /// Returns whether an event after a position was removed before it was read.
    pub(super) const fn is_lost(&self, position: u64) -> bool {
        position < self.removed
    }

    /// Returns the position before the first event of a time or later.
    pub(super) fn position_at(&self, time: Duration) -> u64 {
        let first = self.entries.iter().find(|entry| entry.event.time >= time);
        let before = first.map_or(self.last, |entry| entry.position - 1);
        before.max(self.first_valid)
    }

    /// Returns the first event after a position.
    pub(super) fn after(&self, position: u64) -> Option<&Entry> {
        let index = self.entries.partition_point(|entry| entry.position <= position);
        self.entries.get(index)
    }
}
