//! The log of this process.
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, OnceLock},
};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

/// An event: its level, its message, and its other fields.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

impl Line {
    /// Returns a field; empty if the event does not have it.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// The log, which one test reads at a time.
pub(crate) struct Log(#[allow(dead_code, reason = "it is held")] MutexGuard<'static, ()>);

impl Log {
    /// Waits until no other test reads the log, and starts with an empty one.
    pub(crate) async fn listen() -> Self {
        static TURN: AsyncMutex<()> = AsyncMutex::const_new(());
        static START: OnceLock<()> = OnceLock::new();
        let turn = TURN.lock().await;
        START.get_or_init(|| tracing::subscriber::set_global_default(Capture).unwrap());
        LINES.lock().unwrap().clear();
        Self(turn)
    }

    /// Returns and removes the lines of the target `auth0`.
    pub(crate) fn take(&self) -> Vec<Line> {
        LINES.lock().unwrap().drain(..).collect()
    }

    /// Returns and removes the lines that have an `error_code`.
    pub(crate) fn refusals(&self) -> Vec<Line> {
        let lines = self.take().into_iter();
        lines.filter(|line| line.fields.contains_key("error_code")).collect()
    }
}

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

struct Capture;

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "auth0"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        LINES.lock().unwrap().push(Line { level: *event.metadata().level(), fields: fields.0 });
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
