//! Server-sent events as the HTML standard defines them (§9.2.6), with bounds.
use std::time::Duration;

/// The limit of a line, and of the fields of one message together. Auth0's events have a few kilobytes.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// The most bytes that one message may have beyond that limit, which are skipped. After them, the server is not one
/// that sends events.
const MAX_SKIPPED: usize = 16 * 1024 * 1024;

/// What a stream consists of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Message(Message),
    /// How long to wait before the next connection.
    Retry(Duration),
}

/// A message. One that is too large has its name and its id if these are within the limit, and no data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// The field `event`; empty without one.
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: String,
    pub(crate) is_too_large: bool,
}

/// More bytes were skipped than any message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endless;

/// Divides a stream into frames, however it arrives.
#[derive(Debug)]
pub(crate) struct Parser {
    line: Vec<u8>,
    /// Whether the line is too long.
    skips_line: bool,
    /// Whether a line feed belongs to the end of the line before.
    is_after_return: bool,
    is_first_line: bool,
    message: Message,
    skipped: usize,
}

impl Parser {
    pub(crate) const fn new() -> Self {
        Self {
            line: Vec::new(),
            skips_line: false,
            is_after_return: false,
            is_first_line: true,
            message: Message {
                name: String::new(),
                id: None,
                data: String::new(),
                is_too_large: false,
            },
            skipped: 0,
        }
    }

