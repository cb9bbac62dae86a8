//! Everything at once: full speed, rotation every two seconds, the issuer failing half of the time.
//! No valid token may be refused while its key is published.
use crate::{
    api::Framework,
    load::{client, status},
};
use auth0_core::{Algorithm, Auth0};
use auth0_local::LocalTenant;
use auth0_testing::{Document, SigningKey};
use std::{
    error::Error,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The number of concurrent requests.
const LANES: usize = 8;
const ROTATION: Duration = Duration::from_secs(2);
/// The number of keys in rotation. One stays published while the next two sign.
const KEYS: usize = 12;

#[derive(Default)]
struct Counts {
    accepted: AtomicU64,
    refused: AtomicU64,
    unavailable: AtomicU64,
    other: AtomicU64,
}

pub async fn run(seconds: u64) -> Result<bool, Box<dyn Error>> {
    let mut passed = true;
    println!(
        "| | accepted | 401 | 503 | other | memory after 10 s | memory at the end | tasks at the end |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for framework in Framework::ALL {
        passed &= soak(framework, Duration::from_secs(seconds)).await?;
    }
    Ok(passed)
}

async fn soak(framework: Framework, time: Duration) -> Result<bool, Box<dyn Error>> {
    let tenant = LocalTenant::start().await?;
    let auth = Auth0::builder().issuer(tenant.issuer()).audience(tenant.audience()).build()?;
    auth.warm_up().await?;
    let url = framework.serve(auth)?;
    let fault = "500@0.5".parse()?;
    for document in [Document::Metadata, Document::KeySet] {
        tenant.set_fault(document, fault);
    }
    let keys: Vec<SigningKey> =
        (0..KEYS).map(|_| SigningKey::generate(Algorithm::RS256)).collect::<Result<_, _>>()?;
    let token = Arc::new(RwLock::new(tenant.token().mint()));
    let counts = Arc::new(Counts::default());
    let stop = Arc::new(AtomicBool::new(false));
    let tasks_before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let lanes: Vec<_> = (0..LANES)
        .map(|_| {
            let (token, counts, stop) =
                (Arc::clone(&token), Arc::clone(&counts), Arc::clone(&stop));
            let url = url.clone();
            tokio::spawn(async move { lane(&url, &token, &counts, &stop).await })
        })
        .collect();

    let began = Instant::now();
    let mut memory_early = None;
    let mut turn = 0;
    while began.elapsed() < time {
        tokio::time::sleep(ROTATION).await;
        tenant.rotate_to(keys[turn % KEYS].clone());
        turn += 1;
        // A key is withdrawn long after its last token was sent.
        if turn > 4 {
            tenant.withdraw_key(keys[(turn + KEYS - 4) % KEYS].id()).ok();
        }
        *token.write().map_err(|_| "a lane panicked")? = tenant.token().mint();
        if memory_early.is_none() && began.elapsed() > Duration::from_secs(10) {
            memory_early = Some(resident_kib());
        }
    }
    stop.store(true, Ordering::Relaxed);
    for lane in lanes {
        lane.await??;
    }
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    // Connections that the clients have closed take a moment to end.
    for _ in 0..50 {
        if alive() > tasks_before {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let tasks = alive();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "| {} | {} | {} | {} | {} | {} KiB | {} KiB | {tasks_before} → {tasks} |",
        framework.name(),
        count(&counts.accepted),
        count(&counts.refused),
        count(&counts.unavailable),
        count(&counts.other),
        memory_early.unwrap_or_default(),
        resident_kib(),
    );
    Ok(count(&counts.refused) == 0 && count(&counts.other) == 0 && tasks <= tasks_before)
}

async fn lane(
    url: &str,
    token: &RwLock<String>,
    counts: &Counts,
    stop: &AtomicBool,
) -> Result<(), reqwest::Error> {
    let client = client()?;
    while !stop.load(Ordering::Relaxed) {
        let current = token.read().map(|token| token.clone()).unwrap_or_default();
        let counter = match status(&client, url, &current).await {
            200 => &counts.accepted,
            401 => &counts.refused,
            503 => &counts.unavailable,
            _ => &counts.other,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Returns the resident memory of this process in KiB, or 0 where the system does not report it.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or_default()
}
