#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The rooms are in floors: a room imports only rooms that stand before it in `tests/floors`.
mod backoff;
mod connection;
mod credential;
mod effect;
mod event;
mod handler;
mod leadership;
mod metrics;
mod position;
mod secret;
mod sse;
mod store;
mod subscriber;
mod timestamp;

pub use event::Event;
pub use store::{EventStore, EventStoreError, InMemoryEventStore};
pub use subscriber::{EventSubscriber, EventSubscriberBuilder};
