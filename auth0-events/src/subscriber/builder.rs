//! The configuration of a subscriber.
use super::EventSubscriber;
use crate::{
    connection::Connector,
    credential::Credential,
    effect::REVOKING_TYPES,
    event::Event,
    handler::Handler,
    leadership::Leadership,
    secret::EventsToken,
    store::{EventStore, InMemoryEventStore},
};
#[cfg(feature = "client")]
use auth0_client::Client;
use auth0_core::{
    ConfigError, Domain, Issuer, Revocations,
    support::{PlainHttp, SystemClock, is_loopback, issuer},
    time::Clock,
};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, atomic::AtomicU64},
};
use url::Url;

/// Auth0 has about twenty types. More are a mistake.
const MAX_TYPES: usize = 100;

/// The configuration of an [`EventSubscriber`]. Mistakes fail in [`build`](Self::build), with a text that says what to
/// write instead.
#[derive(Clone, Default)]
#[must_use = "`build` creates the subscriber"]
pub struct EventSubscriberBuilder {
    domain: Option<String>,
    issuer: Option<String>,
    #[cfg(feature = "client")]
    client: Option<Client>,
    token: Option<EventsToken>,
    url: Option<String>,
    revocations: Option<Revocations>,
    issuers: Vec<String>,
    handler: Option<Handler>,
    store: Option<Arc<dyn EventStore>>,
    http_hosts: Vec<String>,
    clock: Option<Arc<dyn Clock>>,
}

impl EventSubscriberBuilder {
    /// Sets the tenant by its own domain, for example `acme.eu.auth0.com`. A custom domain goes into
    /// [`issuers`](Self::issuers). Unset, it is the tenant of the [`client`](Self::client).
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Sets the tenant by its issuer, as a URL instead of a domain: for a tenant on your own machine.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Gets the token with this client, whose application needs the scope `read:events` of the Management API.
    #[cfg(feature = "client")]
    pub fn client(mut self, client: &Client) -> Self {
        self.client = Some(client.clone());
        self
    }

