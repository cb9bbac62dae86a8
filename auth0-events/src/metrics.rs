//! Counters and gauges, with the `metrics` facade; nothing without the feature. The crate's documentation lists the
//! names, which are part of its interface.
use std::time::Duration;

/// Counts what became of an event.
pub(crate) fn event(kind: &str, outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_events_total", "type" => kind.to_owned(), "outcome" => outcome)
        .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (kind, outcome);
}

/// Counts the end of a connection, or of an attempt to connect.
pub(crate) fn connection(outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("auth0_events_connections_total", "outcome" => outcome).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = outcome;
}

/// Shows how old the last event was when it was received.
pub(crate) fn lag(age: Duration) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("auth0_events_lag_seconds").set(age.as_secs_f64());
    #[cfg(not(feature = "metrics"))]
    let _ = age;
}

/// Shows whether this instance reads the events.
pub(crate) fn leads(leads: bool) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("auth0_events_leader").set(f64::from(u8::from(leads)));
    #[cfg(not(feature = "metrics"))]
    let _ = leads;
}

/// Shows whether there is a connection.
pub(crate) fn connected(is_connected: bool) {
    #[cfg(feature = "metrics")]
    metrics::gauge!("auth0_events_connected").set(f64::from(u8::from(is_connected)));
    #[cfg(not(feature = "metrics"))]
    let _ = is_connected;
}
