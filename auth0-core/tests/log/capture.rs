//! The subscriber of the process. It keeps what is logged.
//!
//! A subscriber for one thread would not do. A thread without one that meets an event first may decide for the
//! whole process that nothing listens to that event, and a fetch may log on another thread than the test.
use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    sync::{Mutex, MutexGuard, Once, PoisonError},
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());
static ON_WARNING: Mutex<Option<fn()>> = Mutex::new(None);

/// What was logged since it was made. There is one at a time.
pub(crate) struct Log {
    _turn: MutexGuard<'static, ()>,
}

impl Log {
    /// Waits until no other test listens, and begins with an empty log.
    pub(crate) fn listen() -> Self {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        static INSTALL: Once = Once::new();
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        INSTALL.call_once(|| tracing::subscriber::set_global_default(Capture).unwrap());
        LINES.lock().unwrap().clear();
        Self { _turn: turn }
    }

    /// Returns and removes the lines.
    pub(crate) fn take(&self) -> Vec<String> {
        LINES.lock().unwrap().drain(..).map(|line| line.text).collect()
    }

    /// Counts the events of each message, from level INFO on.
    pub(crate) fn messages(&self) -> BTreeMap<String, usize> {
        let mut messages = BTreeMap::new();
        for line in &*LINES.lock().unwrap() {
            if line.level.is_some_and(|level| level <= Level::INFO) {
                *messages.entry(line.message.clone()).or_default() += 1;
            }
        }
        messages
    }

    /// Calls back with every event of level WARN or above.
    pub(crate) fn on_warning(&self, callback: fn()) {
        *ON_WARNING.lock().unwrap() = Some(callback);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        *ON_WARNING.lock().unwrap() = None;
    }
}

/// An event or the fields of a span, as the simplest of subscribers prints it: nothing is escaped again.
#[derive(Default)]
struct Line {
    /// `None` for a span.
    level: Option<Level>,
    message: String,
    text: String,
}

impl Line {
    fn keep(self) {
        LINES.lock().unwrap().push(self);
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
        write!(self.text, "{field}={value:?}|").unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.text, "{field}={value}|").unwrap();
    }
}

struct Capture;

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("auth0")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut line = Line::default();
        attributes.record(&mut line);
        line.keep();
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line::default();
        values.record(&mut line);
        line.keep();
    }

    fn event(&self, event: &Event<'_>) {
        let level = *event.metadata().level();
        let mut line =
            Line { level: Some(level), text: format!("{level}|"), message: String::new() };
        event.record(&mut line);
        line.keep();
        if level <= Level::WARN {
            let callback = *ON_WARNING.lock().unwrap();
            callback.into_iter().for_each(|callback| callback());
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
