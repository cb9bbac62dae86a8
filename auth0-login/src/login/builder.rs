//! The configuration of a login.
use super::{
    AfterLogin, CompletedLogin, Login, LoginRejected, Settings,
    paths::Paths,
    site::{Common, base_url, check},
    sites::{ResolvedSites, SiteResolver, Sites},
};
use crate::{record::Times, seal::Secrets, store::SessionStore};
use auth0_client::{
    Client, ClientBuilder, SigningKey,
    support::{http_client, signs_requests, with_tenant},
};
use auth0_core::{
    BoxFuture, ConfigError, Revocations,
    support::{SystemClock, keep_for_sessions},
    time::Clock,
    transport::HttpClient,
};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use zeroize::Zeroizing;

/// What is asked for by default.
const SCOPES: [&str; 3] = ["openid", "profile", "email"];

/// The configuration of a [`Login`]. Mistakes fail in [`build`](Self::build), with a text that says what to write instead.
///
/// ```
/// use auth0_login::Login;
///
/// let builder = Login::builder().domain("acme.eu.auth0.com").client_id("web").client_secret("its secret");
/// let error = builder.base_url("https://app.acme.com").secret("too short").build().unwrap_err();
/// assert!(error.to_string().contains("32"), "{error}");
/// ```
#[must_use = "`build` creates the login"]
pub struct LoginBuilder {
    client: ClientBuilder,
    pub(super) secrets: Vec<Zeroizing<String>>,
    base_url: Option<String>,
    /// Other addresses of the application, and their domains.
    sites: Vec<(String, String)>,
    http_hosts: Vec<String>,
    http: Option<Arc<dyn HttpClient>>,
    clock: Option<Arc<dyn Clock>>,
    store: Option<Arc<dyn SessionStore>>,
    revocations: Option<Revocations>,
    times: Times,
    settings: Settings,
    cookie_name: String,
    resolver: Option<Arc<dyn SiteResolver>>,
    after_login: Option<AfterLogin>,
}

impl LoginBuilder {
    pub(super) fn new() -> Self {
        Self::with_client(Client::builder())
    }

    pub(super) fn with_client(client: ClientBuilder) -> Self {
        Self {
            client,
            secrets: Vec::new(),
            base_url: None,
            sites: Vec::new(),
            http_hosts: Vec::new(),
            http: None,
            clock: None,
            store: None,
            revocations: None,
            times: Times::default(),
            settings: Settings {
                audience: None,
                scopes: Vec::new(),
                max_age: None,
                acr_values: None,
                organization: None,
                parameters: Vec::new(),
                is_pushed: false,
                is_signed: false,
                keeps_id_token: false,
                is_federated: false,
                after_logout: None,
                after_error: None,
                allows_logout_links: false,
                accepts_session_transfer: false,
                paths: Paths::default(),
            },
            cookie_name: "a0".into(),
            resolver: None,
            after_login: None,
        }
    }

