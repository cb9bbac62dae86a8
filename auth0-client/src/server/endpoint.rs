//! The endpoints of an authorization server.
use crate::error::{Error, ErrorKind};
use auth0_core::support::ServerMetadata;

/// Returns the URL of a path at an issuer, which may be written with a slash at its end or without.
pub(super) fn below(issuer: &str, path: &str) -> String {
    format!("{}/{path}", issuer.trim_end_matches('/'))
}

/// An endpoint to which the client sends requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Token,
    Revocation,
    DeviceAuthorization,
    BackchannelAuthentication,
    PushedAuthorization,
    Authorization,
    PasswordlessStart,
    MfaChallenge,
    MfaAssociate,
    MfaAuthenticators,
}

impl Endpoint {
    /// Returns the member of the metadata that has its URL, and its path at a tenant of Auth0.
    const fn names(self) -> (Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Token => (Some("token_endpoint"), Some("oauth/token")),
            Self::Revocation => (Some("revocation_endpoint"), Some("oauth/revoke")),
            Self::DeviceAuthorization => {
                (Some("device_authorization_endpoint"), Some("oauth/device/code"))
            }
            Self::BackchannelAuthentication => {
                (Some("backchannel_authentication_endpoint"), Some("bc-authorize"))
            }
            // In the metadata only where the tenant has enabled it.
            Self::PushedAuthorization => (Some("pushed_authorization_request_endpoint"), None),
            Self::Authorization => (Some("authorization_endpoint"), Some("authorize")),
            Self::PasswordlessStart => (None, Some("passwordless/start")),
            Self::MfaChallenge => (Some("mfa_challenge_endpoint"), Some("mfa/challenge")),
            Self::MfaAssociate => (None, Some("mfa/associate")),
            Self::MfaAuthenticators => (None, Some("mfa/authenticators")),
        }
    }

    /// Returns the URL: for a client with a certificate the alias for it, if there is one (RFC 8705 §5).
    pub(super) fn url(
        self,
        metadata: &ServerMetadata,
        has_certificate: bool,
        is_auth0: bool,
    ) -> Result<String, Error> {
        let (name, path) = self.names();
        let of_metadata = name.and_then(|name| {
            let alias = has_certificate.then(|| metadata.mtls_endpoint(name)).flatten();
            alias.or_else(|| metadata.endpoint(name))
        });
        let issuer = metadata.issuer().as_str();
        // What a tenant of Auth0 does not name is at its path; another provider does not have it.
        let is_known = name.is_none() || self == Self::MfaChallenge || is_auth0;
        let by_path = || Some(below(issuer, path.filter(|_| is_known)?));
        of_metadata.or_else(by_path).ok_or_else(|| {
            let name = name.unwrap_or_default();
            let advice = match self {
                Self::PushedAuthorization => {
                    ". Enable it: Dashboard > Settings > Advanced > Allow Pushed Authorization Requests"
                }
                _ => "",
            };
            Error::new(
                ErrorKind::Misconfigured,
                format!("The metadata of {issuer} has no {name} that can be used{advice}"),
            )
        })
    }
}
