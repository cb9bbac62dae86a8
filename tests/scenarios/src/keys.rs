//! The table of docs/keys-and-caching.md.
use crate::{
    api::Framework,
    load::{client, status, with_made_up_key},
};
use auth0_core::Auth0;
use auth0_local::{Fault, LocalTenant};
use auth0_testing::Document;
use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One row.
struct Measured {
    framework: Framework,
    cold_fetches: u64,
    flood_fetches: u64,
    rotation: Option<Duration>,
    rotation_after_made_up: Option<Duration>,
    rotation_in_flood: Option<Duration>,
    dead_fetches: u64,
    back: Option<Duration>,
}

pub async fn run() -> Result<bool> {
    let mut rows = Vec::new();
    for framework in Framework::ALL {
        eprintln!("{} …", framework.name());
        let (flood_fetches, rotation_in_flood) = flood(framework).await?;
        let (dead_fetches, back) = dead_issuer(framework).await?;
        rows.push(Measured {
            framework,
            cold_fetches: cold(framework).await?,
            flood_fetches,
            rotation: rotation(framework, 0).await?,
            rotation_after_made_up: rotation(framework, 1).await?,
            rotation_in_flood,
            dead_fetches,
            back,
        });
    }
    println!(
        "| | cold: JWKS fetches | random kids: fetches | new key accepted after | the same, after a made-up kid | the same, during the flood | dead issuer: fetches | back after |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let bounds = "| bound | 1 | ≤ 3 | ≤ 0.3 s | ≤ 0.3 s | ≤ 5.0 s | ≤ 12 | ≤ 2.0 s |";
    println!("{bounds}");
    for row in &rows {
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            row.framework.name(),
            row.cold_fetches,
            row.flood_fetches,
            seconds(row.rotation),
            seconds(row.rotation_after_made_up),
            seconds(row.rotation_in_flood),
            row.dead_fetches,
            seconds(row.back),
        );
    }
    Ok(rows.iter().all(Measured::is_within_bounds))
}

impl Measured {
    fn is_within_bounds(&self) -> bool {
        let within = |time: Option<Duration>, bound: f64| {
            time.is_some_and(|time| (time.as_secs_f64() * 10.0).round() / 10.0 <= bound)
        };
        self.cold_fetches == 1
            && self.flood_fetches <= 3
            && within(self.rotation, 0.3)
            && within(self.rotation_after_made_up, 0.3)
            && within(self.rotation_in_flood, 5.0)
            && self.dead_fetches <= 12
            && within(self.back, 2.0)
    }
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or("never".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()))
}

/// A tenant, an API that trusts it, and a client.
struct Stage {
    tenant: LocalTenant,
    url: String,
    client: reqwest::Client,
}

impl Stage {
    async fn set(framework: Framework) -> Result<Self> {
        let tenant = LocalTenant::start().await?;
        let auth = Auth0::builder().issuer(tenant.issuer()).audience(tenant.audience()).build()?;
        Ok(Self { url: framework.serve(auth)?, tenant, client: client()? })
    }

    fn fetches(&self) -> u64 {
        let stats = self.tenant.stats();
        stats.key_set.served + stats.key_set.faulted
    }

    async fn status(&self, token: &str) -> u16 {
        status(&self.client, &self.url, token).await
    }

    /// Measures the time until a token is accepted. `None` means that it is not within ten seconds.
    async fn accepted_after(&self, token: &str, since: Instant) -> Option<Duration> {
        while since.elapsed() < Duration::from_secs(10) {
            if self.status(token).await == 200 {
                return Some(since.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        None
    }
}

/// 1000 concurrent requests to a service that has no keys yet.
async fn cold(framework: Framework) -> Result<u64> {
    let stage = Stage::set(framework).await?;
    let token = stage.tenant.token().mint();
    let requests: Vec<_> = (0..1000)
        .map(|_| {
            let (client, url, token) = (stage.client.clone(), stage.url.clone(), token.clone());
            tokio::spawn(async move { status(&client, &url, &token).await })
        })
        .collect();
    for request in requests {
        let got = request.await?;
        if got != 200 {
            return Err(format!("cold: a good token got {got}").into());
        }
    }
    Ok(stage.fetches())
}

/// A rotation directly after a fetch, and shortly before it some made-up keys.
async fn rotation(framework: Framework, made_up: usize) -> Result<Option<Duration>> {
    let stage = Stage::set(framework).await?;
    let token = stage.tenant.token().mint();
    if stage.status(&token).await != 200 {
        return Err("rotation: the first token was refused".into());
    }
    stage.tenant.rotate_keys().await?;
    let new = stage.tenant.token().mint();
    for number in 0..made_up {
        stage.status(&with_made_up_key(&token, number)).await;
    }
    Ok(stage.accepted_after(&new, Instant::now()).await)
}

/// 10,000 tokens with made-up keys in ten seconds, and a rotation halfway. Valid tokens of the known key
/// must not be refused meanwhile.
async fn flood(framework: Framework) -> Result<(u64, Option<Duration>)> {
    let stage = Arc::new(Stage::set(framework).await?);
    let token = stage.tenant.token().mint();
    stage.status(&token).await;
    let before = stage.fetches();
    let began = Instant::now();
    let floods: Vec<_> = (0..10)
        .map(|lane| {
            let (stage, token) = (Arc::clone(&stage), token.clone());
            tokio::spawn(async move {
                for number in 0..1000 {
                    let due = began + Duration::from_millis(number * 10);
                    tokio::time::sleep_until(due.into()).await;
                    let made_up = with_made_up_key(&token, lane * 1000 + number as usize);
                    stage.status(&made_up).await;
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.tenant.rotate_keys().await?;
    let new = stage.tenant.token().mint();
    let accepted = stage.accepted_after(&new, Instant::now()).await;
    let known = stage.status(&token).await;
    if known != 200 {
        return Err(format!("flood: a good token got {known}").into());
    }
    for flood in floods {
        flood.await?;
    }
    Ok((stage.fetches() - before, accepted))
}

/// 2,000 requests in ten seconds against an issuer that resets every connection, and the time until its
/// recovery is noticed.
async fn dead_issuer(framework: Framework) -> Result<(u64, Option<Duration>)> {
    let stage = Stage::set(framework).await?;
    for document in [Document::Metadata, Document::KeySet] {
        stage.tenant.set_fault(document, Fault::reset());
    }
    let token = stage.tenant.token().mint();
    let began = Instant::now();
    for number in 0..2000u64 {
        tokio::time::sleep_until((began + Duration::from_millis(number * 5)).into()).await;
        let got = stage.status(&token).await;
        if got != 503 {
            return Err(format!("dead issuer: a good token got {got}").into());
        }
    }
    let stats = stage.tenant.stats();
    let fetches = stats.key_set.faulted + stats.metadata.faulted;
    stage.tenant.clear_faults();
    let back = stage.accepted_after(&token, Instant::now()).await;
    Ok((fetches, back))
}
