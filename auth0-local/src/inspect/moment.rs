//! Times as people read them.
use crate::events::to_rfc3339;
use serde_json::Value;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// 9999-12-31T23:59:59Z, the last time that is written as a date.
const LAST: f64 = 253_402_300_799.0;

/// Returns the date of a `NumericDate` (RFC 7519 §2), and its distance from now. `None` for what is no time.
pub(super) fn of(value: &Value, now: Duration) -> Option<String> {
    let seconds = value.as_f64()?;
    if !(0.0..=LAST).contains(&seconds) {
        return Some("not a time between 1970 and 9999".to_owned());
    }
    let moment = Duration::try_from_secs_f64(seconds).ok()?;
    let text = to_rfc3339(moment);
    let date = text.get(..19).unwrap_or_default().replace('T', " ");
    Some(format!("{date} UTC, {}", distance(moment, now)))
}

/// Returns how far a time is from now: `3 minutes ago`, `in 23 hours`.
pub(super) fn distance(moment: Duration, now: Duration) -> String {
    let (moment, now) = (moment.as_secs(), now.as_secs());
    match moment.abs_diff(now) {
        0 => "now".to_owned(),
        far if moment > now => format!("in {}", length(far)),
        far => format!("{} ago", length(far)),
    }
}

/// Returns a length of time in its largest unit of which there are two, rounded down.
fn length(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7_199 => (seconds / MINUTE, "minute"),
        7_200..=172_799 => (seconds / HOUR, "hour"),
        _ => (seconds / DAY, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_readable() {
        let now = Duration::from_secs(1_767_225_600);
        for (value, text) in [
            (json!(1_767_225_600), "2026-01-01 00:00:00 UTC, now"),
            (json!(1_767_225_601), "2026-01-01 00:00:01 UTC, in 1 second"),
            (json!(1_767_225_600.5), "2026-01-01 00:00:00 UTC, now"),
            (json!(1_767_225_420), "2025-12-31 23:57:00 UTC, 3 minutes ago"),
            (json!(1_767_308_400), "2026-01-01 23:00:00 UTC, in 23 hours"),
            (json!(0), "1970-01-01 00:00:00 UTC, 20454 days ago"),
            (json!(253_402_300_799_u64), "9999-12-31 23:59:59 UTC, in 2912442 days"),
            (json!(-1), "not a time between 1970 and 9999"),
            (json!(1e300), "not a time between 1970 and 9999"),
            (json!(1_767_225_600_000_u64), "not a time between 1970 and 9999"),
        ] {
            assert_eq!(of(&value, now).as_deref(), Some(text), "{value}");
        }
        assert_eq!(of(&json!("soon"), now), None);
    }
}
