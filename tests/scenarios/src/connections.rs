//! Connections that wait for the end of their token: memory, threads, and the end of all in one tick.
use auth0_core::{Auth0, VerifiedToken};
use auth0_testing::Tenant;
use std::{
    error::Error,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const LIFE: Duration = Duration::from_secs(3600);

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a connection awaits.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Awaited {
    Token,
    Lease,
}

/// Measures one of the two, because what a process has freed hides what it allocates next.
pub(crate) async fn run(awaited: Awaited, count: u64) -> Result<bool, Box<dyn Error>> {
    println!("| waits for the end | bytes each | threads | all end in |");
    println!("|---|---:|---:|---:|");
    match awaited {
        Awaited::Token => row("`token.ended()`", count, |_, token| Box::pin(token.ended())).await,
        Awaited::Lease => {
            let waiting = |auth: &Auth0, token: &VerifiedToken| -> Waiting {
                let lease = auth.lease(token);
                Box::pin(async move { lease.ended().await })
            };
            row("`lease.ended()`", count, waiting).await
        }
    }
}

/// Starts tasks that wait, ends all their tokens at once, and prints a row. Returns whether all have ended.
async fn row(
    name: &str,
    count: u64,
    waiting: impl Fn(&Auth0, &VerifiedToken) -> Waiting,
) -> Result<bool, Box<dyn Error>> {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = auth.verify(&tenant.token().expires_in(LIFE).mint()).await?;
    // The first task starts the thread, and allocates what there is one of.
    tokio::spawn(waiting(&auth, &token));
    let (began, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let idle = |began: Arc<AtomicU64>, ended: Arc<AtomicU64>, waiting: Option<Waiting>| async move {
        began.fetch_add(1, Ordering::Relaxed);
        match waiting {
            Some(waiting) => waiting.await,
            None => std::future::pending().await,
        }
        ended.fetch_add(1, Ordering::Relaxed);
    };
    let (threads, empty) = (threads()?, resident_bytes()?);
    // What the tasks themselves need.
    for _ in 0..count {
        tokio::spawn(idle(Arc::clone(&began), Arc::clone(&ended), None));
    }
    until(|| began.load(Ordering::Relaxed) == count).await;
    let tasks = resident_bytes()?;
    for _ in 0..count {
        let waiting = waiting(&auth, &token);
        tokio::spawn(idle(Arc::clone(&began), Arc::clone(&ended), Some(waiting)));
    }
    until(|| began.load(Ordering::Relaxed) == 2 * count).await;
    // The timers are created on the thread.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let all = resident_bytes()?;
    let more_threads = self::threads()? - threads;
    let each = (all - tasks).saturating_sub(tasks - empty) / count;
    let start = Instant::now();
    tenant.clock().advance(2 * LIFE);
    until(|| ended.load(Ordering::Relaxed) == count).await;
    println!("| {name} | {each} | {more_threads} more | {} ms |", start.elapsed().as_millis());
    Ok(ended.load(Ordering::Relaxed) == count && more_threads == 0)
}

/// Waits, at most ten seconds.
async fn until(is_so: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn threads() -> Result<u64, Box<dyn Error>> {
    Ok(std::fs::read_dir("/proc/self/task")?.count() as u64)
}

pub(crate) fn resident_bytes() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kibibytes * 1024)
}
