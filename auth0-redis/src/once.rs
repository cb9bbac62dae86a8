//! Ids that may be used once: `SET … NX PX`.
use crate::connection::{Patience, RedisConnection, Reply, unexpected};
use aws_lc_rs::rand;
use redis::Value;
use std::time::Duration;

/// An instance whose clock is behind accepts an id for longer than the instance that recorded it.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

/// Records the use of a key. Returns whether it is the first.
pub(crate) async fn use_once(
    link: &RedisConnection,
    key: &str,
    lifetime: Duration,
    patience: Patience,
) -> Result<bool, String> {
    let lifetime = lifetime.saturating_add(CLOCK_DIFFERENCE).as_millis();
    let mut mark = [0; 16];
    rand::fill(&mut mark).map_err(|_| "the system has no randomness")?;

    let mut set = redis::cmd("SET");
    set.arg(key).arg(&mark).arg("NX").arg("PX").arg(u64::try_from(lifetime).unwrap_or(u64::MAX));
    match link.ask(set, patience).await? {
        Reply { value: Value::Okay, .. } => Ok(true),
        Reply { value: Value::Nil, is_second: false } => Ok(false),
        // The first command may have succeeded: the value shows whether this caller has set the key.
        Reply { value: Value::Nil, is_second: true } => {
            let mut get = redis::cmd("GET");
            get.arg(key);
            match link.ask(get, patience).await?.value {
                Value::BulkString(found) => Ok(found == mark),
                other => Err(unexpected(&other)),
            }
        }
        Reply { value, .. } => Err(unexpected(&value)),
    }
}
