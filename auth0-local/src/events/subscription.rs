use super::hub::EventHub;
use std::{sync::Arc, time::Duration};

/// Where a reader begins.
#[derive(Clone, Debug)]
pub(crate) enum Start {
    Latest,
    /// After this offset.
    Offset(String),
    /// At this time.
    Time(Duration),
}

/// What a reader receives next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Message(String),
    /// The connection ends, with this message.
    End(Option<String>),
    /// Nothing, until something changes.
    Nothing,
}

/// A reader. It counts as a connection until it is dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(super) hub: Arc<EventHub>,
    pub(super) position: u64,
    /// The types of events that are read. Without any, all are.
    pub(super) kinds: Vec<String>,
    /// How often connections had been closed before.
    pub(super) closed: u64,
    /// The error that ends it at once.
    pub(super) error: Option<String>,
}

impl Subscription {
    pub(super) fn reads(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|own| own == kind)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.leave();
    }
}
