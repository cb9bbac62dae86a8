//! `auth0-local events`.
use super::client::Target;
use crate::server::EVENTS_PATH;
use clap::Args;
use serde_json::{Map, Value, json};

/// Add events to /api/v2/events, or disturb its connections, and print them and their faults, as JSON
#[derive(Args)]
pub(super) struct EventsCommand {
    /// Add an event of this type: user.updated
    #[arg(long, value_name = "TYPE", requires = "object")]
    emit: Option<String>,
    /// The object of that event, as JSON
    #[arg(long, value_name = "JSON", requires = "emit", value_parser = json)]
    object: Option<Value>,
    /// Send this number of the next events twice
    #[arg(long, value_name = "NUMBER")]
    duplicate: Option<u32>,
    /// Swap the next two events
    #[arg(long)]
    swap: bool,
    /// Send nothing on open connections, neither events nor heartbeats
    #[arg(long)]
    silent: bool,
    /// Answer new connections with this status: 410, 429, 500
    #[arg(long)]
    status: Option<u16>,
    /// The Retry-After of that status
    #[arg(long, value_name = "SECONDS", requires = "status")]
    retry_after: Option<u32>,
    /// Close each connection after this time
    #[arg(long, value_name = "SECONDS")]
    cycle: Option<f64>,
    /// Let all offsets that exist expire
    #[arg(long)]
    expire_offsets: bool,
    /// Close all connections
    #[arg(long)]
    disconnect: bool,
    /// End all faults first
    #[arg(long)]
    clear: bool,
    #[command(flatten)]
    target: Target,
}

impl EventsCommand {
    pub(super) async fn run(self) -> super::Result {
        let Self { target, clear, .. } = &self;
        let mut answer: Option<Value> = None;
        if *clear {
            answer = Some(target.delete(EVENTS_PATH).await?);
        }
        let changes = self.changes();
        if !changes.is_empty() {
            answer = Some(target.post(EVENTS_PATH, Some(&changes)).await?);
        }
        let answer = match answer {
            Some(answer) => answer,
            None => target.get(EVENTS_PATH).await?,
        };
        super::print(&answer.to_string())
    }

    /// Returns the body of the drill.
    fn changes(&self) -> Map<String, Value> {
        let mut changes = Map::new();
        if let (Some(kind), Some(object)) = (&self.emit, &self.object) {
            changes.insert("emit".into(), json!({ "type": kind, "object": object }));
        }
        let flags = [
            ("swap", self.swap),
            ("silent", self.silent),
            ("expire_offsets", self.expire_offsets),
            ("disconnect", self.disconnect),
        ];
        for (name, _) in flags.into_iter().filter(|(_, is_set)| *is_set) {
            changes.insert(name.into(), json!(true));
        }
        let values = [
            ("duplicate", self.duplicate.map(|number| json!(number))),
            ("status", self.status.map(|status| json!(status))),
            ("retry_after", self.retry_after.map(|seconds| json!(seconds))),
            ("cycle", self.cycle.map(|seconds| json!(seconds))),
        ];
        changes.extend(values.into_iter().filter_map(|(name, value)| Some((name.into(), value?))));
        changes
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))
}
