//! The handle of a login.
mod builder;
mod completed;
mod environment;
mod paths;
mod site;
mod sites;

pub use builder::LoginBuilder;
pub(crate) use completed::AfterLogin;
pub use completed::{CompletedLogin, LoginRejected};
pub(crate) use site::mistake_in_parameter;
pub use sites::{Site, SiteResolver};

use crate::{
    cookie::{CookieNames, ReceivedCookies},
    exchanges::Exchanges,
    page::Notice,
    record::{Record, Times},
    renewals::Renewals,
    reply::Reply,
    request::Request,
    seal::Secrets,
    store::SessionStore,
};
use auth0_client::{
    Client, Tokens,
    support::{check_pushed_requests, unavailable},
};
use auth0_core::{Auth0, BackchannelLogout, ConfigError, Revocations, time::Clock};
use paths::Paths;
use serde_json::{Map, Value};
use sites::Sites;
use std::{borrow::Cow, fmt, sync::Arc, time::Duration};
use url::Url;

/// Logs users of a web application in with Auth0. Clones are cheap, and share the sessions.
///
/// It answers four routes ([`start`](Self::start), [`callback`](Self::callback), [`logout`](Self::logout),
/// [`backchannel_logout`](Self::backchannel_logout)), and gives each other request its [`Session`](crate::Session). The
/// adapters `auth0-axum` and `auth0-actix` do that with the feature `login`.
///
/// ```
/// use auth0_login::Login;
///
/// let login = Login::builder()
///     .domain("acme.eu.auth0.com")
///     .client_id("aBcDeFgHiJkLmNoPqRsTuVwXyZ012345")
///     .client_secret("its secret")
///     .secret("32 random bytes, or more, that all instances share")
///     .base_url("https://app.acme.com")
///     .build()?;
/// assert_eq!(login.callback_url(), "https://app.acme.com/auth/callback");
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Login {
    /// The site of a request, or the first one.
    pub(crate) site: Arc<Shared>,
    /// All sites, if there are several.
    sites: Arc<Sites>,
}

/// One site: an address of the application, and the domain with which its users log in.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) auth: Auth0,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) names: CookieNames,
    pub(crate) base: Url,
    /// The host and port of the base, as browsers send it.
    authority: String,
    pub(crate) times: Times,
    pub(crate) store: Option<Arc<dyn SessionStore>>,
    pub(crate) revocations: Option<Revocations>,
    pub(crate) backchannel: BackchannelLogout,
    pub(crate) settings: Settings,
    pub(crate) renewals: Arc<Renewals>,
    pub(crate) exchanges: Arc<Exchanges<LoggedIn>>,
    pub(crate) after_login: Option<AfterLogin>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The outcome of an exchange: the claims of the ID token, and the tokens.
#[derive(Clone)]
pub(crate) struct LoggedIn {
    pub(crate) claims: Map<String, Value>,
    pub(crate) tokens: Tokens,
    /// The session of before: the first of two callbacks ends it, and both keep its data.
    pub(crate) previous: Option<Record>,
}

/// The limit for the metadata at the start.
const WARM_UP: Duration = Duration::from_secs(5);

/// What a login asks for, and how it ends.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) audience: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) acr_values: Option<String>,
    pub(crate) organization: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) is_pushed: bool,
    pub(crate) is_signed: bool,
    pub(crate) keeps_id_token: bool,
    pub(crate) is_federated: bool,
    pub(crate) after_logout: Option<String>,
    pub(crate) after_error: Option<String>,
    pub(crate) allows_logout_links: bool,
    pub(crate) accepts_session_transfer: bool,
    pub(crate) paths: Paths,
}

impl Login {
    /// Starts a configuration.
    pub fn builder() -> LoginBuilder {
        LoginBuilder::new()
    }

