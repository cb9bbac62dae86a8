use serde::Serialize;
use std::time::Duration;

/// The faults of the Events API, beside those of its endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct EventFaults {
    /// How many of the next events are sent twice.
    pub(crate) duplicate: u32,
    /// Whether the next two events are swapped.
    pub(crate) swap: bool,
    /// Whether open connections receive nothing: neither events nor heartbeats.
    pub(crate) silent: bool,
    /// The status that new connections receive.
    pub(crate) status: Option<u16>,
    /// The seconds of `Retry-After` beside that status.
    pub(crate) retry_after: Option<u32>,
    /// How long a connection lasts.
    #[serde(rename = "cycle", serialize_with = "seconds")]
    pub(crate) cycle: Option<Duration>,
}

fn seconds<S: serde::Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(to)
}
