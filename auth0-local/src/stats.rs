use crate::endpoint::Endpoint;

/// Counts the HTTP requests that a tenant received since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests for the metadata.
    pub metadata: Requests,
    /// Requests for the key set.
    pub key_set: Requests,
    /// Requests to `/authorize`.
    pub authorize: Requests,
    /// Requests to `/oauth/token`, whatever the response.
    pub token: Requests,
    /// Requests to `/userinfo`.
    pub user_info: Requests,
    /// Requests to `/oauth/revoke`.
    pub revoke: Requests,
    /// Requests to `/v2/logout` and `/oidc/logout`.
    pub logout: Requests,
    /// Requests to `/oidc/register`.
    pub register: Requests,
    /// Requests to `/oauth/device/code`.
    pub device: Requests,
    /// Requests to `/bc-authorize`.
    pub backchannel: Requests,
    /// Requests to `/oauth/par`.
    pub pushed_request: Requests,
    /// Requests to `/passwordless/start`.
    pub passwordless: Requests,
    /// Requests to `/mfa/challenge`, `/mfa/associate` and `/mfa/authenticators`.
    pub mfa: Requests,
    /// Requests to `/api/v2/events`.
    pub events: Requests,
    /// Requests to the target of [`Fault::redirect`](crate::Fault::redirect). A verifier should
    /// never send one.
    pub redirect_target: u64,
}

/// Counts the requests to one endpoint, when they arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requests {
    /// Requests that were answered without a fault.
    pub served: u64,
    /// Requests that met a fault, [`Fault::slow`](crate::Fault::slow) included.
    pub faulted: u64,
}

impl Requests {
    /// Returns the number of all requests.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.served.saturating_add(self.faulted)
    }
}

impl Stats {
    /// Returns the counts of one endpoint.
    #[must_use]
    pub const fn requests(&self, endpoint: Endpoint) -> Requests {
        match endpoint {
            Endpoint::Metadata => self.metadata,
            Endpoint::KeySet => self.key_set,
            Endpoint::Authorize => self.authorize,
            Endpoint::Token => self.token,
            Endpoint::UserInfo => self.user_info,
            Endpoint::Revoke => self.revoke,
            Endpoint::Logout => self.logout,
            Endpoint::Register => self.register,
            Endpoint::Device => self.device,
            Endpoint::Backchannel => self.backchannel,
            Endpoint::PushedRequest => self.pushed_request,
            Endpoint::Passwordless => self.passwordless,
            Endpoint::Mfa => self.mfa,
            Endpoint::Events => self.events,
        }
    }

    pub(crate) fn requests_mut(&mut self, endpoint: Endpoint) -> &mut Requests {
        match endpoint {
            Endpoint::Metadata => &mut self.metadata,
            Endpoint::KeySet => &mut self.key_set,
            Endpoint::Authorize => &mut self.authorize,
            Endpoint::Token => &mut self.token,
            Endpoint::UserInfo => &mut self.user_info,
            Endpoint::Revoke => &mut self.revoke,
            Endpoint::Logout => &mut self.logout,
            Endpoint::Register => &mut self.register,
            Endpoint::Device => &mut self.device,
            Endpoint::Backchannel => &mut self.backchannel,
            Endpoint::PushedRequest => &mut self.pushed_request,
            Endpoint::Passwordless => &mut self.passwordless,
            Endpoint::Mfa => &mut self.mfa,
            Endpoint::Events => &mut self.events,
        }
    }
}
