//! Telemetry for operators: metrics, and text of clients made safe for the log.
mod escaped;
pub(crate) mod metrics;

pub(crate) use escaped::{
    Escaped, EscapedMessage, LongText, RequestText, escaped, listed, listed_escaped,
};
