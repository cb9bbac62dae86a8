//! The site of a request: one of those that are configured, or that a resolver has named.
use super::{Login, Shared, site::Common};
use crate::{
    error::{Error, ErrorKind},
    request::Request,
};
use auth0_client::{ClientBuilder, support::with_tenant};
use auth0_core::{BoxFuture, support::fetch_thread::passed};
use std::{
    collections::HashMap,
    error::Error as StdError,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The limit for a resolver: a request waits for it.
const RESOLVER_LIMIT: Duration = Duration::from_secs(2);

/// The sites of a resolver that are kept. One that is needed again is created anew, and fetches the keys of its domain.
const MAX_BUILT: usize = 10_000;

/// Finds the site of a request, for an application whose addresses are not known when it starts: a custom domain for each
/// customer.
///
/// ```
/// use auth0_core::BoxFuture;
/// use auth0_login::{Site, SiteResolver};
/// use std::{collections::HashMap, error::Error};
///
/// /// The domains of the customers, by the names of their hosts.
/// struct Customers(HashMap<String, String>);
///
/// impl SiteResolver for Customers {
///     fn resolve<'a>(
///         &'a self,
///         host: &'a str,
///     ) -> BoxFuture<'a, Result<Option<Site>, Box<dyn Error + Send + Sync>>> {
///         Box::pin(async move {
///             let domain = self.0.get(host);
///             Ok(domain.map(|domain| Site::new(format!("https://{host}"), domain)))
///         })
///     }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let domains = [("shop.acme.com".to_owned(), "login.acme.com".to_owned())];
/// let customers = Customers(domains.into());
/// let site = customers.resolve("shop.acme.com").await?.unwrap();
/// assert_eq!(site, Site::new("https://shop.acme.com", "login.acme.com"));
/// assert!(customers.resolve("elsewhere.example").await?.is_none());
/// # Ok::<(), Box<dyn Error + Send + Sync>>(())
/// # }).unwrap()
/// ```
pub trait SiteResolver: Send + Sync + 'static {
    /// Returns the site of a host, which is in lower case, and has a port if the browser has sent one. With `None` the request
    /// is one of [`base_url`](crate::LoginBuilder::base_url).
    ///
    /// It is called for each request whose session is read: answer from memory where you can. Clients choose the host: return
    /// only sites that are yours. With an error, or after two seconds, the request gets `503`.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
    ) -> BoxFuture<'a, Result<Option<Site>, Box<dyn StdError + Send + Sync>>>;
}

/// An address of the application, and the domain with which its users log in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    base_url: String,
    domain: String,
}

impl Site {
    /// Creates a site: the URL of the application as browsers have it, and a domain (or an issuer).
    pub fn new(base_url: impl Into<String>, domain: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), domain: domain.into() }
    }
}

/// All sites but the first one.
#[derive(Default)]
pub(crate) struct Sites {
    pub(super) configured: Vec<Arc<Shared>>,
    pub(super) resolved: Option<ResolvedSites>,
}

/// The sites that a resolver names, created when they are first needed.
pub(super) struct ResolvedSites {
    pub(super) resolver: Arc<dyn SiteResolver>,
    pub(super) common: Common,
    pub(super) client: ClientBuilder,
    /// With the number of the last use.
    pub(super) built: Mutex<Built>,
}

#[derive(Default)]
pub(super) struct Built {
    sites: HashMap<Site, (Arc<Shared>, u64)>,
    uses: u64,
}

impl Login {
    /// Returns the login of the site that a request is for. Where there is one site, it is that of all requests.
    pub(crate) async fn at(&self, request: &Request) -> Result<Self, Error> {
        let is_its_host = |site: &&Arc<Shared>| request.host().is_some_and(|host| site.is_at(host));
        if let Some(site) = self.sites.configured.iter().find(is_its_host) {
            return Ok(Self::of(site));
        }
        let (Some(resolved), Some(host)) = (&self.sites.resolved, request.host()) else {
            return Ok(self.clone());
        };
        let clock = &*self.site.clock;
        let answer = tokio::select! {
            biased;
            answer = resolved.resolver.resolve(host) => answer.map_err(|error| error.to_string()),
            () = passed(clock, RESOLVER_LIMIT) => Err("it has not answered within 2 s".to_owned()),
        };
        let failed = |kind: ErrorKind, cause: String| {
            let reply = self.site.reply_of(&kind.notice(), request);
            let error = Error::new(kind, cause, reply);
            tracing::error!(target: "auth0", cause = %error, "the site of a request cannot be found");
            error
        };
        match answer.map_err(|cause| failed(ErrorKind::StoreUnavailable, cause))? {
            None => Ok(Self::of(&self.site)),
            Some(site) => match resolved.site(site) {
                Ok(site) => Ok(Self::of(&site)),
                Err(error) => Err(failed(ErrorKind::Misconfigured, error.to_string())),
            },
        }
    }

    /// The login of one site.
    fn of(site: &Arc<Shared>) -> Self {
        Self { site: Arc::clone(site), sites: Arc::default() }
    }
}

impl ResolvedSites {
    fn site(&self, site: Site) -> Result<Arc<Shared>, auth0_core::ConfigError> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.uses += 1;
        let now = built.uses;
        if let Some((known, last_use)) = built.sites.get_mut(&site) {
            *last_use = now;
            return Ok(Arc::clone(known));
        }
        // Under the lock, so that two requests do not create two. Nothing is fetched.
        let client = with_tenant(self.client.clone(), &site.domain);
        let new = self.common.site(super::site::base_url(Some(&site.base_url))?, client)?;
        if built.sites.len() >= MAX_BUILT {
            let mut uses: Vec<u64> = built.sites.values().map(|(_, last_use)| *last_use).collect();
            let (_, median, _) = uses.select_nth_unstable(MAX_BUILT / 2);
            let median = *median;
            built.sites.retain(|_, (_, last_use)| *last_use > median);
        }
        built.sites.insert(site, (Arc::clone(&new), now));
        Ok(new)
    }
}

impl fmt::Debug for Sites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sites").field("configured", &self.configured.len()).finish_non_exhaustive()
    }
}
