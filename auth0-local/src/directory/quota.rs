use serde::Deserialize;

/// How many tokens of `client_credentials` a client or an organization gets.
///
/// ```
/// use auth0_local::{Client, LocalTenant, Quota};
///
/// let reporting = Client::confidential("reporting", "secret").token_quota(Quota::new().per_hour(10).per_day(50));
/// let tenant = LocalTenant::builder()
///     .client(reporting)
///     .organization_quota("org_acme", Quota::new().per_day(100));
/// # let _ = tenant;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Quota {
    per_hour: Option<u32>,
    per_day: Option<u32>,
}

impl Quota {
    /// Creates a quota without a limit.
    pub const fn new() -> Self {
        Self { per_hour: None, per_day: None }
    }

    /// Limits the tokens of an hour, which begins with the first one.
    pub const fn per_hour(mut self, tokens: u32) -> Self {
        self.per_hour = Some(tokens);
        self
    }

    /// Limits the tokens of a day, which begins with the first one.
    pub const fn per_day(mut self, tokens: u32) -> Self {
        self.per_day = Some(tokens);
        self
    }

    /// Returns the limits with their names and lengths in seconds.
    pub(crate) fn limits(self) -> impl Iterator<Item = (&'static str, u64, u32)> {
        let hour = self.per_hour.map(|tokens| ("per_hour", 3600, tokens));
        hour.into_iter().chain(self.per_day.map(|tokens| ("per_day", 86_400, tokens)))
    }
}
