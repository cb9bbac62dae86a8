//! A sealed text in one cookie, or in several that begin with their number.
use super::{CookieNames, MAX_COOKIE_BYTES, ReceivedCookies};
use std::time::Duration;

/// With more, requests would exceed what common servers accept in headers.
pub(crate) const MAX_CHUNKS: usize = 5;

/// How many cookies of one name are tried: another host of the domain can set some, too.
const MAX_TRIED: usize = 4;

/// Divides a text into cookies. `None` if it does not fit.
pub(crate) fn divide(
    names: &CookieNames,
    text: &str,
    lasts: Duration,
) -> Option<Vec<(String, String)>> {
    let name = &names.session;
    if names.set(name, text, lasts).len() < MAX_COOKIE_BYTES {
        return Some(vec![(name.clone(), format!("1{text}"))]);
    }
    let overhead = names.set(&format!("{name}.0"), "", lasts).len() + 1;
    let room = MAX_COOKIE_BYTES.checked_sub(overhead)?;
    let count = text.len().div_ceil(room);
    if count > MAX_CHUNKS {
        return None;
    }
    let mut rest = text;
    let chunks = (0..count).map(|number| {
        let (chunk, others) = rest.split_at(room.min(rest.len()));
        rest = others;
        // The first says how many there are: what is left of a longer text is not read.
        let mark = if number == 0 { count.to_string() } else { String::new() };
        (format!("{name}.{number}"), format!("{mark}{chunk}"))
    });
    Some(chunks.collect())
}

/// Returns the texts that the cookies of a request may have, for the caller to try: a bounded number.
pub(crate) fn restored(names: &CookieNames, cookies: &ReceivedCookies) -> Vec<String> {
    let whole = cookies.all(&names.session).take(MAX_TRIED);
    let mut texts: Vec<String> =
        whole.filter_map(|value| value.strip_prefix('1').map(str::to_owned)).collect();
    let chunk = |number: usize| format!("{}.{number}", names.session);
    let first = chunk(0);
    for value in cookies.all(&first).take(MAX_TRIED) {
        let Some((count, start)) = value.split_at_checked(1) else { continue };
        let Some(count) = count.parse().ok().filter(|count| (1..=MAX_CHUNKS).contains(count))
        else {
            continue;
        };
        let rest: Option<Vec<&str>> =
            (1..count).map(|number| last(cookies, &chunk(number))).collect();
        if let Some(rest) = rest {
            texts.push([&[start], rest.as_slice()].concat().concat());
        }
    }
    texts
}

/// Returns the last cookie of a name. Where several hosts have set one, the browser sends the older first.
fn last<'a>(cookies: &'a ReceivedCookies, name: &str) -> Option<&'a str> {
    cookies.all(name).take(MAX_TRIED).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn received(cookies: &[(String, String)]) -> ReceivedCookies {
        let pairs: Vec<String> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut received = ReceivedCookies::default();
        received.add(pairs.join("; ").as_bytes());
        received
    }

    proptest! {
        #[test]
        fn a_text_of_any_length_comes_back(length in 0_usize..20_000, is_secure in any::<bool>()) {
            let names = CookieNames::new(is_secure);
            let text: String = (0..length).map(|place| char::from(b'a' + (place % 26) as u8)).collect();
            let lasts = Duration::from_secs(86_400);
            match divide(&names, &text, lasts) {
                Some(chunks) => {
                    prop_assert!(chunks.len() <= MAX_CHUNKS);
                    for (name, value) in &chunks {
                        prop_assert!(names.set(name, value, lasts).len() <= MAX_COOKIE_BYTES);
                    }
                    prop_assert_eq!(restored(&names, &received(&chunks)), vec![text]);
                }
                None => prop_assert!(length > 18_000),
            }
        }

        /// Whatever a browser sends, a bounded number of texts is tried.
        #[test]
        fn any_cookies_are_bounded(lines in proptest::collection::vec(
            "(__Host-)?a0_session(\\.[0-9x]{0,3})?=[1-9]?[a-z;= ]{0,40}", 0..40,
        )) {
            let mut cookies = ReceivedCookies::default();
            for line in &lines {
                cookies.add(line.as_bytes());
            }
            prop_assert!(restored(&CookieNames::new(true), &cookies).len() <= 2 * MAX_TRIED);
        }
    }
}
