//! The time after which a server wants to be asked again.
use std::time::{Duration, UNIX_EPOCH};

/// Reads `Retry-After` (RFC 9110 §10.2.3): a number of seconds, or the time until a date, if the time since 1970 is known. A
/// number that is too large is the longest time.
#[must_use]
pub fn retry_after(text: &str, now: Option<Duration>) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    Some(date(text)?.saturating_sub(now?))
}

/// Reads a date of a header, as the time since 1970.
pub(super) fn date(text: &str) -> Option<Duration> {
    httpdate::parse_http_date(text.trim()).ok()?.duration_since(UNIX_EPOCH).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_seconds_or_a_date() {
        let now = Some(Duration::from_secs(784_111_777)); // Sun, 06 Nov 1994 08:49:37 GMT
        for (text, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:57 GMT", Some(20)),
            ("Sunday, 06-Nov-94 08:49:57 GMT", Some(20)),
            ("Sun Nov  6 08:49:57 1994", Some(20)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("86400", Some(86_400)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
            ("Sun, 06 Nov 1994", None),
        ] {
            assert_eq!(retry_after(text, now), expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after("99999999999999999999", now), Some(Duration::MAX));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:57 GMT", None), None);
        assert_eq!(retry_after("7", None), Some(Duration::from_secs(7)));
    }
}
