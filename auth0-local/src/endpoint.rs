use auth0_testing::Document;

/// An endpoint of a local tenant, which can have a [`Fault`](crate::Fault) and counts its requests.
///
/// A [`Document`] is an endpoint, too: `set_fault(Document::KeySet, …)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// The metadata, under both of its URLs.
    Metadata,
    /// The key set.
    KeySet,
    /// `/authorize`.
    Authorize,
    /// `/oauth/token`.
    Token,
    /// `/userinfo`.
    UserInfo,
    /// `/oauth/revoke`.
    Revoke,
    /// `/v2/logout` and `/oidc/logout`.
    Logout,
    /// `/oidc/register`.
    Register,
    /// `/oauth/device/code`.
    Device,
    /// `/bc-authorize`.
    Backchannel,
    /// `/oauth/par`.
    PushedRequest,
    /// `/passwordless/start`.
    Passwordless,
    /// `/mfa/challenge`, `/mfa/associate` and `/mfa/authenticators`.
    Mfa,
    /// `/api/v2/events`.
    Events,
}

impl Endpoint {
    /// All endpoints, in the order of their numbers.
    pub(crate) const ALL: [Self; 14] = [
        Self::Metadata,
        Self::KeySet,
        Self::Authorize,
        Self::Token,
        Self::UserInfo,
        Self::Revoke,
        Self::Logout,
        Self::Register,
        Self::Device,
        Self::Backchannel,
        Self::PushedRequest,
        Self::Passwordless,
        Self::Mfa,
        Self::Events,
    ];

    /// Returns the name on the command line, in JSON and in the path of a redirect.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::KeySet => "jwks",
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::UserInfo => "userinfo",
            Self::Revoke => "revoke",
            Self::Logout => "logout",
            Self::Register => "register",
            Self::Device => "device",
            Self::Backchannel => "backchannel",
            Self::PushedRequest => "par",
            Self::Passwordless => "passwordless",
            Self::Mfa => "mfa",
            Self::Events => "events",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.name() == name)
    }

    /// Returns whether it serves a document of every tenant, and no request of a user or client.
    pub(crate) const fn is_document(self) -> bool {
        matches!(self, Self::Metadata | Self::KeySet)
    }
}

impl From<Document> for Endpoint {
    fn from(document: Document) -> Self {
        match document {
            Document::Metadata => Self::Metadata,
            _ => Self::KeySet,
        }
    }
}
