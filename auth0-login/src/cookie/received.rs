//! The cookies of a request (RFC 6265 §5.4), of which those with the names of a login are kept.
use super::CookieNames;

/// More than a login sets. Others of these names were set by another host of the domain, or by no browser.
const MAX_KEPT: usize = 64;

/// The cookies of a request that a login may have set.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReceivedCookies(Vec<(String, String)>);

impl ReceivedCookies {
    /// Reads the lines of `Cookie`. Cookies with other names are skipped.
    pub(crate) fn new<'a>(lines: impl Iterator<Item = &'a [u8]>, names: &CookieNames) -> Self {
        let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';')).filter_map(|pair| {
            let end = pair.iter().position(|byte| *byte == b'=')?;
            let (name, value) = pair.split_at(end);
            let name = str::from_utf8(name.trim_ascii()).ok().filter(|name| names.has(name))?;
            let value = str::from_utf8(value.get(1..)?.trim_ascii()).ok()?;
            Some((name.to_owned(), value.to_owned()))
        });
        Self(pairs.take(MAX_KEPT).collect())
    }

    /// Returns the values of a name: several if another host of the domain has set one, too.
    pub(crate) fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Returns the names that begin with this, in their order.
    pub(crate) fn names<'a, 'n>(
        &'a self,
        start: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0.iter().map(|(name, _)| name.as_str()).filter(move |name| name.starts_with(start))
    }
}
