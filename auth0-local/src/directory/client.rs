use super::{
    ClientKey,
    grant_types::{AUTHORIZATION_CODE, CLIENT_CREDENTIALS, GRANT_TYPES, REFRESH_TOKEN},
    redirect::{is_loopback_url, is_redirect_url},
};
use crate::{error::LocalError, secret};
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
    #[serde(default)]
    callbacks: Vec<String>,
    #[serde(default)]
    allowed_logout_urls: Vec<String>,
    /// Unset, those of a client of this kind.
    grant_types: Option<Vec<String>>,
    #[serde(default)]
    multi_resource_refresh_tokens: bool,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    /// Whether it is not registered, and was accepted nevertheless.
    #[serde(skip)]
    is_open: bool,
}

impl Client {
    /// Creates a client without a secret: a single-page application, a native application or a program
    /// for agents. It needs PKCE.
    pub fn public(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: None,
            public_keys: Vec::new(),
            callbacks: Vec::new(),
            allowed_logout_urls: Vec::new(),
            grant_types: None,
            multi_resource_refresh_tokens: false,
            require_pushed_authorization_requests: false,
            is_open: false,
        }
    }

    /// Creates a client with a secret: a web application or a machine. It sends the secret with
    /// `client_secret_post` or `client_secret_basic`.
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { secret: Some(secret.into()), ..Self::public(id) }
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

    /// Adds a public key, with which the client signs request objects (JAR).
    pub fn public_key(mut self, key: ClientKey) -> Self {
        self.public_keys.push(key);
        self
    }

    /// Requires that the client pushes its requests to `/oauth/par` (RFC 9126).
    pub fn require_pushed_authorization_requests(mut self) -> Self {
        self.require_pushed_authorization_requests = true;
        self
    }

    /// Sets the allowed grants, as requests name them in `grant_type`. Unset, they are `authorization_code`,
    /// `refresh_token` and, with a secret, `client_credentials`.
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

    pub(crate) fn check(&self) -> Result<(), LocalError> {
        let id = &self.id;
        if id.is_empty() || self.secret.as_ref().is_some_and(String::is_empty) {
            return Err(LocalError::new(format!(
                "the client {id:?} has an empty id or secret. Write both, or leave out the secret of a \
                 public client"
            )));
        }
        let mut urls = self.callbacks.iter().chain(&self.allowed_logout_urls);
        if let Some(url) = urls.find(|url| !is_redirect_url(url)) {
            return Err(LocalError::new(format!(
                "the client {id} cannot redirect to {url:?}. Write an absolute URL without a fragment, for \
                 example http://localhost:3000/auth/callback"
            )));
        }
        let mut grants = self.grant_types.iter().flatten();
        if let Some(grant) = grants.find(|grant| !GRANT_TYPES.contains(&grant.as_str())) {
            return Err(LocalError::new(format!(
                "the client {id} cannot have the grant {grant:?}. Write one of {}",
                GRANT_TYPES.join(", ")
            )));
        }
        self.public_keys.iter().try_for_each(|key| key.check(id))
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) const fn is_public(&self) -> bool {
        self.secret.is_none()
    }

    pub(crate) fn keys(&self) -> &[ClientKey] {
        &self.public_keys
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
                CLIENT_CREDENTIALS => !self.is_public(),
                _ => false,
            },
        }
    }

    pub(crate) fn may_redirect_to(&self, url: &str) -> bool {
        self.callbacks.iter().any(|allowed| allowed == url) || self.is_open && is_loopback_url(url)
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
