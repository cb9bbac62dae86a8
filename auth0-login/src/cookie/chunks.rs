//! A sealed text in one cookie, or in several that begin with their number.
use super::{CookieNames, MAX_COOKIE_BYTES, ReceivedCookies};
use std::time::Duration;

/// With more, requests would exceed what common servers accept in headers.
pub(crate) const MAX_CHUNKS: usize = 5;

/// How many cookies of one name are tried: another host of the domain can set some, too.
const MAX_TRIED: usize = 4;

/// The start of the text, which is random, marks all of its chunks: those of another text are not taken for them.
const MARK_BYTES: usize = 8;

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
    let overhead = names.set(&format!("{name}.0"), "", lasts).len() + MARK_BYTES;
    let room = MAX_COOKIE_BYTES.checked_sub(overhead)?;
    let count = text.len().div_ceil(room);
    if count > MAX_CHUNKS {
        return None;
    }
    let mark = text.get(..MARK_BYTES)?;
    let mut rest = text;
    let chunks = (0..count).map(|number| {
        let (chunk, others) = rest.split_at(room.min(rest.len()));
        rest = others;
        // The first says how many there are: what is left of a longer text is not read.
        let start = if number == 0 { &*count.to_string() } else { mark };
        (format!("{name}.{number}"), format!("{start}{chunk}"))
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
        let Some(mark) = start.get(..MARK_BYTES) else { continue };
        let rest: Option<Vec<&str>> = (1..count)
            .map(|number| cookies.all(&chunk(number)).find_map(|value| value.strip_prefix(mark)))
            .collect();
        if let Some(rest) = rest {
            texts.push([&[start], rest.as_slice()].concat().concat());
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn received(cookies: &[(String, String)]) -> ReceivedCookies {
        let pairs: Vec<String> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let names = [CookieNames::new("a0", true), CookieNames::new("a0", false)];
        let line = pairs.join("; ");
        let names = names.into_iter().find(|names| names.has(&cookies[0].0)).unwrap();
        ReceivedCookies::new([line.as_bytes()].into_iter(), &names)
    }

    proptest! {
        #[test]
        fn a_text_of_any_length_comes_back(length in 0_usize..20_000, is_secure in any::<bool>()) {
            let names = CookieNames::new("a0", is_secure);
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
            let names = CookieNames::new("a0", true);
            let cookies = ReceivedCookies::new(lines.iter().map(String::as_bytes), &names);
            prop_assert!(restored(&names, &cookies).len() <= 2 * MAX_TRIED);
        }
    }
    /// Chunks of another text, before and after the good ones, are not taken for them.
    #[test]
    fn chunks_of_another_text_are_left_out() {
        let names = CookieNames::new("a0", false);
        let lasts = Duration::from_secs(86_400);
        let texts = ["a".repeat(8000), "b".repeat(9000)];
        let [good, other] = texts.each_ref().map(|text| divide(&names, text, lasts).unwrap());
        for places in 1_usize..1 << 3 {
            let tossed = |number: &usize| places & (1 << number) != 0;
            let tossed: Vec<_> = (0..3).filter(tossed).map(|at| other[at].clone()).collect();
            for all in [[good.clone(), tossed.clone()].concat(), [tossed, good.clone()].concat()] {
                assert!(restored(&names, &received(&all)).contains(&texts[0]), "{places:b}");
            }
        }
    }
}
