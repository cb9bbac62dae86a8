//! The keys of an issuer (RFC 7517) over time: their source, when they are fetched, which are served.
mod attempt;
mod bulkhead;
mod cache;
mod current;
mod discovery;
mod fetch_error;
mod fetcher;
mod header_cache;
mod health;
mod key_set;
mod published;
mod quiet;
mod report;
mod residency;
mod schedule;
mod server_metadata;
mod snapshot;
mod source;
mod state;
mod table;

/// The atomics of the generation of the keys, listed here so that its model test can replace them.
mod sync {
    pub(super) use std::sync::atomic::{AtomicU64, Ordering};
}

pub(crate) use cache::KeyCache;
pub(crate) use fetcher::{Fetcher, WantedKey};
pub use health::Health;
pub(crate) use key_set::SignatureCheck;
pub(crate) use schedule::STALE;
pub use server_metadata::{MetadataError, ServerMetadata};
pub(crate) use snapshot::Snapshot;
pub(crate) use source::{Discovered, KeySource};
pub(crate) use state::{Newer, Unavailable, abandoned};
pub(crate) use table::{KeyTable, Lease};
