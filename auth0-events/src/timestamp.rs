//! Times of RFC 3339.
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// The days from the year 0, which begins in March, to 1970.
const TO_1970: u64 = 719_468;

/// The days of 400 years.
const ERA: u64 = 146_097;

/// Reads a time since 1970. `None` for other text, and for times before 1970.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (time, zone) = rest.split_at_checked(rest.find(['Z', 'z', '+', '-'])?)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let is_valid = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && (1..=18).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nanos: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let days = days_to(year, month, day).checked_sub(TO_1970)?;
    let local = days * DAY + hour * 3600 + minute * 60 + second;
    let seconds = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => local,
        (sign @ ("+" | "-"), offset) => {
            let [hours, minutes] = numbers(offset, ':', [2, 2])?;
            let offset = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
            if sign == "+" { local.checked_sub(offset)? } else { local + offset }
        }
        _ => return None,
    };
    is_valid.then(|| Duration::new(seconds, nanos))
}

/// Writes a time since 1970 with milliseconds. A time after the year 9999 is written as its end.
pub(crate) fn write(time: Duration) -> String {
    const END: Duration = Duration::from_millis(253_402_300_799_999);
    let time = time.min(END);
    let (day, second) = (time.as_secs() / DAY + TO_1970, time.as_secs() % DAY);
    let (era, day) = (day / ERA, day % ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    // Months since March.
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (era * 400 + year, month + 3),
        _ => (era * 400 + year + 1, month - 9),
    };
    format!(
        "{year:04}-{month:02}-{of_month:02}T{:02}:{:02}:{:02}.{:03}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
        time.subsec_millis()
    )
}

/// Returns the days from the year 0, which begins in March. The month is one of 1 to 12, or the time is refused later.
fn days_to(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = match month {
        0..=2 => (year.saturating_sub(1), month + 9),
        _ => (year, month - 3),
    };
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day.saturating_sub(1)
}

const fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_799, "2000-02-29T23:59:59.000Z"),
            (1_748_779_200, "2025-06-01T12:00:00.000Z"),
            (1_767_225_599, "2025-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000Z"),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!((write(time), parse(text)), (text.to_owned(), Some(time)));
        }
        let noon = Duration::from_secs(1_748_779_200);
        for text in
            ["2025-06-01T14:00:00+02:00", "2025-06-01t12:00:00z", "2025-06-01T03:30:00-08:30"]
        {
            assert_eq!(parse(text), Some(noon), "{text}");
        }
        let part = parse("2025-06-01T12:00:00.000123456789Z");
        assert_eq!(part, Some(noon + Duration::from_nanos(123_456)));
        assert_eq!(write(Duration::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn other_text() {
        for text in [
            "",
            "now",
            "1748779200",
            "2025-06-01",
            "2025-06-01T12:00:00",
            "2025-06-01T12:00:00.Z",
            "2025-02-29T12:00:00Z",
            "2025-13-01T12:00:00Z",
            "2025-00-01T12:00:00Z",
            "2025-01-00T12:00:00Z",
            "2025-06-01T24:00:00Z",
            "2025-06-01T12:00:00.xZ",
            "2025-06-01T12:00:00Zjunk",
            "2025-06-01T12:00:00+2:00",
            "2025-06-01T12:00:00+99:00",
            "2025-06-01T12:00:00é",
            "1969-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "1970-01-01T00:00:00+01:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(millis in 0..253_402_300_800_000_u64, text in any::<String>()) {
            let time = Duration::from_millis(millis);
            prop_assert_eq!(parse(&write(time)), Some(time));
            let _ = parse(&text);
        }
    }
}
