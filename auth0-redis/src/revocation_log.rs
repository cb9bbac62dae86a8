//! The log of revocations: a stream with an entry for each. What is sent to Redis, and how its answers are read.
//!
//! | field | content |
//! |---|---|
//! | `k` | the key, 16 bytes |
//! | `r` | the time of the revocation, in seconds since 1970 |
//! | `e` | the end, in seconds since 1970 |
//! | `l` | the time from the addition to the end, in seconds |
//!
//! The first entry of an empty log has the only field `begin`, so that a position always names an entry.
use auth0_core::revocation::{RevocationEntry, RevocationKey};
use redis::{Cmd, Value};
use std::{fmt, str::FromStr, time::Duration};

/// How many entries are read at once: about 200 kB, which arrive within the time limit also over a slow network. More
/// than an instance adds at once, because a page that is full is followed by another read.
pub(crate) const READ_AT_ONCE: usize = 2000;

/// How many entries are added at once: Redis does nothing else for some milliseconds.
pub(crate) const APPENDED_AT_ONCE: usize = 1000;

/// The script of an addition.
///
/// Entries that have expired are removed at the beginning of the log, up to the first that has not: an entry stays for
/// as long as itself and all older ones. The end is counted from the addition, so that the clock of Redis only measures
/// how long an entry is there. The last entry that is older than ten minutes stays, and all after it: readers are at one
/// of them. Redis looks for that entry in the whole log if there is none, so the first entry is looked at before.
const APPEND: &str = "
local log, id = KEYS[1], nil
for at = 1, #ARGV, 4 do
  id = redis.call('XADD', log, '*', 'k', ARGV[at], 'r', ARGV[at + 1], 'e', ARGV[at + 2], 'l', ARGV[at + 3])
end
local now = tonumber(redis.call('TIME')[1])
local function time(entry) return tonumber(string.match(entry[1], '^%d+')) / 1000 end
local function is_over(entry)
  local life = 0
  for at = 1, #entry[2], 2 do
    if entry[2][at] == 'l' then life = tonumber(entry[2][at + 1]) or 0 end
  end
  return time(entry) + life < now
end
local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
if time(first) < now - 600 and is_over(first) then
  local last = redis.call('XREVRANGE', log, (now - 600) * 1000, '-', 'COUNT', 1)[1]
  for _, entry in ipairs(redis.call('XRANGE', log, '-', last[1], 'COUNT', 100 + #ARGV / 4)) do
    first = entry
    if not is_over(entry) then break end
  end
  redis.call('XTRIM', log, 'MINID', first[1])
end
return id
";

/// The beginning of the scripts of a read. A replica may be behind without notice, and so may a primary that has lost
/// its replicas: both refuse a write, even one that changes nothing. A primary that cannot save its data refuses it,
/// too, but is not behind.
macro_rules! on_a_primary {
    ($rest:literal) => {
        concat!(
            "
local write = redis.pcall('XDEL', KEYS[1], '0-0')
if type(write) == 'table' and not string.find(write.err, 'MISCONF', 1, true) then return write end
",
            $rest
        )
    };
}

/// Begins an empty log.
const BEGIN: &str = on_a_primary!(
    "if #redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1) == 0 then
  redis.call('XADD', KEYS[1], '*', 'begin', '1')
end
return 1
"
);

/// Counts the entries with an id: one or none.
const FIND: &str = on_a_primary!(
    "return #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
"
);

/// Adds entries. The answer is the id of the last.
pub(crate) fn append(log: &str, entries: &[RevocationEntry], now: Duration) -> Cmd {
    let mut command = script(APPEND, log);
    for RevocationEntry { key, revoked_at, expires_at, .. } in entries {
        let life = u64::from(*expires_at).saturating_sub(now.as_secs());
        command.arg(key.as_bytes()).arg(*revoked_at).arg(*expires_at).arg(life);
    }
    command
}

/// Begins an empty log. The answer is 1.
pub(crate) fn begin(log: &str) -> Cmd {
    script(BEGIN, log)
}

/// Looks for an entry. The answer is 1, or 0 without it.
pub(crate) fn find(log: &str, id: EntryId) -> Cmd {
    let mut command = script(FIND, log);
    command.arg(id.to_string());
    command
}

/// Reads the entries after an id, and waits for one for this long.
pub(crate) fn read(log: &str, after: EntryId, wait: Duration) -> Cmd {
    let mut command = redis::cmd("XREAD");
    command.arg("COUNT").arg(READ_AT_ONCE);
    // Zero would mean without end.
    let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    if wait > 0 {
        command.arg("BLOCK").arg(wait);
    }
    command.arg("STREAMS").arg(log).arg(after.to_string());
    command
}

fn script(text: &str, log: &str) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(text).arg(1).arg(log);
    command
}

/// The id of an entry: the time of its addition on the clock of Redis, in milliseconds, and a number. A later entry has
/// a higher one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EntryId {
    millis: u64,
    number: u64,
}

impl EntryId {
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::BulkString(text) => str::from_utf8(text).ok()?.parse().ok(),
            _ => None,
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.number)
    }
}

impl FromStr for EntryId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (millis, number) = text.split_once('-').ok_or(())?;
        let read = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse().map_err(|_| ()),
            false => Err(()), // the standard library accepts a sign
        };
        Ok(Self { millis: read(millis)?, number: read(number)? })
    }
}

/// The answer to a read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) entries: Vec<RevocationEntry>,
    /// The ids of all entries, also of those that are not revocations.
    pub(crate) ids: Vec<EntryId>,
    /// How many entries are neither revocations nor a beginning.
    pub(crate) unreadable: usize,
}

