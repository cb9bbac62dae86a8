//! How far the events were read.
use std::time::Duration;

/// The limit of an offset in the reference of the Management API.
const MAX_OFFSET: usize = 1024;

/// How long an event can come after one that happened later. It is also more than clocks differ.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// An offset, and the time up to which events were received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) offset: String,
    /// Since 1970.
    pub(crate) time: Duration,
}

/// Where a connection begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Offset(String),
    /// A time since 1970.
    Time(Duration),
    Latest,
}

impl Position {
    /// Reads what a store has kept.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (millis, offset) = text.split_once(' ')?;
        let time = Duration::from_millis(millis.parse().ok()?);
        is_offset(offset).then(|| Self { offset: offset.to_owned(), time })
    }

    /// Writes it for a store.
    pub(crate) fn to_text(&self) -> String {
        format!("{} {}", self.time.as_millis(), self.offset)
    }
}

/// Where the next connection begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cursor {
    position: Option<Position>,
    /// The time to begin at without a position, since 1970.
    since: Option<Duration>,
}

impl Cursor {
    pub(crate) const fn new(position: Option<Position>) -> Self {
        Self { position, since: None }
    }

    pub(crate) fn start(&self) -> Start {
        match (&self.position, self.since) {
            (Some(position), _) => Start::Offset(position.offset.clone()),
            (None, Some(time)) => Start::Time(time),
            (None, None) => Start::Latest,
        }
    }

    /// Notes the time of the first connection: events that are lost before there is an offset are read again.
    pub(crate) fn connected(&mut self, now: Duration) {
        if self.position.is_none() && self.since.is_none() {
            self.since = Some(now.saturating_sub(MARGIN));
        }
    }

    /// Moves to an offset, up to which all events until a time were received. Returns `None` for text that cannot be an
    /// offset.
    pub(crate) fn advance(&mut self, offset: String, time: Option<Duration>) -> Option<&Position> {
        if !is_offset(&offset) {
            return None;
        }
        let before = self.position.take().map(|position| position.time);
        let time = time.or(before).or(self.since).unwrap_or_default();
        Some(
            self.position.insert(Position { offset, time: before.map_or(time, |it| it.max(time)) }),
        )
    }

    /// Gives up where the next connection would begin, because the server does not know it any more. Returns the time up to
    /// which no event is lost, if it is known.
    pub(crate) fn lose(&mut self) -> Option<Duration> {
        match self.position.take() {
            Some(position) => {
                let time = (!position.time.is_zero()).then_some(position.time);
                self.since = time.map(|time| time.saturating_sub(MARGIN));
                time
            }
            None => self.since.take(),
        }
    }
}

/// Returns whether a text can be sent as `Last-Event-ID`.
fn is_offset(text: &str) -> bool {
    (1..=MAX_OFFSET).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_position_is_text_of_a_store() {
        let position = Position { offset: "a b".replace(' ', "="), time: HOUR };
        assert_eq!(position.to_text(), "3600000 a=b");
        assert_eq!(Position::parse("3600000 a=b"), Some(position));
        for text in [
            "",
            "a",
            "3600000",
            "3600000 ",
            "x a",
            "1 a b",
            "1 é",
            &format!("1 {}", "a".repeat(1025)),
        ] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_cursor() {
        let mut cursor = Cursor::new(None);
        assert_eq!(cursor.start(), Start::Latest);
        cursor.connected(HOUR);
        assert_eq!(cursor.start(), Start::Time(HOUR - MARGIN));
        cursor.connected(HOUR * 2);
        assert_eq!(cursor.start(), Start::Time(HOUR - MARGIN), "only the first");

        assert_eq!(cursor.advance("a\r\nb: c".into(), Some(HOUR)), None);
        assert_eq!(cursor.advance("a".into(), Some(HOUR * 3)).unwrap().time, HOUR * 3);
        assert_eq!(cursor.advance("b".into(), Some(HOUR)).unwrap().time, HOUR * 3, "a late one");
        assert_eq!(cursor.advance("c".into(), None).unwrap().time, HOUR * 3);
        assert_eq!(cursor.start(), Start::Offset("c".into()));

        assert_eq!(cursor.lose(), Some(HOUR * 3));
        assert_eq!(cursor.start(), Start::Time(HOUR * 3 - MARGIN));
        assert_eq!(cursor.lose(), Some(HOUR * 3 - MARGIN));
        assert_eq!((cursor.lose(), cursor.start()), (None, Start::Latest));
    }
}
