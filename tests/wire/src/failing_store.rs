//! A store of revocations that cannot be reached.
use auth0_axum::{
    auth0_core::BoxFuture,
    revocation::{Changes, RevocationEntry, RevocationStore, RevocationStoreError, UsedId},
};
use std::time::Duration;

/// A store of revocations that cannot be reached.
#[derive(Debug)]
pub struct FailingStore;

type StoreResult<'a, T> = BoxFuture<'a, Result<T, RevocationStoreError>>;

fn unreachable_store<'a, T: Send + 'a>() -> StoreResult<'a, T> {
    Box::pin(async { Err(RevocationStoreError::new("connection refused")) })
}

impl RevocationStore for FailingStore {
    fn append(&self, _: Vec<RevocationEntry>) -> StoreResult<'_, ()> {
        unreachable_store()
    }

    fn changes<'a>(&'a self, _: Option<&'a str>, _: Duration) -> StoreResult<'a, Changes> {
        unreachable_store()
    }

    fn use_once(&self, _: UsedId) -> StoreResult<'_, bool> {
        unreachable_store()
    }
}
