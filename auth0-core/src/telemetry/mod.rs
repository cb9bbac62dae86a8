//! Telemetry for operators: metrics, and text of clients made safe for the log.
mod escaped;
pub(crate) mod metrics;

pub use escaped::{Escaped, EscapedMessage};
pub(crate) use escaped::{LongText, RequestText, escaped, listed, listed_escaped};
