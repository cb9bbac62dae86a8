//! The generation of the current keys, read while another thread sets it, under every schedule.
#![allow(unreachable_pub, missing_docs, reason = "a model")]
use quiet::Quiet;
use shuttle::{sync::Arc, thread};
use std::sync::atomic::{AtomicUsize, Ordering};

#[path = "../src/keys/quiet.rs"]
mod quiet;

/// What it is built of, under shuttle's control.
mod sync {
    pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};
}

/// Keys of generation 1 until 10, then 2 until 20, then 3 until 30. A thread that looks at the time 5, 15 or 25 never
/// gets a generation whose time has ended, and none for times that no keys are good for.
#[test]
fn no_generation_outlives_its_time() {
    static ANSWERED: AtomicUsize = AtomicUsize::new(0);
    shuttle::check_dfs(
        || {
            let quiet = Arc::new(Quiet::new());
            let writer = {
                let quiet = Arc::clone(&quiet);
                thread::spawn(move || {
                    for generation in 1..=3 {
                        quiet.set(generation, 10 * generation);
                    }
                })
            };
            for now in [5, 15, 25] {
                if let Some(generation) = quiet.generation(now) {
                    ANSWERED.fetch_add(1, Ordering::Relaxed);
                    assert!(now < 10 * generation, "generation {generation} at {now}");
                }
            }
            assert_eq!(quiet.generation(30), None);
            assert!(writer.join().is_ok());
            assert_eq!(quiet.generation(29), Some(3));
        },
        None,
    );
    assert!(ANSWERED.load(Ordering::Relaxed) > 100);
}