    /// Uses this token, as it is: for development, because it expires after a day.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(EventsToken::new(token));
        self
    }

    /// Sets the URL of the Events API, if it is not `api/v2/events` below the issuer.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Revokes the tokens of users who are deleted or blocked, of members who leave an organization, and of
    /// organizations that are deleted.
    pub fn revocations(mut self, revocations: &Revocations) -> Self {
        self.revocations = Some(revocations.clone());
        self
    }

    /// Adds issuers of the tokens that events concern: the custom domains of the tenant, written as domains or as in the
    /// `iss` claim. The issuer of the tenant itself is always one.
    pub fn issuers<T: Into<String>>(mut self, issuers: impl IntoIterator<Item = T>) -> Self {
        self.issuers.extend(issuers.into_iter().map(Into::into));
        self
    }

    /// Sets a handler of events of these types, which are read in addition to those that revoke tokens. It replaces
    /// another handler.
    ///
    /// It is called for one event after the other, after tokens were revoked. If it fails, panics, or takes longer than
    /// 30 seconds, it is called again, five times in all. Then the log has an error, and the next event follows. The same
    /// event can come twice.
    ///
    /// ```
    /// use auth0_events::{Event, EventSubscriber};
    ///
    /// async fn remove_account(user_id: &str) -> Result<(), std::io::Error> {
    ///     # drop(user_id.to_owned());
    ///     Ok(())
    /// }
    ///
    /// let builder = EventSubscriber::builder().on_event(["user.deleted"], |event: Event| async move {
    ///     match event.object()["user_id"].as_str() {
    ///         Some(user_id) => remove_account(user_id).await,
    ///         None => Ok(()),
    ///     }
    /// });
    /// # drop(builder);
    /// ```
    pub fn on_event<T, F, R, E>(mut self, types: impl IntoIterator<Item = T>, handler: F) -> Self
    where
        T: Into<String>,
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let types = types.into_iter().map(Into::into).collect();
        self.handler = Some(Handler::new(Some(types), handler));
        self
    }

    /// Sets a handler of the events of all types: see [`on_event`](Self::on_event).
    pub fn on_every_event<F, R, E>(mut self, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        self.handler = Some(Handler::new(None, handler));
        self
    }

    /// Sets the store that the instances of the service share. Unset, it is an [`InMemoryEventStore`], for one instance.
    pub fn store(mut self, store: impl EventStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Allows these hosts over http, for development: see
    /// [`Builder::allow_http_hosts`](auth0_core::Builder::allow_http_hosts).
    pub fn allow_http_hosts<T: Into<String>>(mut self, hosts: impl IntoIterator<Item = T>) -> Self {
        self.http_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// Replaces the clock, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Creates the subscriber. Nothing is sent.
    ///
    /// # Errors
    /// A setting is missing, is a placeholder, or contradicts another.
    pub fn build(self) -> Result<EventSubscriber, ConfigError> {
        let plain_http = self.plain_http()?;
        let own = self.tenant(&plain_http)?;
        if self.revocations.is_none() && self.handler.is_none() {
            return Err(ConfigError::new(
                "the subscriber does nothing with events. Add .revocations(&revocations), .on_event(…), or both",
            ));
        }
        let base = own.as_str().strip_suffix('/').unwrap_or(own.as_str());
        let url = match &self.url {
            Some(url) => parse_url(url, &plain_http)?,
            None => parse_url(&format!("{base}/api/v2/events"), &plain_http)?,
        };
        let types = self.types()?;
        let credential = self.credential(&format!("{base}/api/v2/"))?;
        let mut issuers = vec![own.as_str().to_owned()];
        for text in &self.issuers {
            let parsed = if text.contains("://") {
                issuer(text, &plain_http)?
            } else {
                text.parse::<Domain>()?.issuer()
            };
            if !issuers.iter().any(|known| known == parsed.as_str()) {
                issuers.push(parsed.as_str().to_owned());
            }
        }
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let store = self.store.unwrap_or_else(|| Arc::new(InMemoryEventStore::new()));
        Ok(EventSubscriber {
            connector: Connector::new(url, &types, Arc::clone(&clock))?,
            credential,
            revocations: self.revocations,
            issuers,
            handler: self.handler,
            leadership: Leadership::new(store, Arc::clone(&clock))?,
            clock,
            fence: AtomicU64::new(0),
        })
    }

    /// Returns the hosts that may be reached over http: also that of the client, which has allowed it.
    fn plain_http(&self) -> Result<PlainHttp, ConfigError> {
        #[cfg(feature = "client")]
        if let Some(client) = &self.client
            && let Ok(url) = Url::parse(client.issuer())
            && let (Some(host), "http", false) = (url.host_str(), url.scheme(), is_loopback(&url))
        {
            let hosts = self.http_hosts.iter().map(String::as_str).chain([host]);
            return PlainHttp::parse(&hosts.collect::<Vec<_>>());
        }
        PlainHttp::parse(&self.http_hosts)
    }

    /// Returns the issuer of the tenant.
    fn tenant(&self, plain_http: &PlainHttp) -> Result<Issuer, ConfigError> {
        let mut found: Option<Issuer> = None;
        let of_domain = self.domain.as_ref().map(|text| Ok(text.parse::<Domain>()?.issuer()));
        let of_issuer = self.issuer.as_ref().map(|text| issuer(text, plain_http));
        for other in [of_domain, of_issuer].into_iter().flatten() {
            let other = other?;
            if let Some(found) = found.as_ref().filter(|found| **found != other) {
                return Err(ConfigError::new(format!(
                    "the domain means the issuer {found}, and the issuer is {other}. Set only one of them"
                )));
            }
            found = Some(other);
        }
        #[cfg(feature = "client")]
        if found.is_none()
            && let Some(client) = &self.client
        {
            return issuer(client.issuer(), plain_http);
        }
        found.ok_or_else(|| {
            ConfigError::new(
                "the subscriber has no tenant. Add .domain(\"acme.eu.auth0.com\"), or .client(&client)",
            )
        })
    }

    /// Returns the types that are read. Without any, all are.
    fn types(&self) -> Result<Vec<String>, ConfigError> {
        let mut types = BTreeSet::new();
        if let Some(handler) = &self.handler {
            let Some(own) = &handler.types else { return Ok(Vec::new()) };
            let is_type = |kind: &String| {
                (1..=100).contains(&kind.len())
                    && kind.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte))
            };
            if let Some(other) = own.iter().find(|kind| !is_type(kind)) {
                return Err(ConfigError::new(format!(
                    "{other:?} is not the type of an event. Write one such as \"user.created\""
                )));
            }
            if own.is_empty() || own.len() > MAX_TYPES {
                return Err(ConfigError::new(format!(
                    "the handler has {} types of events. Write one to {MAX_TYPES}, or use .on_every_event(…)",
                    own.len()
                )));
            }
            types.extend(own.iter().cloned());
        }
        if self.revocations.is_some() {
            types.extend(REVOKING_TYPES.map(str::to_owned));
        }
        Ok(types.into_iter().collect())
    }

    fn credential(&self, audience: &str) -> Result<Credential, ConfigError> {
        #[cfg(feature = "client")]
        match (&self.client, &self.token) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::new(
                    "the subscriber has a client and a token. Set one of them",
                ));
            }
            (Some(client), None) => {
                return Ok(Credential::Client(client.machine(audience).build()?));
            }
            (None, _) => {}
        }
        #[cfg(not(feature = "client"))]
        let _ = audience;
        let Some(token) = &self.token else {
            return Err(ConfigError::new(
                "the subscriber has no token for the Events API. Add .client(&client) (feature \"client\"), or .token(…)",
            ));
        };
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_token {
            return Err(ConfigError::new(
                "the token for the Events API is empty, or has a space or an invisible character in it",
            ));
        }
        Ok(Credential::Given(token.clone()))
    }
}

/// Parses the URL of the Events API. The token is sent there.
fn parse_url(text: &str, plain_http: &PlainHttp) -> Result<Url, ConfigError> {
    let refuse = |why: &str| {
        Err(ConfigError::new(format!(
            "the URL of the Events API {why}. Write one such as \"https://acme.eu.auth0.com/api/v2/events\""
        )))
    };
    let Ok(url) = Url::parse(text.trim()) else { return refuse("is not a URL") };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) || plain_http.allows(&url) => {}
        "http" => {
            let why = format!(
                "is plain http, which is accepted on loopback only{}",
                plain_http.advice(&url)
            );
            return refuse(&why);
        }
        _ => return refuse("is not https"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("has user information in it");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("has a query or a fragment in it");
    }
    Ok(url)
}

/// Omits the token.
impl fmt::Debug for EventSubscriberBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSubscriberBuilder")
            .field("domain", &self.domain)
            .field("issuer", &self.issuer)
            .field("issuers", &self.issuers)
            .field("handler", &self.handler)
            .finish_non_exhaustive()
    }
}
