//! What property tests have in common.
use proptest::prelude::ProptestConfig;
use tokio::runtime::{Builder, Runtime};

/// Runs this many cases, and writes no file about those that fail.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Returns a runtime of one thread, for tests that are not asynchronous themselves.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
