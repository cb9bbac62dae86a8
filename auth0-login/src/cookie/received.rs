//! The cookies of a request (RFC 6265 §5.4), of which those with the names of a login are kept.

/// A browser sends no more for one host. A request with more was not made by one.
const MAX_KEPT: usize = 64;

/// The cookies of a request that a login may have set.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReceivedCookies(Vec<(String, String)>);

impl ReceivedCookies {
    /// Adds the cookies of a header line. Others than those of a login are skipped.
    pub(crate) fn add(&mut self, line: &[u8]) {
        for pair in line.split(|byte| *byte == b';') {
            let Some(end) = pair.iter().position(|byte| *byte == b'=') else { continue };
            let (name, value) = pair.split_at(end);
            let name = name.trim_ascii();
            let bare = name.strip_prefix(b"__Host-").unwrap_or(name);
            let is_of_login = bare.starts_with(b"a0_session") || bare.starts_with(b"a0_tx.");
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if is_of_login
                && self.0.len() < MAX_KEPT
                && let (Ok(name), Ok(value)) = (str::from_utf8(name), str::from_utf8(value))
            {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
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
