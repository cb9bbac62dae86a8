mod check;

use super::{
    ClientGrant, ClientKey, Quota,
    grant_types::{
        AUTHORIZATION_CODE, CLIENT_CREDENTIALS, GRANT_TYPES, REFRESH_TOKEN, TOKEN_EXCHANGE,
        TOKEN_VAULT,
    },
    redirect::{is_endpoint_url, is_loopback_url, is_redirect_url},
    vault_access::VaultAccess,
};
use crate::secret;
use serde::Deserialize;
use std::fmt;
use url::Url;

/// An application that is registered with the tenant.
///
/// ```
/// use auth0_local::Client;
///
/// let web = Client::confidential("web", "secret")
///     .callback("http://localhost:3000/auth/callback")
///     .logout_url("http://localhost:3000/");
/// let spa = Client::public("spa").callback("http://localhost:5173/");
/// assert!(!format!("{web:?}").contains("secret"), "secrets do not print");
/// # let _ = spa;
/// ```
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Client {
    #[serde(rename = "client_id")]
    id: String,
    #[serde(rename = "client_secret")]
    secret: Option<String>,
    #[serde(default)]
    public_keys: Vec<ClientKey>,
    /// The SHA-256 of the certificate's DER, in base64url.
    certificate_thumbprint: Option<String>,
    #[serde(default)]
    callbacks: Vec<String>,
    #[serde(default)]
    allowed_logout_urls: Vec<String>,
    #[serde(default)]
    backchannel_logout_urls: Vec<String>,
    /// Unset, those of a client of this kind.
    grant_types: Option<Vec<String>>,
    #[serde(default)]
    multi_resource_refresh_tokens: bool,
    /// Unset, the client may request any API with any scope.
    client_grants: Option<Vec<ClientGrant>>,
    default_organization: Option<String>,
    app_type: Option<AppType>,
    resource_server_identifier: Option<String>,
    token_vault_privileged_access: Option<VaultAccess>,
    token_quota: Option<Quota>,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    /// Whether it is not registered, and was accepted nevertheless.
    #[serde(skip)]
    is_open: bool,
}

/// The kind of application, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AppType {
    RegularWeb,
    Spa,
    Native,
    NonInteractive,
    /// A Custom API client: the API itself, as the client of others.
    ResourceServer,
}

