//! The sites of an application, and what they share.
use super::{AfterLogin, LoggedIn, Settings, Shared};
use crate::{
    cookie::CookieNames,
    exchanges::Exchanges,
    record::Times,
    renewals::Renewals,
    seal::Secrets,
    store::{SessionStore, StoredSessions},
};
use auth0_client::ClientBuilder;
use auth0_core::{
    Auth0, BackchannelLogout, ConfigError, Dpop, Revocations, TrustedIssuer,
    support::{backchannel_logout_with, is_loopback, without_introduction},
    time::Clock,
    transport::HttpClient,
};
use std::{sync::Arc, time::Duration};
use url::Url;

/// Clocks of a browserless exchange differ by less, and a login is not repeated for a few seconds.
const LEEWAY: Duration = Duration::from_secs(30);

/// What all sites share.
pub(super) struct Common {
    pub(super) secrets: Arc<Secrets>,
    pub(super) times: Times,
    pub(super) store: Option<Arc<dyn SessionStore>>,
    pub(super) revocations: Option<Revocations>,
    pub(super) settings: Settings,
    pub(super) renewals: Arc<Renewals>,
    pub(super) exchanges: Arc<Exchanges<LoggedIn>>,
    pub(super) after_login: Option<AfterLogin>,
    pub(super) cookie_name: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) http: Option<Arc<dyn HttpClient>>,
    pub(super) http_hosts: Vec<String>,
}

impl Common {
    pub(super) fn site(
        &self,
        base: Url,
        client: ClientBuilder,
    ) -> Result<Arc<Shared>, ConfigError> {
        // The tokens of a user are kept in the session, and only there.
        let mut client =
            client.clock(Arc::clone(&self.clock)).allow_http_hosts(&self.http_hosts).cache_bytes(0);
        if let Some(http) = &self.http {
            client = client.http_client(Arc::clone(http));
        }
        let client = client.build()?;
        let mut auth = Auth0::builder()
            .issuer(TrustedIssuer::new(client.issuer()))
            .audience(client.client_id())
            .leeway(LEEWAY)
            .dpop(Dpop::disabled())
            .session_claim(["sid"])
            .allow_http_hosts(&self.http_hosts)
            .clock(Arc::clone(&self.clock));
        if let Some(http) = &self.http {
            auth = auth.http_client(Arc::clone(http));
        }
        if let Some(revocations) = &self.revocations {
            auth = auth.revocations(revocations);
        }
        let auth = without_introduction(auth).build()?;
        let backchannel = match &self.store {
            None => BackchannelLogout::new(&auth, [client.client_id()])?,
            Some(store) => {
                let sessions = Arc::new(StoredSessions(Arc::clone(store)));
                backchannel_logout_with(&auth, client.client_id(), sessions)?
            }
        };
        tracing::info!(
            target: "auth0", issuer = client.issuer(), client_id = client.client_id(), base_url = base.as_str(),
            sessions = if self.store.is_some() { "in a store" } else { "in cookies" }, "logging users in"
        );
        let port = base.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Arc::new(Shared {
            names: CookieNames::new(&self.cookie_name, base.scheme() == "https"),
            authority: format!("{}{port}", base.host_str().unwrap_or_default()),
            secrets: Arc::clone(&self.secrets),
            renewals: Arc::clone(&self.renewals),
            exchanges: Arc::clone(&self.exchanges),
            after_login: self.after_login.clone(),
            times: self.times,
            store: self.store.clone(),
            revocations: self.revocations.clone(),
            settings: self.settings.clone(),
            clock: Arc::clone(&self.clock),
            client,
            auth,
            base,
            backchannel,
        }))
    }
}

/// What each login has anew, or what has a method of its own, which checks it.
const RESERVED: [(&str, &str); 11] = [
    ("state", ""),
    ("nonce", ""),
    ("code_challenge", ""),
    ("code_challenge_method", ""),
    ("response_mode", ""),
    ("id_token_hint", ""),
    ("scope", "scopes"),
    ("audience", "audience"),
    ("organization", "organization"),
    ("max_age", "max_age"),
    ("acr_values", "acr_values"),
];

/// Returns why a parameter cannot be added to a login.
pub(crate) fn mistake_in_parameter(name: &str) -> Option<String> {
    let (_, method) = RESERVED.into_iter().find(|(reserved, _)| *reserved == name)?;
    Some(match method {
        "" => format!("the login sets the parameter {name} itself: leave it out"),
        method => {
            format!("the parameter {name} is checked when the user comes back: write .{method}(…)")
        }
    })
}

pub(super) fn check(
    settings: &Settings,
    times: &Times,
    cookie_name: &str,
) -> Result<(), ConfigError> {
    settings.paths.check()?;
    if let Some(mistake) =
        settings.parameters.iter().find_map(|(name, _)| mistake_in_parameter(name))
    {
        return Err(ConfigError::new(mistake));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=32).contains(&cookie_name.len()) || !cookie_name.chars().all(is_plain) {
        return Err(ConfigError::new(format!(
            "{cookie_name:?} cannot begin the names of cookies. Write 1 to 32 letters, digits, \"-\" and \"_\""
        )));
    }
    if !settings.scopes.iter().any(|scope| scope == "openid") {
        return Err(ConfigError::new(
            "the scopes of a login need openid, without which there is no ID token. Add it to AUTH0_SCOPE or .scopes(…)",
        ));
    }
    if let Some(path) = &settings.after_error
        && (!path.starts_with('/') || path.starts_with("//"))
    {
        return Err(ConfigError::new(format!(
            "{path:?} for .after_error(…) is not a path of this application, such as \"/login-failed\""
        )));
    }
    if times.inactivity.is_zero() || times.absolute.is_zero() {
        return Err(ConfigError::new(
            "a session that lasts no time cannot work. Write at least a minute",
        ));
    }
    Ok(())
}

/// Parses the URL of the application: https, or http on this machine.
pub(super) fn base_url(text: Option<&str>) -> Result<Url, ConfigError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Err(ConfigError::new(
            "the URL of this application is not set. Set APP_BASE_URL, or add .base_url(\"https://app.acme.com\"): the URL \
             that browsers have, for example http://localhost:3000 in development",
        ));
    };
    let wrong = |why: &str| {
        ConfigError::new(format!(
            "APP_BASE_URL is {text:?}, and {why}. Write the URL that browsers have, for example https://app.acme.com or \
             http://localhost:3000"
        ))
    };
    let url = Url::parse(text).map_err(|_| wrong("that is not a URL"))?;
    let is_local = is_loopback(&url);
    match url.scheme() {
        "https" => {}
        "http" if is_local => {}
        "http" => {
            return Err(wrong("http is for this machine only, because cookies would be readable"));
        }
        _ => return Err(wrong("that is not a URL of https or http")),
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
        || text.contains([',', ' '])
    {
        return Err(wrong("it has more than a host and a path"));
    }
    Ok(url)
}
