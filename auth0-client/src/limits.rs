//! The limits in the headers of Auth0's answers.
use auth0_core::{support, transport::HttpResponse};
use std::time::Duration;

/// A rate limit starts anew within this time. A later end means that one of two clocks is wrong.
const MAX_RESET: Duration = Duration::from_secs(60);

/// The longest time of a quota, and the longest `Retry-After` that is obeyed.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Several times as many buckets as Auth0 has.
const MAX_BUCKETS: usize = 16;

/// The limits that an answer tells of.
///
/// They are also in the metrics (feature `metrics`), and the client waits for them within the deadline of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// `Retry-After`: a number of seconds, or the time until a date (RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
    /// `x-ratelimit-*`: the limit of the tenant for this endpoint.
    pub rate: Option<RateLimit>,
    /// `Auth0-Client-Quota-Limit` and `Auth0-Organization-Quota-Limit`.
    pub quotas: Vec<Quota>,
    /// Whether a rate limit policy of the tenant applied: `Auth0-RateLimit`.
    pub has_policy: bool,
}

/// The rate limit of the tenant for an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// The requests that are left.
    pub remaining: u64,
    /// The time at which the limit starts anew, in seconds since 1970.
    pub reset: u64,
}

/// A quota of tokens for machines.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// Whether it is that of an organization, and not of the client.
    pub is_of_organization: bool,
    /// The name of the bucket: `per_hour` or `per_day`.
    pub bucket: Box<str>,
    /// The size of the bucket.
    pub quota: u64,
    /// The tokens that are left.
    pub remaining: u64,
    /// The time after which the bucket is full again.
    pub resets_after: Duration,
}

impl Limits {
    /// Reads the headers of an answer. What cannot be read is left out.
    pub(crate) fn read(answer: &HttpResponse, unix_time: Duration) -> Self {
        let number = |name: &str| answer.header(name)?.trim().parse::<u64>().ok();
        let rate = number("x-ratelimit-remaining").zip(number("x-ratelimit-reset"));
        let mut quotas = Vec::new();
        for (name, is_of_organization) in
            [("auth0-client-quota-limit", false), ("auth0-organization-quota-limit", true)]
        {
            let text = answer.header(name).unwrap_or_default();
            let buckets = text.split(',').filter_map(|text| Quota::parse(text, is_of_organization));
            quotas.extend(buckets.take(MAX_BUCKETS));
        }
        Self {
            retry_after: answer.header("retry-after").and_then(|text| retry_after(text, unix_time)),
            rate: rate.map(|(remaining, reset)| RateLimit { remaining, reset }),
            quotas,
            has_policy: answer.header("auth0-ratelimit").is_some(),
        }
    }

    /// Returns how long to wait after a refusal: `Retry-After`, else the end of a used-up quota, else that of the
    /// rate limit, at this time since 1970.
    pub(crate) fn wait(&self, unix_time: Duration) -> Option<Duration> {
        let of_quota = || {
            let used_up = self.quotas.iter().filter(|quota| quota.remaining == 0);
            used_up.map(|quota| quota.resets_after).max()
        };
        let of_rate = || {
            let reset = Duration::from_secs(self.rate.as_ref()?.reset);
            // The reset may be past on a clock that is ahead: the shortest wait is a second.
            Some(reset.saturating_sub(unix_time).clamp(Duration::from_secs(1), MAX_RESET))
        };
        let wait = self.retry_after.or_else(of_quota).or_else(of_rate)?;
        Some(wait.min(MAX_WAIT))
    }

    /// Returns whether a refusal is about all requests to the endpoint, and not about this client, its organization or
    /// a policy. Auth0 has limits for each endpoint, some of them for each address or user.
    pub(crate) fn is_of_endpoint(&self) -> bool {
        let is_used_up = self.quotas.iter().any(|quota| quota.remaining == 0);
        !is_used_up && !self.has_policy && self.rate.is_some_and(|rate| rate.remaining == 0)
    }
}

/// Reads `Retry-After` at this time since 1970. A time that is too long is cut.
pub(crate) fn retry_after(text: &str, unix_time: Duration) -> Option<Duration> {
    support::retry_after(text, Some(unix_time)).map(|wait| wait.min(MAX_WAIT))
}

impl Quota {
    /// Parses a bucket: `b=per_hour;q=10;r=7;t=3540`.
    fn parse(text: &str, is_of_organization: bool) -> Option<Self> {
        let member = |name: char| {
            let mut members = text.split(';').map(str::trim);
            members.find_map(|member| member.strip_prefix(name)?.strip_prefix('='))
        };
        let number = |name| member(name)?.parse::<u64>().ok();
        let bucket = member('b')?;
        let is_name = bucket.len() <= 32
            && bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then_some(())?;
        Some(Self {
            is_of_organization,
            bucket: bucket.into(),
            quota: number('q')?,
            remaining: number('r')?,
            resets_after: Duration::from_secs(number('t')?).min(MAX_WAIT),
        })
    }
}