    /// Returns the frames that end with these bytes.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Result<Vec<Frame>, Endless> {
        let mut frames = Vec::new();
        if self.is_after_return && !bytes.is_empty() {
            self.is_after_return = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
            let (part, rest) = bytes.split_at(end);
            self.extend_line(part)?;
            frames.extend(self.end_line()?);
            self.is_after_return = rest == b"\r";
            bytes = match rest {
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        self.extend_line(bytes)?;
        Ok(frames)
    }

    fn extend_line(&mut self, part: &[u8]) -> Result<(), Endless> {
        if !self.skips_line && self.line.len() + part.len() <= MAX_BYTES {
            self.line.extend_from_slice(part);
            return Ok(());
        }
        if !self.skips_line {
            self.skips_line = true;
            let is_comment = self.line.first().or(part.first()) == Some(&b':');
            self.message.is_too_large |= !is_comment;
        }
        let kept = std::mem::take(&mut self.line).len();
        self.skip(kept + part.len())
    }

    fn skip(&mut self, bytes: usize) -> Result<(), Endless> {
        self.skipped += bytes;
        if self.skipped > MAX_SKIPPED { Err(Endless) } else { Ok(()) }
    }

    fn end_line(&mut self) -> Result<Option<Frame>, Endless> {
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_first_line) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        if std::mem::take(&mut self.skips_line) {
            return Ok(None);
        }
        if line.is_empty() {
            return Ok(self.end_message().map(Frame::Message));
        }
        let line = String::from_utf8_lossy(&line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" if self.has_room(value, self.message.id.as_deref(), &self.message.data) => {
                self.message.name = value.to_owned();
            }
            "id" if value.contains('\0') => {}
            "id" if self.has_room(value, Some(&self.message.name), &self.message.data) => {
                self.message.id = Some(value.to_owned());
            }
            "data" if self.has_room(value, self.message.id.as_deref(), &self.message.name) => {
                self.append(value)?;
            }
            "event" | "id" | "data" => self.refuse(value.len())?,
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Ok(value.parse().ok().map(Duration::from_millis).map(Frame::Retry));
            }
            _ => {}
        }
        Ok(None)
    }

    /// Returns whether a value and the other fields are within the limit. The data that a value of `data` is appended to
    /// is checked there.
    fn has_room(&self, value: &str, one: Option<&str>, other: &str) -> bool {
        value.len() + one.map_or(0, str::len) + other.len() <= MAX_BYTES
    }

    fn append(&mut self, value: &str) -> Result<(), Endless> {
        let Message { name, id, data, is_too_large } = &mut self.message;
        let others = name.len() + id.as_ref().map_or(0, String::len);
        if *is_too_large || others + data.len() + value.len() + 1 > MAX_BYTES {
            return self.refuse(value.len());
        }
        data.push_str(value);
        data.push('\n');
        Ok(())
    }

    /// Marks the message as too large. Its data is not kept.
    fn refuse(&mut self, bytes: usize) -> Result<(), Endless> {
        self.message.is_too_large = true;
        self.skip(bytes)
    }

    fn end_message(&mut self) -> Option<Message> {
        self.skipped = 0;
        let mut message = std::mem::take(&mut self.message);
        if message.is_too_large {
            message.data = String::new();
            return Some(message);
        }
        // The last line of the data has no end.
        message.data.pop().map(|_| message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(parts: &[&[u8]]) -> Vec<Frame> {
        let mut parser = Parser::new();
        parts.iter().flat_map(|part| parser.feed(part).unwrap()).collect()
    }

    fn message(name: &str, id: Option<&str>, data: &str) -> Frame {
        let id = id.map(str::to_owned);
        Frame::Message(Message { name: name.into(), id, data: data.into(), is_too_large: false })
    }

    #[test]
    fn the_forms_of_the_standard() {
        for (text, expected) in [
            ("data: a\n\n", vec![message("", None, "a")]),
            ("data: a\r\n\r\n", vec![message("", None, "a")]),
            ("data: a\r\r", vec![message("", None, "a")]),
            ("data: a\r\n\rdata: b\n\n", vec![message("", None, "a"), message("", None, "b")]),
            ("\u{feff}data: a\n\n", vec![message("", None, "a")]),
            ("data: a\n\n\u{feff}data: b\n\n", vec![message("", None, "a")]),
            (":connected\n\nretry: 2000\n\n", vec![Frame::Retry(Duration::from_secs(2))]),
            ("event: e\nid: 7\ndata: a\ndata:b\n\n", vec![message("e", Some("7"), "a\nb")]),
            ("event:e\ndata:  a\n\n", vec![message("e", None, " a")]),
            ("data\n\n", vec![message("", None, "")]),
            ("data\ndata\n\n", vec![message("", None, "\n")]),
            ("event: e\n\ndata: a\n\n", vec![message("", None, "a")]),
            ("id: 7\nid\ndata: a\n\n", vec![message("", Some(""), "a")]),
            ("id: 7\nid: a\0b\ndata: a\n\n", vec![message("", Some("7"), "a")]),
            ("other: x\nEvent: x\n data: x\ndata: a:b\n\n", vec![message("", None, "a:b")]),
            ("retry: 1s\nretry:\nretry: -1\nretry: 99999999999999999999\n\n", vec![]),
            ("data: a\n", vec![]),
            ("data: a", vec![]),
        ] {
            assert_eq!(parse(&[text.as_bytes()]), expected, "{text:?}");
        }
        assert_eq!(parse(&[b"data: \xff\n\n"]), [message("", None, "\u{fffd}")]);
    }

    fn line() -> impl Strategy<Value = Vec<u8>> {
        let text = "(event|id|data|retry|:|x|)(:| |: )[a-z0-9 \u{feff}é\0]{0,8}";
        prop_oneof![4 => text.prop_map(String::into_bytes), 1 => prop::collection::vec(any::<u8>(), 0..6)]
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_a_stream_arrives(
            lines in prop::collection::vec((line(), prop_oneof!["\n", "\r\n", "\r", "\n\n"]), 0..20),
            cuts in prop::collection::vec(1..9_usize, 1..9),
        ) {
            let all: Vec<u8> = lines
                .into_iter()
                .flat_map(|(line, end)| [line, end.into_bytes()].concat())
                .collect();
            let mut rest = &all[..];
            let mut parts = Vec::new();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (part, tail) = rest.split_at((*cut).min(rest.len()));
                parts.extend([part, &[]]);
                rest = tail;
            }
            prop_assert_eq!(parse(&parts), parse(&[&all]));
        }
    }

    #[test]
    fn a_large_message_is_skipped() {
        let long = "x".repeat(MAX_BYTES);
        let large = |id: Option<&str>| {
            let (name, id) = ("e".into(), id.map(str::to_owned));
            Frame::Message(Message { name, id, data: String::new(), is_too_large: true })
        };
        let half = "x".repeat(MAX_BYTES / 2);
        let long_id = "x".repeat(MAX_BYTES - 4);
        for (text, id) in [
            (format!("event: e\nid: 7\ndata: {long}\n\n"), Some("7")),
            (format!("event: e\ndata: {long}\nid: 7\n\n"), Some("7")),
            (format!("event: e\nid: 7\ndata: {half}\ndata: {half}\n\n"), Some("7")),
            (format!("event: e\nid: {long_id}\ndata: abc\n\n"), Some(&*long_id)),
        ] {
            let text = format!("{text}data: next\n\n");
            let parts: Vec<&[u8]> = text.as_bytes().chunks(1000).collect();
            assert_eq!(parse(&parts), [large(id), message("", None, "next")]);
        }
        let comment = format!(": {long}\ndata: a\n\n");
        assert_eq!(parse(&[comment.as_bytes()]), [message("", None, "a")]);
    }

    #[test]
    fn an_endless_message_ends() {
        let chunk = [b'x'; 64 * 1024];
        let lines = [&b"data: "[..], &chunk[..10_000], b"\n"].concat();
        for part in [&chunk[..], &lines] {
            let mut parser = Parser::new();
            let end = (0..10_000).find(|_| {
                assert!(parser.line.len() + parser.message.data.len() <= 2 * MAX_BYTES);
                parser.feed(part).is_err()
            });
            assert!(end.is_some());
        }
    }
}