    /// Creates a login from environment variables:
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `AUTH0_DOMAIN` or `AUTH0_ISSUER` | the tenant |
    /// | `AUTH0_CLIENT_ID` | the regular web application |
    /// | `AUTH0_CLIENT_SECRET` or `AUTH0_CLIENT_ASSERTION_SIGNING_KEY` | its secret, or its private key |
    /// | `AUTH0_SECRET` | secrets for cookies of 32 bytes or more, separated by commas, the newest first |
    /// | `APP_BASE_URL` | the URL of this application, as browsers have it |
    /// | `AUTH0_LOGIN_AUDIENCE` | the API whose tokens the application needs, if it calls one |
    /// | `AUTH0_SCOPE` | the scopes; `openid profile email` by default, and `offline_access` with an API |
    ///
    /// The variables of [`Client::from_env`] apply as well. `AUTH0_AUDIENCE` is not read: it is the API that this process
    /// is itself.
    ///
    /// # Errors
    /// A variable is missing or not valid. The text says what to write instead.
    pub fn from_env() -> Result<Self, ConfigError> {
        LoginBuilder::from_env()?.build()
    }

    /// Reads the metadata and the keys of the tenants, so that the first login does not wait for them: at the start of the
    /// application. Sites of a [resolver](LoginBuilder::site_resolver) are not known yet.
    ///
    /// # Errors
    /// Auth0 does not answer within five seconds: the login works as soon as it does, so log the error and continue. Or
    /// [`pushed_requests`](LoginBuilder::pushed_requests) is set and the tenant does not accept them: no login can succeed.
    pub async fn warm_up(&self) -> Result<(), auth0_client::Error> {
        let mut all = vec![&self.site];
        all.extend(self.sites.configured.iter().filter(|site| !Arc::ptr_eq(site, &self.site)));
        for site in all {
            if site.settings.is_pushed {
                check_pushed_requests(&site.client, WARM_UP).await?;
            }
            // A login waits for the keys, too, and says why.
            site.auth.warm_up().await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// Returns the URL that the application is registered with: Dashboard > Applications > Settings > Allowed Callback URLs.
    #[must_use]
    pub fn callback_url(&self) -> String {
        self.site.callback_url()
    }

    /// Returns the client of the Authentication API, which has this login's credentials.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.site.client
    }

    /// Returns the paths of the four routes: login, callback, logout and back-channel logout.
    #[must_use]
    pub fn paths(&self) -> [&str; 4] {
        self.site.settings.paths.all()
    }
}

impl Shared {
    /// Returns whether browsers find it at this host, which may name the port of its scheme or end with a dot.
    fn is_at(&self, host: &str) -> bool {
        let port = if self.base.scheme() == "https" { ":443" } else { ":80" };
        let host = host.strip_suffix(port).unwrap_or(host);
        let (name, port) = host.rsplit_once(':').map_or((host, ""), |(name, port)| (name, port));
        let name = name.trim_end_matches('.');
        match port {
            "" => *self.authority == *name,
            port => {
                self.authority.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'))
                    == Some(port)
            }
        }
    }

    pub(crate) fn callback_url(&self) -> String {
        format!("{}{}", self.base.as_str().trim_end_matches('/'), self.settings.paths.callback)
    }

    /// Returns the path of a route as browsers have it.
    pub(crate) fn path(&self, route: &str) -> String {
        format!("{}{route}", self.base.path().trim_end_matches('/'))
    }

    /// Returns the path and query of a request as browsers have them: a proxy may have removed the path of the base.
    pub(crate) fn target_of<'a>(&self, request: &'a Request) -> Cow<'a, str> {
        let base = self.base.path().trim_end_matches('/');
        let target = request.target();
        let is_below = target
            .strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        if is_below { Cow::Borrowed(target) } else { Cow::Owned(format!("{base}{target}")) }
    }

    /// Returns the cookies of a request that have the names of this application's.
    pub(crate) fn cookies(&self, request: &Request) -> ReceivedCookies {
        ReceivedCookies::new(request.cookie_lines(), &self.names)
    }

    pub(crate) fn reply_of(&self, notice: &Notice, request: &Request) -> Reply {
        notice.reply(request, &self.path("/"), &self.path(&self.settings.paths.login))
    }

    pub(crate) fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.unix_time()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("client", &self.site.client)
            .field("base_url", &self.site.base.as_str())
            .field("has_store", &self.site.store.is_some())
            .finish_non_exhaustive()
    }
}
