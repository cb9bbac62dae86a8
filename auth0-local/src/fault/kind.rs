use std::time::Duration;

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    Status { code: u16, retry_after: Option<u64> },
    Throttled { limit: Throttle, seconds: u64 },
    Slow(Duration),
    Hang,
    Reset,
    Lost,
    Garbage,
    Wrong,
    Html { code: u16 },
    Huge,
    Redirect,
    Empty,
    Blank { code: u16 },
}

/// A limit of Auth0, each of which answers in its own way: see [`Fault::throttled`](crate::Fault::throttled).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Throttle {
    /// The limit of the tenant: `x-ratelimit-reset` says when it ends.
    Tenant,
    /// A custom rate limit policy: `Retry-After` and `Auth0-RateLimit`.
    Policy,
    /// The quota of the client: `Auth0-Client-Quota-Limit`.
    ClientQuota,
    /// The quota of the organization: `Auth0-Organization-Quota-Limit`.
    OrganizationQuota,
}

impl Throttle {
    pub(super) const ALL: [Self; 4] =
        [Self::Tenant, Self::Policy, Self::ClientQuota, Self::OrganizationQuota];

    /// Returns the name in the text of a fault.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tenant => "throttled",
            Self::Policy => "policy",
            Self::ClientQuota => "quota",
            Self::OrganizationQuota => "organization-quota",
        }
    }
}
