//! The log of events, its readers and their faults.
use super::{
    Next, Start, Subscription,
    faults::EventFaults,
    log::{Event, EventLog},
    offsets::Offsets,
};
use crate::error::LocalError;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// The longest type of an event.
const MAX_TYPE: usize = 100;

/// The largest object of an event, as JSON.
const MAX_OBJECT_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct EventHub {
    state: Mutex<State>,
    /// Tells readers that something has changed.
    changed: watch::Sender<()>,
    offsets: Offsets,
}

#[derive(Debug, Default)]
struct State {
    log: EventLog,
    faults: EventFaults,
    /// The event that waits for the next one, before which it is not sent.
    held: Option<Event>,
    connections: usize,
    /// How often all connections were closed.
    closed: u64,
}

/// The limit of connections is reached.
#[derive(Debug)]
pub(crate) struct TooMany;

impl EventHub {
    pub(crate) fn new() -> Result<Self, LocalError> {
        let (changed, _) = watch::channel(());
        Ok(Self { state: Mutex::default(), changed, offsets: Offsets::new()? })
    }

    /// Checks the type and the object of an event, which become a message of lines.
    pub(crate) fn check(kind: &str, object: &Value) -> Result<(), LocalError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_type = (1..=MAX_TYPE).contains(&kind.len()) && kind.bytes().all(is_plain);
        if !is_type || ["error", "offset-only"].contains(&kind) {
            return Err(LocalError::new(format!(
                "{kind:?} is not the type of an event. Write one such as user.updated"
            )));
        }
        if !object.is_object() || object.to_string().len() > MAX_OBJECT_BYTES {
            return Err(LocalError::new(
                "the object of an event must be an object of at most 16 KiB in JSON. Write one such as \
                 {\"user_id\":\"auth0|ann\"}",
            ));
        }
        Ok(())
    }

    /// Adds an event, which [`check`](Self::check) accepts.
    pub(crate) fn append(&self, kind: &str, time: Duration, json: Value) {
        let event = Event { kind: kind.to_owned(), time, json };
        self.change(|state| {
            if state.faults.swap && state.held.is_none() {
                state.held = Some(event);
                return;
            }
            state.faults.swap = false;
            state.append(event);
            state.release();
        });
    }

    /// Closes all connections.
    pub(crate) fn disconnect(&self) {
        self.change(|state| state.closed += 1);
    }

    /// Lets all offsets that exist expire.
    pub(crate) fn expire_offsets(&self) {
        self.change(|state| state.log.expire());
    }

    /// Changes the faults. An event that waits for the next one is sent when they are not swapped any more.
    pub(crate) fn change_faults(&self, change: impl FnOnce(&mut EventFaults)) {
        self.change(|state| {
            change(&mut state.faults);
            if !state.faults.swap {
                state.release();
            }
        });
    }

    pub(crate) fn faults(&self) -> EventFaults {
        self.state().faults.clone()
    }

    /// Returns the number of open connections.
    pub(crate) fn connections(&self) -> usize {
        self.state().connections
    }

    /// Returns the offset of the newest event.
    pub(crate) fn last_offset(&self) -> String {
        self.offsets.write(self.state().log.last())
    }

    /// Returns what tells that something has changed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Begins to read. One whose offset is unknown or has expired receives an error.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        start: &Start,
        kinds: Vec<String>,
        limit: usize,
    ) -> Result<Subscription, TooMany> {
        let mut state = self.state();
        if state.connections >= limit {
            return Err(TooMany);
        }
        let log = &state.log;
        let (position, error) = match start {
            Start::Latest => (log.last(), None),
            Start::Time(time) => (log.position_at(*time), None),
            Start::Offset(text) => match self.offsets.read(text) {
                Some(position) if log.is_valid(position) => (position, None),
                Some(_) => (log.last(), Some(expired())),
                None => (log.last(), Some(error("invalid_cursor", "The offset is unknown."))),
            },
        };
        let closed = state.closed;
        state.connections += 1;
        drop(state);
        Ok(Subscription { hub: Arc::clone(self), position, kinds, closed, error })
    }

    /// Returns what a reader receives next.
    pub(crate) fn next(&self, reader: &mut Subscription) -> Next {
        let state = self.state();
        if state.closed != reader.closed {
            return Next::End(None);
        }
        if state.faults.silent {
            return Next::Nothing;
        }
        if let Some(error) = reader.error.take() {
            return Next::End(Some(error));
        }
        if state.log.is_lost(reader.position) {
            return Next::End(Some(expired()));
        }
        while let Some(entry) = state.log.after(reader.position) {
            reader.position = entry.position;
            if reader.reads(&entry.event.kind) {
                let offset = self.offsets.write(entry.position);
                let data = json!({ "offset": offset, "event": entry.event.json });
                return Next::Message(format!(
                    "event: {}\nid: {offset}\ndata: {data}\n\n",
                    entry.event.kind
                ));
            }
        }
        reader.position = state.log.last();
        Next::Nothing
    }

    /// Returns what a reader receives at intervals, with the offset that it has reached.
    pub(crate) fn heartbeat(&self, reader: &Subscription) -> Option<String> {
        if self.state().faults.silent {
            return None;
        }
        let offset = self.offsets.write(reader.position);
        let data = json!({ "offset": offset });
        Some(format!("event: offset-only\nid: {offset}\ndata: {data}\n\n: heartbeat\n\n"))
    }

    pub(super) fn leave(&self) {
        self.change(|state| state.connections -= 1);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.send_replace(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds the event that waits for another one.
    fn release(&mut self) {
        if let Some(held) = self.held.take() {
            self.append(held);
        }
    }

    fn append(&mut self, event: Event) {
        if self.faults.duplicate > 0 {
            self.faults.duplicate -= 1;
            self.log.append(event.clone());
        }
        self.log.append(event);
    }
}

fn expired() -> String {
    error("cursor_expired", "The offset has expired. Begin without it.")
}

/// Returns the message that ends a stream.
fn error(code: &str, message: &str) -> String {
    format!("event: error\ndata: {}\n\n", json!({ "error": { "code": code, "message": message } }))
}
