//! The keys of an issuer (RFC 7517) over time: their source, when they are fetched, which are served.
mod attempt;
mod bulkhead;
mod cache;
mod discovery;
mod fetch_error;
mod fetcher;
mod header_cache;
mod health;
mod key_set;
mod report;
mod residency;
mod schedule;
mod snapshot;
mod source;
mod state;
mod table;

pub(crate) use cache::KeyCache;
pub(crate) use fetcher::{Fetcher, WantedKey};
pub(crate) use header_cache::KnownHeader;
pub use health::Health;
pub(crate) use key_set::SignatureCheck;
pub(crate) use schedule::STALE;
pub(crate) use snapshot::Snapshot;
pub(crate) use source::{Discovered, KeySource};
pub(crate) use state::{Unavailable, abandoned};
pub(crate) use table::{KeyTable, Lease};
