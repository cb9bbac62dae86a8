//! `/__local/events`: adds events, and disturbs the connections to the Events API.
use super::super::{
    administration::{read, refused},
    refusal::{Refusal, uncached},
};
use crate::{events::EventHub, running::RunningTenant};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(crate) const PATH: &str = "/__local/events";

/// The shortest and the longest time of a connection, in seconds.
const CYCLES: [f64; 2] = [0.001, 24.0 * 60.0 * 60.0];

/// What changes. The other faults stay.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(super) struct EventChanges {
    emit: Option<Emitted>,
    duplicate: Option<u32>,
    swap: Option<bool>,
    silent: Option<bool>,
    /// `null` ends it.
    #[serde(deserialize_with = "present")]
    status: Option<Option<u16>>,
    retry_after: Option<u32>,
    /// In seconds; `null` ends it.
    #[serde(deserialize_with = "present")]
    cycle: Option<Option<f64>>,
    expire_offsets: bool,
    disconnect: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Emitted {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

/// Reads a member that can be `null`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

pub(super) async fn show(State(running): State<RunningTenant>) -> Response {
    current(&running)
}

pub(super) async fn clear(State(running): State<RunningTenant>) -> Response {
    running.events().change_faults(|faults| *faults = Default::default());
    current(&running)
}

/// Applies the changes, or none if one is refused. Faults apply to the event that is added with them.
pub(super) async fn change(
    State(running): State<RunningTenant>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let wanted = "{\"disconnect\":true}, or others of emit, duplicate, swap, silent, status, retry_after, cycle and \
                  expire_offsets";
    let changes: EventChanges = read(&body?, wanted)?;
    if let Some(Emitted { kind, object }) = &changes.emit {
        EventHub::check(kind, object).map_err(refused)?;
    }
    let cycle = changes.cycle.map(|seconds| seconds.map(time).transpose()).transpose()?;
    if changes.retry_after.is_some() && changes.status.flatten().is_none() {
        return Err(Refusal::invalid_request("retry_after needs a status. Send both"));
    }
    if let Some(status) = changes.status {
        running.refuse_events(status, changes.retry_after).map_err(refused)?;
    }
    let hub = running.events();
    hub.change_faults(|faults| {
        faults.duplicate = changes.duplicate.unwrap_or(faults.duplicate);
        faults.swap = changes.swap.unwrap_or(faults.swap);
        faults.silent = changes.silent.unwrap_or(faults.silent);
        faults.cycle = cycle.unwrap_or(faults.cycle);
    });
    if let Some(Emitted { kind, object }) = &changes.emit {
        running.emit_event(kind, object).map_err(refused)?;
    }
    if changes.expire_offsets {
        hub.expire_offsets();
    }
    if changes.disconnect {
        hub.disconnect();
    }
    Ok(current(&running))
}

fn time(seconds: f64) -> Result<Duration, Refusal> {
    let [least, most] = CYCLES;
    match (least..=most).contains(&seconds) {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err(Refusal::invalid_request(format!(
            "cycle cannot be {seconds}. Write from {least} to {most} seconds, or null"
        ))),
    }
}

/// Returns the connections and their faults.
fn current(running: &RunningTenant) -> Response {
    let hub = running.events();
    let Value::Object(faults) = json!(hub.faults()) else {
        return uncached(StatusCode::OK, &json!({}));
    };
    let mut answer = Map::from_iter([
        ("connections".to_owned(), json!(hub.connections())),
        ("last_offset".to_owned(), json!(hub.last_offset())),
    ]);
    answer.extend(faults);
    uncached(StatusCode::OK, &Value::Object(answer))
}
