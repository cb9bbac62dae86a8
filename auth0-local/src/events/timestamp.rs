//! Times of RFC 3339.
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// The last year that RFC 3339 can write.
const MAX_YEAR: u64 = 9999;

/// Writes a time since 1970 with milliseconds: `2025-06-01T12:00:00.000Z`.
pub(crate) fn to_rfc3339(time: Duration) -> String {
    let (year, month, day) = date(time.as_secs() / DAY);
    let second = time.as_secs() % DAY;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        time.subsec_millis()
    )
}

/// Reads a time since 1970, of any offset and with any fraction. `None` for other text, and for times before 1970.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Duration> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_fraction = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_time = hour < 24 && minute < 60 && second <= 60 && is_fraction;
    let is_date = (1..=12).contains(&month) && (1..=length(year, month)).contains(&day);
    if !is_time || !is_date {
        return None;
    }
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    let local = days(year, month, day)? * DAY + hour * 3600 + minute * 60 + second;
    let utc = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => local,
        (sign, offset) => {
            let [hours, minutes] = numbers(offset, ':', [2, 2])?;
            let offset = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
            if sign == "+" { local.checked_sub(offset)? } else { local + offset }
        }
    };
    Some(Duration::from_secs(utc) + Duration::from_secs_f64(fraction))
}

/// Reads numbers of these lengths.
fn numbers<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[u64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let part = parts.next()?;
        let is_number = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        *number = is_number.then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(numbers)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Returns the number of days of a month.
const fn length(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns the days from 1970 to the beginning of a year.
fn days_to(year: u64) -> u64 {
    let leap_days = |before: u64| before / 4 - before / 100 + before / 400;
    (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
}

/// Returns the days from 1970 to a date.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let months: u64 = (1..month).map(|month| length(year, month)).sum();
    (1970..=MAX_YEAR).contains(&year).then(|| days_to(year) + months + day - 1)
}

/// Returns the year, month and day of a day since 1970.
fn date(day: u64) -> (u64, u64, u64) {
    let mut year = (1970 + day / 366).min(MAX_YEAR);
    while year < MAX_YEAR && days_to(year + 1) <= day {
        year += 1;
    }
    let mut rest = day - days_to(year);
    let mut month = 1;
    while month < 12 && rest >= length(year, month) {
        rest -= length(year, month);
        month += 1;
    }
    (year, month, rest.min(30) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_799, "2000-02-29T23:59:59.000Z"),
            (1_748_779_200, "2025-06-01T12:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000Z"),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!((to_rfc3339(time), parse_rfc3339(text)), (text.into(), Some(time)));
        }
        let noon = Duration::from_secs(1_748_779_200);
        for text in [
            "2025-06-01T12:00:00Z",
            "2025-06-01t12:00:00z",
            "2025-06-01 14:00:00+02:00",
            "2025-06-01T03:30:00-08:30",
        ] {
            assert_eq!(parse_rfc3339(text), Some(noon), "{text}");
        }
        let half = Some(noon + Duration::from_millis(500));
        assert_eq!(parse_rfc3339("2025-06-01T12:00:00.5Z"), half);
        assert_eq!(to_rfc3339(noon + Duration::from_millis(7)), "2025-06-01T12:00:00.007Z");
    }

    #[test]
    fn other_text_is_no_time() {
        for text in [
            "",
            "now",
            "1748779200",
            "2025-06-01",
            "2025-06-01T12:00:00",
            "2025-6-1T12:00:00Z",
            "2025-02-29T12:00:00Z",
            "2025-13-01T12:00:00Z",
            "2025-00-01T12:00:00Z",
            "2025-06-01T24:00:00Z",
            "2025-06-01T12:60:00Z",
            "2025-06-01T12:00:00.xZ",
            "2025-06-01T12:00:00Zjunk",
            "2025-06-01T12:00:00+2:00",
            "2025-06-01T12:00:00+99:00",
            "2025-06-01T12:00:00-",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "+025-06-01T12:00:00Z",
            "2025-06-01T12:00:00é",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut before = date(0);
        for day in 1..200_000 {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), Some(day));
            assert!((year, month, of_month) > before);
            before = (year, month, of_month);
        }
    }
}