    /// Sets the domain of the tenant, for example `acme.eu.auth0.com`.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.client = self.client.domain(domain);
        self
    }

    /// Sets the issuer as a URL instead of a domain: for another provider, or a tenant on your own machine.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.client = self.client.issuer(issuer);
        self
    }

    /// Sets the client id of a regular web application: Dashboard > Applications > Settings.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client = self.client.client_id(id);
        self
    }

    /// Authenticates the application with a secret.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client = self.client.client_secret(secret);
        self
    }

    /// Authenticates the application with assertions that this key signs (`private_key_jwt`).
    pub fn signing_key(mut self, key: SigningKey) -> Self {
        self.client = self.client.signing_key(key);
        self
    }

    /// Changes the client of the Authentication API: DPoP, a certificate, its deadline.
    pub fn client(mut self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        self.client = change(self.client);
        self
    }

    /// Adds a secret for cookies, of 32 bytes or more. The first one seals them, the others open what they have sealed: add a
    /// new one in front, and remove the old one after the longest life of a session.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(Zeroizing::new(secret.into()));
        self
    }

    /// Sets the URL of this application as browsers have it: `https://app.acme.com` behind a proxy that ends TLS, too, or
    /// `http://localhost:3000`. It never comes from a request.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Adds another address of the application, whose users log in with another domain (or issuer): a custom domain for each
    /// brand. The site of a request is that of its `Host`; a session, a login and a logout token of one site are none at
    /// another. Requests for other hosts are those of [`base_url`](Self::base_url), or of a
    /// [resolver](Self::site_resolver).
    ///
    /// ```
    /// use auth0_login::Login;
    ///
    /// let login = Login::builder()
    ///     .domain("login.acme.com")
    ///     .base_url("https://app.acme.com")
    ///     .site("https://app.globex.com", "login.globex.com")
    ///     .client_id("web")
    ///     .client_secret("its secret")
    ///     .secret("32 random bytes, or more, that all instances share")
    ///     .build()?;
    /// # let _ = login;
    /// # Ok::<(), auth0_core::ConfigError>(())
    /// ```
    pub fn site(mut self, base_url: impl Into<String>, domain: impl Into<String>) -> Self {
        self.sites.push((base_url.into(), domain.into()));
        self
    }

    /// Finds the sites of hosts that no [`site`](Self::site) has, while the application runs.
    pub fn site_resolver(mut self, resolver: impl SiteResolver) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// Sets the path at which a login starts: `/auth/login` by default. It is below [`base_url`](Self::base_url), as the other
    /// three are.
    pub fn login_path(mut self, path: impl Into<String>) -> Self {
        self.settings.paths.login = path.into();
        self
    }

    /// Sets the path to which Auth0 sends the browser back: `/auth/callback` by default.
    pub fn callback_path(mut self, path: impl Into<String>) -> Self {
        self.settings.paths.callback = path.into();
        self
    }

    /// Sets the path that logs the user out: `/auth/logout` by default.
    pub fn logout_path(mut self, path: impl Into<String>) -> Self {
        self.settings.paths.logout = path.into();
        self
    }

    /// Sets the path to which Auth0 sends logout tokens: `/auth/backchannel-logout` by default.
    pub fn backchannel_logout_path(mut self, path: impl Into<String>) -> Self {
        self.settings.paths.backchannel_logout = path.into();
        self
    }

    /// Sets how the names of cookies begin: `a0` by default, for `__Host-a0_session` and `__Host-a0_tx.…` (without `__Host-`
    /// at `http://localhost`). Two applications on one host, such as two ports of `localhost`, need two names.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = name.into();
        self
    }

    /// Calls the application after each login, before the session begins: to create the user in its database, to keep data in
    /// the session, to choose where the browser goes, or to refuse the login.
    ///
    /// ```
    /// use auth0_login::{Login, LoginRejected};
    ///
    /// let builder = Login::builder().after_login(|login| {
    ///     Box::pin(async move {
    ///         if login.user().organization().is_none() {
    ///             return Err(LoginRejected::denied("the user has no organization"));
    ///         }
    ///         login.set_data("has_seen_news", &false)?;
    ///         Ok(())
    ///     })
    /// });
    /// # let _ = builder;
    /// ```
    pub fn after_login<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&'a mut CompletedLogin) -> BoxFuture<'a, Result<(), LoginRejected>>
            + Send
            + Sync
            + 'static,
    {
        self.after_login = Some(Arc::new(hook));
        self
    }

    /// Sets the API whose tokens the application needs. `offline_access` is asked for, too, so that they can be renewed.
    pub fn audience(mut self, api: impl Into<String>) -> Self {
        self.settings.audience = Some(api.into());
        self
    }

    /// Sets the scopes: `openid profile email` by default, and `offline_access` with an audience.
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.settings.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Requires that the user has proved who they are within this time (`max_age`).
    pub const fn max_age(mut self, time: Duration) -> Self {
        self.settings.max_age = Some(time);
        self
    }

    /// Sets `acr_values` of each login, for example [`MFA`](auth0_core::policy::MFA).
    pub fn acr_values(mut self, values: impl Into<String>) -> Self {
        self.settings.acr_values = Some(values.into());
        self
    }

    /// Sets the organization of each login, by its id or name. The ID token must name it.
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.settings.organization = Some(organization.into());
        self
    }

    /// Adds a parameter to each login, such as `connection`, `prompt` or `ext-…`.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.parameters.push((name.into(), value.into()));
        self
    }

    /// Sends the parameters of a login to Auth0 from this server, and not with the browser (PAR, RFC 9126).
    pub const fn pushed_requests(mut self) -> Self {
        self.settings.is_pushed = true;
        self
    }

    /// Signs the parameters of a login (JAR, RFC 9101). The application needs a signing key.
    pub const fn signed_requests(mut self) -> Self {
        self.settings.is_signed = true;
        self
    }

    /// Keeps the sessions in a store, and not in cookies: they end with a logout token at once on all instances, a cookie that
    /// was copied ends with its session, and tokens of any size fit.
    pub fn store(mut self, store: impl SessionStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Ends sessions that are revoked, and those in cookies after a logout token. Several instances need revocations with a
    /// store. Without this call, sessions in cookies have [`Revocations::in_memory`].
    pub fn revocations(mut self, revocations: &Revocations) -> Self {
        self.revocations = Some(revocations.clone());
        self
    }

    /// Sets how long a session lasts without a request: a day by default, ten years at most.
    pub const fn inactivity(mut self, time: Duration) -> Self {
        self.times.inactivity = time;
        self
    }

    /// Sets how long a session lasts, however active its user is: three days by default, ten years at most.
    pub const fn absolute_lifetime(mut self, time: Duration) -> Self {
        self.times.absolute = time;
        self
    }

    /// Keeps the ID token in the session, for [`Session::id_token`](crate::Session::id_token).
    pub const fn keep_id_token(mut self) -> Self {
        self.settings.keeps_id_token = true;
        self
    }

    /// Logs users out at their identity provider, too (`federated`).
    pub const fn federated_logout(mut self) -> Self {
        self.settings.is_federated = true;
        self
    }

    /// Sets the URL after a logout: that of the application by default. It must be one of Dashboard > Applications > Settings >
    /// Allowed Logout URLs.
    pub fn after_logout(mut self, url: impl Into<String>) -> Self {
        self.settings.after_logout = Some(url.into());
        self
    }

    /// Sets a path of the application that shows why a login did not succeed, instead of the page of this crate. Its query
    /// has `error`: the code that Auth0 has sent, such as `access_denied`.
    pub fn after_error(mut self, path: impl Into<String>) -> Self {
        self.settings.after_error = Some(path.into());
        self
    }

    /// Lets a link of another site log users out, if a person follows it. Images and frames never can.
    pub const fn allow_logout_links(mut self) -> Self {
        self.settings.allows_logout_links = true;
        self
    }

    /// Accepts logins that a native application has transferred (Native to Web SSO): the link of the login may have a
    /// `session_transfer_token`, which is sent on to Auth0.
    pub const fn accept_session_transfer(mut self) -> Self {
        self.settings.accepts_session_transfer = true;
        self
    }

    /// Allows these hosts over http, for development.
    pub fn allow_http_hosts<T: Into<String>>(mut self, hosts: impl IntoIterator<Item = T>) -> Self {
        self.http_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// Replaces the transport.
    pub fn http_client(mut self, http: impl HttpClient) -> Self {
        self.http = Some(Arc::new(http));
        self
    }

    /// Replaces the clock, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Creates the login. Nothing is sent.
    ///
    /// # Errors
    /// A setting is missing, is a placeholder, or contradicts another.
    pub fn build(self) -> Result<Login, ConfigError> {
        let mut settings = self.settings;
        let times = self.times.limited();
        if settings.scopes.is_empty() {
            settings.scopes = SCOPES.map(str::to_owned).into();
            if settings.audience.is_some() {
                settings.scopes.push("offline_access".into());
            }
        }
        check(&settings, &times, &self.cookie_name)?;
        if settings.is_signed && !signs_requests(&self.client) {
            return Err(ConfigError::new(
                "signed_requests needs a key. Set AUTH0_CLIENT_ASSERTION_SIGNING_KEY, call .signing_key(…), or \
                 .client(|client| client.request_key(…)) if the application authenticates with a secret",
            ));
        }
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        // A session that was revoked is not extended any more.
        let longest = times.longest_without_activity();
        let revocations = match (&self.store, self.revocations) {
            (None, None) => Some(Revocations::in_memory().max_token_lifetime(longest)),
            (_, given) => given,
        };
        if let Some(revocations) = &revocations {
            keep_for_sessions(revocations, longest);
        }
        let mut common = Common {
            secrets: Arc::new(Secrets::new(&self.secrets)?),
            times,
            store: self.store,
            revocations,
            settings,
            renewals: Arc::default(),
            exchanges: Arc::default(),
            after_login: self.after_login,
            cookie_name: self.cookie_name,
            clock,
            http: self.http,
            http_hosts: self.http_hosts,
        };
        let base = base_url(self.base_url.as_deref())?;
        let first = common.site(base, self.client.clone())?;
        let mut sites = vec![Arc::clone(&first)];
        for (url, domain) in self.sites {
            let base = base_url(Some(&url))?;
            let site = common.site(base, with_tenant(self.client.clone(), &domain))?;
            if sites.iter().any(|known| known.authority == site.authority) {
                return Err(ConfigError::new(format!("two sites have the address {url}")));
            }
            sites.push(site);
        }
        if sites.len() == 1 && self.resolver.is_none() {
            sites.clear();
        }
        // Sites are created while requests wait: a transport reads the certificates of the system.
        common.http.get_or_insert_with(|| http_client(&first.client));
        let client = self.client;
        let built = Mutex::default();
        let resolved =
            self.resolver.map(|resolver| ResolvedSites { resolver, common, client, built });
        Ok(Login { site: first, sites: Arc::new(Sites { configured: sites, resolved }) })
    }
}

impl fmt::Debug for LoginBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth0_testing::Tenant;

    /// What the builder creates itself has sessions only, and forgets their ends with them.
    #[tokio::test]
    async fn revocations_are_kept_for_as_long_as_sessions_last() {
        let tenant = Tenant::new();
        let login = LoginBuilder::new()
            .issuer(tenant.issuer())
            .client_id("web")
            .client_secret("its secret")
            .secret("0123456789abcdef0123456789abcdef")
            .base_url("https://app.acme.com")
            .clock(tenant.clock().clone())
            .build()
            .unwrap();
        let revocations = login.site.revocations.clone().unwrap();
        for number in 0..10_000 {
            let user = format!("auth0|{number}");
            revocations.revoke_subject(tenant.issuer(), user).await.unwrap();
            if number % 100 == 0 {
                tenant.clock().advance(Duration::from_secs(60 * 60));
            }
        }
        // A hundred an hour, for a day and the time until a table is made anew.
        assert!(revocations.count() < 8_000, "{}", revocations.count());
    }
}
