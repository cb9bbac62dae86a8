use super::ManagementError;
use crate::{
    events::{EVENT_TYPES, Start, parse_rfc3339},
    server::form::Query,
};
use axum::http::{HeaderMap, StatusCode};

/// The limit of an offset in the reference of the Management API.
const MAX_OFFSET: usize = 1024;

const LAST_EVENT_ID: &str = "last-event-id";

/// What a reader asks for.
#[derive(Debug)]
pub(super) struct EventQuery {
    pub(super) start: Start,
    pub(super) kinds: Vec<String>,
}

impl EventQuery {
    /// Reads a request. `Last-Event-ID`, which a browser sends when it connects again, outranks the parameters.
    pub(super) fn read(headers: &HeaderMap, query: &str) -> Result<Self, ManagementError> {
        let query = Query::parse(query);
        if let Some(name) = query.repeated(&["from", "from_timestamp"]) {
            return Err(bad(format!("{name} is sent twice")));
        }
        let (from, at) = (query.value("from"), query.value("from_timestamp"));
        let last = headers.get(LAST_EVENT_ID).filter(|last| !last.is_empty());
        let last = last.map(|last| String::from_utf8_lossy(last.as_bytes()).into_owned());
        let start = match (last, from, at) {
            (Some(last), ..) => Start::Offset(last),
            (None, Some(_), Some(_)) => {
                return Err(bad("from and from_timestamp exclude each other"));
            }
            (None, Some(from), None) if from.len() > MAX_OFFSET => {
                return Err(bad(format!("from is longer than {MAX_OFFSET} characters")));
            }
            (None, Some(from), None) => Start::Offset(from.to_owned()),
            (None, None, Some(at)) => Start::Time(
                parse_rfc3339(at).ok_or_else(|| bad("from_timestamp is no time of RFC 3339"))?,
            ),
            (None, None, None) => Start::Latest,
        };
        let kinds: Vec<String> = query.values("event_type").map(str::to_owned).collect();
        match kinds.iter().find(|kind| !EVENT_TYPES.contains(&kind.as_str())) {
            Some(other) => Err(bad(format!("event_type {other:?} is not one of the Events API"))),
            None => Ok(Self { start, kinds }),
        }
    }
}

fn bad(message: impl Into<String>) -> ManagementError {
    ManagementError::new(StatusCode::BAD_REQUEST, "invalid_query_string", message)
}