impl Client {
    /// Creates a client without a secret: a single-page application, a native application or a program
    /// for agents. It needs PKCE.
    pub fn public(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: None,
            public_keys: Vec::new(),
            certificate_thumbprint: None,
            callbacks: Vec::new(),
            allowed_logout_urls: Vec::new(),
            backchannel_logout_urls: Vec::new(),
            grant_types: None,
            multi_resource_refresh_tokens: false,
            client_grants: None,
            default_organization: None,
            app_type: None,
            resource_server_identifier: None,
            token_vault_privileged_access: None,
            token_quota: None,
            require_pushed_authorization_requests: false,
            is_open: false,
        }
    }

    /// Creates a client with a secret: a web application or a machine. It sends the secret with
    /// `client_secret_post` or `client_secret_basic`.
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { secret: Some(secret.into()), ..Self::public(id) }
    }

    /// Creates a client that signs its requests (`private_key_jwt`).
    pub fn with_key(id: impl Into<String>, key: ClientKey) -> Self {
        Self::public(id).public_key(key)
    }

    /// Creates a client that authenticates with a certificate (mTLS): the SHA-256 of its DER, in base64url
    /// without padding. Its tokens are bound to the certificate. The tenant needs
    /// [`mtls`](crate::Builder::mtls).
    pub fn with_certificate(id: impl Into<String>, thumbprint: impl Into<String>) -> Self {
        Self { certificate_thumbprint: Some(thumbprint.into()), ..Self::public(id) }
    }

    /// Returns a public client that is not registered and redirects to this machine.
    pub(crate) fn open(id: &str) -> Self {
        Self { is_open: true, multi_resource_refresh_tokens: true, ..Self::public(id) }
    }

    /// Adds an allowed `redirect_uri`, which requests must repeat exactly.
    pub fn callback(mut self, url: impl Into<String>) -> Self {
        self.callbacks.push(url.into());
        self
    }

    /// Adds an allowed `returnTo` and `post_logout_redirect_uri`, which requests must repeat exactly.
    pub fn logout_url(mut self, url: impl Into<String>) -> Self {
        self.allowed_logout_urls.push(url.into());
        self
    }

    /// Adds a URL that receives logout tokens (OpenID Connect Back-Channel Logout): see
    /// [`LocalTenant::log_out`](crate::LocalTenant::log_out).
    pub fn backchannel_logout_url(mut self, url: impl Into<String>) -> Self {
        self.backchannel_logout_urls.push(url.into());
        self
    }

    /// Adds a public key. A client without a secret and without a certificate authenticates with it, others sign
    /// request objects (JAR) and the JWTs of a privileged worker with it.
    pub fn public_key(mut self, key: ClientKey) -> Self {
        self.public_keys.push(key);
        self
    }

    /// Adds an API that the client may request, and its scopes. From the first one on, it may request no other.
    pub fn grant(mut self, grant: ClientGrant) -> Self {
        self.client_grants.get_or_insert_default().push(grant);
        self
    }

    /// Sets the organization of requests that name none, where a grant
    /// [requires](ClientGrant::organizations_required) one.
    pub fn default_organization(mut self, organization: impl Into<String>) -> Self {
        self.default_organization = Some(organization.into());
        self
    }

    /// Makes it the client of an API (a Custom API client), which exchanges the tokens that it receives: on behalf
    /// of the user, or for those of connected accounts.
    pub fn resource_server(mut self, identifier: impl Into<String>) -> Self {
        self.app_type = Some(AppType::ResourceServer);
        self.resource_server_identifier = Some(identifier.into());
        self
    }

    /// Makes it a privileged worker, which gets tokens of this connection for users who are not present: it signs a
    /// JWT that names the user. The tokens have no scopes except these.
    pub fn privileged_access<S: Into<String>>(
        mut self,
        connection: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        let access = self.token_vault_privileged_access.get_or_insert_default();
        access.add(connection.into(), scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Limits the tokens of `client_credentials`. Responses have the header `Auth0-Client-Quota-Limit`.
    pub const fn token_quota(mut self, quota: Quota) -> Self {
        self.token_quota = Some(quota);
        self
    }

    /// Requires that the client pushes its requests to `/oauth/par` (RFC 9126).
    pub fn require_pushed_authorization_requests(mut self) -> Self {
        self.require_pushed_authorization_requests = true;
        self
    }

    /// Sets the allowed grants, as requests name them in `grant_type`. Unset, they are `authorization_code`,
    /// `refresh_token` and, for a client that authenticates, `client_credentials` and the exchanges of tokens.
    pub fn grant_types<G: Into<String>>(mut self, grants: impl IntoIterator<Item = G>) -> Self {
        self.grant_types = Some(grants.into_iter().map(Into::into).collect());
        self
    }

    /// Allows the client to request tokens for other APIs with its refresh tokens (MRRT). Unset, another
    /// `audience` in a refresh is ignored.
    pub fn multi_resource_refresh_tokens(mut self) -> Self {
        self.multi_resource_refresh_tokens = true;
        self
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) const fn is_public(&self) -> bool {
        self.secret.is_none()
            && self.public_keys.is_empty()
            && self.certificate_thumbprint.is_none()
    }

    /// Returns whether the client authenticates with `private_key_jwt`.
    pub(crate) const fn signs_assertions(&self) -> bool {
        self.secret.is_none()
            && self.certificate_thumbprint.is_none()
            && !self.public_keys.is_empty()
    }

    pub(crate) const fn quota(&self) -> Option<Quota> {
        self.token_quota
    }

    pub(crate) const fn has_a_secret(&self) -> bool {
        self.secret.is_some()
    }

    pub(crate) const fn vault_access(&self) -> Option<&VaultAccess> {
        self.token_vault_privileged_access.as_ref()
    }

    pub(crate) fn keys(&self) -> &[ClientKey] {
        &self.public_keys
    }

    /// Returns the thumbprint of the certificate with which the client authenticates.
    pub(crate) fn certificate(&self) -> Option<&str> {
        self.certificate_thumbprint.as_deref()
    }

    pub(crate) fn has_certificate(&self, thumbprint: &str) -> bool {
        self.certificate_thumbprint.as_ref().is_some_and(|own| secret::equal(own, thumbprint))
    }

    /// Returns what the client may request for an API, or `None` if that is not limited.
    pub(crate) fn grants(&self) -> Option<&[ClientGrant]> {
        self.client_grants.as_deref()
    }

    pub(crate) fn own_organization(&self) -> Option<&str> {
        self.default_organization.as_deref()
    }

    /// Returns the identifier of the API whose client this is.
    pub(crate) fn own_api(&self) -> Option<&str> {
        self.resource_server_identifier.as_deref()
    }

    pub(crate) const fn pushes_requests(&self) -> bool {
        self.require_pushed_authorization_requests
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.is_open
    }

    pub(crate) const fn refreshes_any_api(&self) -> bool {
        self.multi_resource_refresh_tokens
    }

    pub(crate) fn has_secret(&self, sent: &str) -> bool {
        self.secret.as_ref().is_some_and(|secret| secret::equal(secret, sent))
    }

    pub(crate) fn may_use(&self, grant: &str) -> bool {
        match &self.grant_types {
            Some(grants) => grants.iter().any(|allowed| allowed == grant),
            None => match grant {
                AUTHORIZATION_CODE | REFRESH_TOKEN => true,
                CLIENT_CREDENTIALS | TOKEN_EXCHANGE | TOKEN_VAULT => !self.is_public(),
                _ => false,
            },
        }
    }

    pub(crate) fn may_redirect_to(&self, url: &str) -> bool {
        self.callbacks.iter().any(|allowed| allowed == url) || self.is_open && is_loopback_url(url)
    }

    pub(crate) fn own_callbacks(&self) -> &[String] {
        &self.callbacks
    }

    pub(crate) fn own_backchannel_logout_urls(&self) -> &[String] {
        &self.backchannel_logout_urls
    }

    pub(crate) fn may_log_out_to(&self, url: &str) -> bool {
        let is_listed = self.allowed_logout_urls.iter().any(|allowed| allowed == url);
        is_listed || self.is_open && is_loopback_url(url)
    }

    pub(super) fn has_origin(&self, origin: &str) -> bool {
        let origin_of = |url: &String| Url::parse(url).ok().map(|url| url.origin());
        let mut origins = self.callbacks.iter().filter_map(origin_of);
        origins.any(|own| own.is_tuple() && own.ascii_serialization() == origin)
    }
}

/// Does not print the secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("is_public", &self.is_public())
            .field("callbacks", &self.callbacks)
            .field("allowed_logout_urls", &self.allowed_logout_urls)
            .field("grant_types", &self.grant_types)
            .finish_non_exhaustive()
    }
}
