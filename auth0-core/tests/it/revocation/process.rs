//! A process that is stopped, as function platforms do it.
use super::code;
use crate::common::{SECOND, block_on, test_in_a_process};
use auth0_core::{
    BoxFuture, Revocations,
    revocation::{Changes, RevocationEntry, RevocationStore, RevocationStoreError, UsedId},
    support::SystemClock,
};
use auth0_testing::Tenant;
use std::{
    env,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const IS_CHILD: &str = "TEST_STOPPED_WITH_REVOCATIONS";

/// A store whose connection is lost while the process is stopped.
#[derive(Debug)]
struct LosesConnection;

impl RevocationStore for LosesConnection {
    fn append(&self, _: Vec<RevocationEntry>) -> BoxFuture<'_, Result<(), RevocationStoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn changes<'a>(
        &'a self,
        _: Option<&'a str>,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Changes, RevocationStoreError>> {
        Box::pin(async move {
            let began = Instant::now();
            tokio::time::sleep(wait).await;
            match began.elapsed() < 2 * SECOND {
                true => Ok(Changes::new(Vec::new(), "1")),
                false => Err(RevocationStoreError::new("connection reset")),
            }
        })
    }

    fn use_once(&self, _: UsedId) -> BoxFuture<'_, Result<bool, RevocationStoreError>> {
        Box::pin(async { Ok(true) })
    }
}

/// The seconds are real: the process has no other clock.
#[test]
fn a_process_that_was_stopped_does_not_blame_the_store() {
    let mut child = test_in_a_process(module_path!(), "the_process_that_is_stopped")
        .env(IS_CHILD, "yes")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("ready")));
    let signal = |name: &str| {
        let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
        assert!(status.success());
    };
    signal("-STOP");
    thread::sleep(4 * SECOND);
    signal("-CONT");
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_process_that_is_stopped() {
    if env::var(IS_CHILD).is_err() {
        return;
    }
    let tenant = Tenant::new();
    let revocations = Revocations::with_store(LosesConnection);
    // That of the tenant stands still.
    let builder = tenant.builder().revocations(&revocations).clock(SystemClock::new());
    let auth = builder.build().unwrap();
    let token = tenant.token().claim("iat", 1).claim("exp", 4_000_000_000_u64).mint();
    assert!(block_on(code(&auth, &token)).is_ok());
    // Each reading is compared with the one before, and the first is before the signal, so that no stop is missed.
    let mut last = Instant::now();
    println!("ready");
    loop {
        let now = Instant::now();
        if now.duration_since(last) >= 2 * SECOND {
            break;
        }
        last = now;
        thread::yield_now();
    }
    assert_eq!(block_on(code(&auth, &token)).err(), None);
}
