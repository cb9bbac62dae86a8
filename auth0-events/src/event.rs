//! An event of the tenant.
use crate::{sse::Message, timestamp};
use serde_json::Value;
use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// An event of the tenant, as Auth0 describes it in the format of `CloudEvents`. Clones are cheap. `Debug` shows neither
/// the object nor other personal data.
///
/// An event can arrive twice, with the same [`id`](Self::id), and later than one that happened after it: compare
/// [`time`](Self::time).
#[derive(Clone)]
pub struct Event(Arc<Inner>);

struct Inner {
    kind: String,
    id: Option<String>,
    /// Since 1970.
    time: Option<Duration>,
    json: Value,
}

impl Event {
    /// Reads an event, such as one that a handler is tested with: an object with `type`, `id`, `time` and `data`.
    ///
    /// ```
    /// use auth0_events::Event;
    /// use serde_json::json;
    ///
    /// let event = Event::from_json(json!({
    ///     "type": "user.deleted", "id": "evt_1", "time": "2026-11-26T16:30:00.000Z",
    ///     "data": { "object": { "user_id": "auth0|ann" } },
    /// }));
    /// assert_eq!(event.event_type(), "user.deleted");
    /// assert_eq!(event.object()["user_id"], "auth0|ann");
    /// assert!(!format!("{event:?}").contains("ann"));
    /// ```
    #[must_use]
    pub fn from_json(json: Value) -> Self {
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let (kind, id) =
            (text("type").unwrap_or_default().to_owned(), text("id").map(str::to_owned));
        let time = text("time").and_then(timestamp::parse);
        Self(Arc::new(Inner { kind, id, time, json }))
    }

    /// Returns the type, for example `user.deleted`; empty without one.
    #[must_use]
    pub fn event_type(&self) -> &str {
        &self.0.kind
    }

    /// Returns the id, which is the same if an event arrives twice.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// Returns the time at which it happened.
    #[must_use]
    pub fn time(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(self.0.time?)
    }

    /// Returns what it is about: the member `data.object`, or `null` without one.
    #[must_use]
    pub fn object(&self) -> &Value {
        let object = self.0.json.get("data").and_then(|data| data.get("object"));
        object.unwrap_or(&Value::Null)
    }

    /// Returns the whole event.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0.json
    }

    pub(crate) fn unix_time(&self) -> Option<Duration> {
        self.0.time
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event_type", &self.event_type())
            .field("id", &self.id())
            .field("time", &self.time())
            .finish_non_exhaustive()
    }
}

/// What a message of the Events API says.
#[derive(Debug)]
pub(crate) enum Content {
    Event(Event),
    /// There is nothing new, but the offset.
    OffsetOnly,
    /// The last message of a stream.
    Error {
        code: String,
    },
    /// Something else, with the reason.
    Malformed(&'static str),
}

/// Reads a message. Returns what it says, and its offset.
pub(crate) fn read(message: &Message) -> (Content, Option<String>) {
    let id = || message.id.clone();
    if message.is_too_large {
        return (Content::Malformed("it is too large"), id());
    }
    let Ok(Value::Object(mut data)) = serde_json::from_str(&message.data) else {
        return (Content::Malformed("its data is no JSON object"), id());
    };
    let offset = data.get("offset").and_then(Value::as_str).map(str::to_owned);
    let offset = id().filter(|id| !id.is_empty()).or(offset);
    let content = match &*message.name {
        "offset-only" => Content::OffsetOnly,
        "error" => {
            let error = data.get("error");
            let text = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str);
            let code = text("code").unwrap_or_default().to_owned();
            let offset = text("offset").map(str::to_owned);
            return (Content::Error { code }, offset);
        }
        _ => match data.remove("event") {
            Some(json @ Value::Object(_)) => Content::Event(Event::from_json(json)),
            _ => Content::Malformed("its data has no object \"event\""),
        },
    };
    (content, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, id: Option<&str>, data: &str) -> Message {
        let id = id.map(str::to_owned);
        Message { name: name.into(), id, data: data.into(), is_too_large: false }
    }

    #[test]
    fn messages() {
        let event = r#"{"offset":"b","event":{"type":"user.deleted","id":"e","time":"1970-01-01T00:00:07Z"}}"#;
        for (id, expected) in [(Some("a"), "a"), (Some(""), "b"), (None, "b")] {
            let (content, offset) = read(&message("user.deleted", id, event));
            let Content::Event(event) = content else { panic!("{content:?}") };
            assert_eq!((event.event_type(), event.id()), ("user.deleted", Some("e")));
            assert_eq!(event.unix_time(), Some(Duration::from_secs(7)));
            assert_eq!((event.object(), offset.as_deref()), (&Value::Null, Some(expected)));
        }
        let (content, offset) = read(&message("offset-only", None, r#"{"offset":"b"}"#));
        assert!(matches!(content, Content::OffsetOnly) && offset.as_deref() == Some("b"));
        let error = r#"{"error":{"code":"timeout","message":"x","offset":"c"}}"#;
        let (content, offset) = read(&message("error", None, error));
        assert!(matches!(content, Content::Error { code } if code == "timeout"));
        assert_eq!(offset.as_deref(), Some("c"));
        for data in ["", "{", "[]", "null", r#"{"event":[]}"#, "{}", &"[".repeat(100_000)] {
            let (content, offset) = read(&message("user.deleted", Some("a"), data));
            assert!(matches!(content, Content::Malformed(_)), "{data}");
            assert_eq!(offset.as_deref(), Some("a"), "the stream goes on after it");
        }
    }
}