impl Page {
    /// Returns none for what is not an answer to a read.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let entries = match value {
            Value::Nil => return Some(Self::default()),
            Value::Map(streams) => &streams.first()?.1,
            Value::Array(streams) => match &**streams {
                [Value::Array(stream)] => stream.get(1)?,
                _ => return None,
            },
            _ => return None,
        };
        let Value::Array(entries) = entries else { return None };
        let mut page = Self::default();
        for entry in entries {
            let Value::Array(entry) = entry else { return None };
            let [id, fields] = &**entry else { return None };
            page.ids.push(EntryId::of(id)?);
            match content(fields) {
                Some(Content::Revocation(entry)) => page.entries.push(entry),
                Some(Content::Begin) => {}
                None => page.unreadable += 1,
            }
        }
        Some(page)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.ids.len() >= READ_AT_ONCE
    }
}

enum Content {
    Revocation(RevocationEntry),
    Begin,
}

fn content(fields: &Value) -> Option<Content> {
    let Value::Array(fields) = fields else { return None };
    let field = |wanted: &[u8]| {
        fields.chunks_exact(2).find_map(|pair| match pair {
            [Value::BulkString(name), Value::BulkString(value)] if name == wanted => {
                Some(value.as_slice())
            }
            _ => None,
        })
    };
    if field(b"begin").is_some() {
        return Some(Content::Begin);
    }
    let time = |name| -> Option<u32> { str::from_utf8(field(name)?).ok()?.parse().ok() };
    let key = RevocationKey::new(field(b"k")?.try_into().ok()?);
    Some(Content::Revocation(RevocationEntry::new(key, time(b"r")?, time(b"e")?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_strictly() {
        for text in ["0-0", "1700000000000-3", "18446744073709551615-18446744073709551615"] {
            assert_eq!(text.parse::<EntryId>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "+1-1",
            "1-+1",
            "1--1",
            "1-1-1",
            " 1-1",
            "1-1 ",
            "1-1\n",
            "a-1",
            "1-a",
            "0x1-1",
            "1.0-1",
            "18446744073709551616-0",
            "\u{661}-1",
            "$",
            "*",
            "(1-1",
        ] {
            assert_eq!(text.parse::<EntryId>(), Err(()), "{text:?}");
        }
        let ids: Vec<EntryId> =
            ["9-9", "10-0", "10-10", "11-9"].map(|id| id.parse().unwrap()).into();
        assert!(ids.is_sorted());
    }

    fn bulk(text: &(impl AsRef<[u8]> + ?Sized)) -> Value {
        Value::BulkString(text.as_ref().to_vec())
    }

    fn answer(all: &[&[(&[u8], &[u8])]]) -> Value {
        let fields = |fields: &[(&[u8], &[u8])]| {
            Value::Array(
                fields.iter().flat_map(|(name, value)| [bulk(name), bulk(value)]).collect(),
            )
        };
        let entries =
            all.iter().map(|entry| Value::Array(vec![bulk("7-0"), fields(entry)])).collect();
        Value::Array(vec![Value::Array(vec![bulk("log"), Value::Array(entries)])])
    }

    #[test]
    fn hostile_entries_are_counted_and_do_no_harm() {
        let good: &[(&[u8], &[u8])] =
            &[(b"k", &[7; 16]), (b"r", b"5"), (b"e", b"9"), (b"l", b"4"), (b"new", b"?")];
        let hostile: [&[(&[u8], &[u8])]; 9] = [
            &[],
            &[(b"", b"")],
            &[(b"k", &[7; 15]), (b"r", b"5"), (b"e", b"9")],
            &[(b"k", &[7; 17]), (b"r", b"5"), (b"e", b"9")],
            &[(b"k", &[7; 16]), (b"r", b"-5"), (b"e", b"9")],
            &[(b"k", &[7; 16]), (b"r", b"5"), (b"e", b"4294967296")],
            &[(b"k", &[7; 16]), (b"r", b"\xff"), (b"e", b"9")],
            &[(b"k", &[7; 16]), (b"r", b"5")],
            &[(b"k", b"\r\n$-1\r\n"), (b"r", b"1e3"), (b"e", b"")],
        ];
        let entry = RevocationEntry::new(RevocationKey::new([7; 16]), 5, 9);
        for bad in hostile {
            let page = Page::of(&answer(&[bad, good, &[(b"begin", b"1")]])).unwrap();
            assert_eq!(
                (page.entries, page.ids.len(), page.unreadable),
                (vec![entry], 3, 1),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn other_answers_are_refused() {
        assert_eq!(Page::of(&Value::Nil), Some(Page::default()));
        let id = |id: Value| {
            let entry = Value::Array(vec![id, Value::Array(Vec::new())]);
            Value::Array(vec![Value::Array(vec![bulk("log"), Value::Array(vec![entry])])])
        };
        assert!(Page::of(&id(bulk("7-0"))).is_some());
        for other in [
            Value::Okay,
            Value::Int(1),
            Value::Array(Vec::new()),
            Value::Map(Vec::new()),
            Value::Array(vec![Value::Array(vec![bulk("log")])]),
            Value::Array(vec![Value::Array(vec![bulk("log"), Value::Nil])]),
            id(Value::Nil),
            id(bulk("7")),
            id(bulk(b"\xff-1")),
        ] {
            assert_eq!(Page::of(&other), None, "{other:?}");
        }
        let Value::Array(streams) = id(bulk("7-0")) else { unreachable!() };
        let Value::Array(stream) = &streams[0] else { unreachable!() };
        let resp3 = Value::Map(vec![(stream[0].clone(), stream[1].clone())]);
        assert_eq!(Page::of(&resp3), Page::of(&id(bulk("7-0"))));
    }
}
