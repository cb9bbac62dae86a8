//! How far the events were read.
use std::time::Duration;

/// The limit of an offset in the reference of the Management API.
const MAX_OFFSET: usize = 1024;

/// How long an event can come after one that happened later. It is also more than clocks differ.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// An offset, and the time up to which events were received.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Position {
    offset: String,
    /// Since 1970.
    time: Duration,
}

/// Where a connection begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Offset(String),
    /// A time since 1970.
    Time(Duration),
    Latest,
}

/// Where the next connection begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cursor {
    position: Option<Position>,
    /// The time to begin at without a position, since 1970.
    since: Option<Duration>,
}

impl Cursor {
    /// Reads what a store has kept. Without that, the first connection begins with the latest event.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (millis, offset) = text.split_once(' ')?;
        let time = Duration::from_millis(millis.parse().ok()?);
        Some(match offset {
            "" => Self { position: None, since: Some(time) },
            offset => {
                let offset = is_offset(offset).then(|| offset.to_owned())?;
                Self { position: Some(Position { offset, time }), since: None }
            }
        })
    }

    /// Writes it for a store. `None` before the first connection.
    pub(crate) fn to_text(&self) -> Option<String> {
        let (time, offset) = match &self.position {
            Some(Position { offset, time }) => (*time, &**offset),
            None => (self.since?, ""),
        };
        Some(format!("{} {offset}", time.as_millis()))
    }

    pub(crate) fn start(&self) -> Start {
        match (&self.position, self.since) {
            (Some(position), _) => Start::Offset(position.offset.clone()),
            (None, Some(time)) => Start::Time(time),
            (None, None) => Start::Latest,
        }
    }

    /// Notes the time of the first connection: what is lost before there is an offset is read again. Returns whether it is
    /// the first.
    pub(crate) fn connected(&mut self, now: Duration) -> bool {
        let is_first = self.position.is_none() && self.since.is_none();
        if is_first {
            self.since = Some(now.saturating_sub(MARGIN));
        }
        is_first
    }

    /// Moves to an offset, up to which all events until a time were received. Returns `false` for text that cannot be an
    /// offset.
    ///
    /// A time after now, of a clock that was ahead, is now: otherwise events would be skipped if the offset is lost.
    pub(crate) fn advance(
        &mut self,
        offset: String,
        time: Option<Duration>,
        now: Duration,
    ) -> bool {
        if !is_offset(&offset) {
            return false;
        }
        let before = self.position.take().map(|position| position.time).or(self.since);
        let time = time.into_iter().chain(before).max().unwrap_or_default().min(now);
        self.position = Some(Position { offset, time });
        true
    }

    /// Gives up where the next connection would begin, because the server does not know it any more. Returns the time up to
    /// which no event is lost, if it is known.
    pub(crate) fn lose(&mut self, now: Duration) -> Option<Duration> {
        match self.position.take() {
            Some(position) => {
                let time = (!position.time.is_zero()).then_some(position.time.min(now));
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
    fn a_cursor_is_text_of_a_store() {
        for (text, start) in
            [("3600000 a=b", Start::Offset("a=b".into())), ("3600000 ", Start::Time(HOUR))]
        {
            let cursor = Cursor::parse(text).unwrap();
            assert_eq!((cursor.start(), cursor.to_text().as_deref()), (start, Some(text)));
        }
        let long = format!("1 {}", "a".repeat(1025));
        for text in ["", "a", "3600000", "x a", "1 a b", "1 é", "-1 a", &long] {
            assert!(Cursor::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_cursor() {
        let mut cursor = Cursor::default();
        assert_eq!((cursor.start(), cursor.to_text()), (Start::Latest, None));
        assert!(cursor.connected(HOUR));
        assert_eq!(cursor.start(), Start::Time(HOUR - MARGIN));
        assert!(!cursor.connected(HOUR * 2));
        assert_eq!(cursor.start(), Start::Time(HOUR - MARGIN), "only the first");

        assert!(!cursor.advance("a\r\nb: c".into(), Some(HOUR), HOUR * 3));
        for (offset, time, expected) in [
            ("a", Some(HOUR * 3), "10800000 a"),
            ("b", Some(HOUR), "10800000 b"),
            ("c", None, "10800000 c"),
        ] {
            assert!(cursor.advance(offset.into(), time, HOUR * 3));
            assert_eq!(cursor.to_text().as_deref(), Some(expected), "a late one lowers nothing");
        }
        assert_eq!(cursor.start(), Start::Offset("c".into()));

        assert_eq!(cursor.lose(HOUR * 4), Some(HOUR * 3));
        assert_eq!(cursor.start(), Start::Time(HOUR * 3 - MARGIN));
        assert_eq!(cursor.lose(HOUR * 4), Some(HOUR * 3 - MARGIN));
        assert_eq!((cursor.lose(HOUR * 4), cursor.start()), (None, Start::Latest));
    }

    /// The clock was ahead when the first position was saved, and is right now.
    #[test]
    fn a_time_in_the_future_is_now() {
        let mut cursor = Cursor::parse("36000000 a").unwrap();
        assert!(cursor.advance("b".into(), Some(HOUR), HOUR * 2));
        assert_eq!(cursor.to_text().as_deref(), Some("7200000 b"));
        let mut cursor = Cursor::parse("36000000 a").unwrap();
        assert_eq!(cursor.lose(HOUR), Some(HOUR));
        assert_eq!(cursor.start(), Start::Time(HOUR - MARGIN));
    }
}
