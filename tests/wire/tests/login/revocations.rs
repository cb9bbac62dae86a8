//! A store of revocations that a test lets fail.
use auth0_axum::{
    auth0_core::BoxFuture,
    revocation::{Changes, RevocationEntry, RevocationStore, RevocationStoreError, UsedId},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A store of revocations that fails for a while.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fails(pub(crate) Arc<AtomicBool>);

impl Fails {
    fn answer<'a, T: Send + 'a>(&self, ok: T) -> BoxFuture<'a, Result<T, RevocationStoreError>> {
        let fails = self.0.load(Ordering::SeqCst);
        let error = || RevocationStoreError::new("connection refused");
        Box::pin(async move { if fails { Err(error()) } else { Ok(ok) } })
    }
}

impl RevocationStore for Fails {
    fn append(&self, _: Vec<RevocationEntry>) -> BoxFuture<'_, Result<(), RevocationStoreError>> {
        self.answer(())
    }

    fn changes<'a>(
        &'a self,
        _: Option<&'a str>,
        _: Duration,
    ) -> BoxFuture<'a, Result<Changes, RevocationStoreError>> {
        self.answer(Changes::new(Vec::new(), "0"))
    }

    fn use_once(&self, _: UsedId) -> BoxFuture<'_, Result<bool, RevocationStoreError>> {
        self.answer(true)
    }
}

/// A store of revocations that keeps what it was given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keeps(pub(crate) Arc<Mutex<Vec<RevocationEntry>>>);

impl RevocationStore for Keeps {
    fn append(
        &self,
        entries: Vec<RevocationEntry>,
    ) -> BoxFuture<'_, Result<(), RevocationStoreError>> {
        self.0.lock().unwrap().extend(entries);
        Box::pin(async { Ok(()) })
    }

    fn changes<'a>(
        &'a self,
        _: Option<&'a str>,
        _: Duration,
    ) -> BoxFuture<'a, Result<Changes, RevocationStoreError>> {
        let entries = self.0.lock().unwrap().clone();
        Box::pin(async { Ok(Changes::new(entries, "0")) })
    }

    fn use_once(&self, _: UsedId) -> BoxFuture<'_, Result<bool, RevocationStoreError>> {
        Box::pin(async { Ok(true) })
    }
}
