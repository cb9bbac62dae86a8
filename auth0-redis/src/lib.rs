#![doc = include_str!("../README.md")]

mod address;
mod connection;
mod once;
mod replay_store;
mod revocation_log;
mod revocation_store;

pub use replay_store::{OnUnreachable, RedisReplayStore};
pub use revocation_store::RedisRevocationStore;
