#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod connection;
#[cfg(feature = "events")]
mod event_store;
mod once;
mod replay_store;
mod revocation_log;
mod revocation_store;
#[cfg(feature = "login")]
mod session_store;

#[cfg(feature = "events")]
pub use event_store::RedisEventStore;
pub use replay_store::{OnUnreachable, RedisReplayStore};
pub use revocation_store::RedisRevocationStore;
#[cfg(feature = "login")]
pub use session_store::RedisSessionStore;
