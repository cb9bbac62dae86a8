#![doc = include_str!("../README.md")]

mod connection;
mod replay_store;

pub use replay_store::{OnUnreachable, RedisReplayStore};
