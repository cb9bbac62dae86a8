//! Issuers that are not known at the start: the application finds them for each request.
mod answer;
mod answers;
mod context;
mod fair_queue;
mod known_issuers;
mod question;

pub(crate) use answer::{Answer, Lookup, Question};
pub(crate) use answers::Resolve;
pub use context::{ResolverContext, UnverifiedIssuer};

use super::{IssuerSettings, TrustedIssuer};
use crate::{
    config_error::ConfigError,
    keys::KeyTable,
    transport::{PrivateHosts, Transport},
};
use answers::Answers;
use std::{error::Error, fmt, future::Future, hash::Hash, sync::Arc, time::Duration};

/// Finds the trusted issuers of a request, if they are not known when the verifier is built: for example one
/// tenant for each customer, in a database.
///
/// It works in two steps. [`key`](Self::key) reads from the request what the answer depends on, and
/// [`resolve`](Self::resolve) finds the answer from that key alone. Therefore answers can be cached by key,
/// and the request of one client cannot affect that of another.
///
/// ```
/// use auth0_core::{
///     Auth0, TrustedIssuer,
///     resolver::{IssuerResolver, ResolverContext},
/// };
/// use std::{collections::HashMap, error::Error};
///
/// /// Each customer has a tenant, and uses `{customer}.api.acme.com`.
/// struct Customers {
///     domains: HashMap<String, Vec<String>>, // a database in an application
/// }
///
/// impl IssuerResolver for Customers {
///     type Key = String;
///
///     fn key(&self, request: &ResolverContext<'_>) -> Option<String> {
///         Some(request.host()?.strip_suffix(".api.acme.com")?.to_owned())
///     }
///
///     async fn resolve(
///         &self,
///         customer: String,
///     ) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
///         let domains = self.domains.get(&customer); // in an application, a query with `.await?`
///         Ok(domains.into_iter().flatten().map(TrustedIssuer::domain).collect())
///     }
/// }
///
/// let customers = Customers { domains: HashMap::new() };
/// let auth = Auth0::builder().audience("https://api.acme.com").issuer_resolver(customers).build()?;
/// assert_eq!(auth.issuers().count(), 0); // none is known at the start
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
///
/// The issuer of a token is compared with the answer before anything is fetched. Configured issuers are
/// always trusted, and their tokens do not call the resolver.
///
/// [`resolve`](Self::resolve) runs on the thread `auth0-fetch`, which serves all issuers and has a tokio
/// runtime: it must not block. Use `tokio::task::spawn_blocking` for code that does.
pub trait IssuerResolver: Send + Sync + 'static {
    /// The key of an answer: the name of a customer, the digest of an issuer, or `()` if there is one answer
    /// for all requests. Clients can choose it, and each answer is stored with its key, so keep it small.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;

    /// Returns the key of the answer for a request. With `None`, only the configured issuers are trusted
    /// for it. It is called for every request that has a token of another issuer, so it must not block.
    fn key(&self, request: &ResolverContext<'_>) -> Option<Self::Key>;

    /// Returns whether there may be issuers for a key, from memory: `true` by default. A key for which there
    /// cannot be any is refused without a call of [`resolve`](Self::resolve), so a flood of made-up keys costs
    /// the database nothing. A set of all customers, or a Bloom filter of them, is enough: it must contain
    /// each customer, and may contain more. It is called for keys whose answer is not cached, so it must not
    /// block.
    ///
    /// ```
    /// use auth0_core::{
    ///     TrustedIssuer,
    ///     resolver::{IssuerResolver, ResolverContext},
    /// };
    /// use std::{collections::HashSet, error::Error, sync::RwLock};
    ///
    /// struct Customers {
    ///     names: RwLock<HashSet<String>>, // refreshed in the background
    /// }
    ///
    /// impl IssuerResolver for Customers {
    ///     type Key = String;
    ///
    ///     fn key(&self, request: &ResolverContext<'_>) -> Option<String> {
    ///         Some(request.host()?.strip_suffix(".api.acme.com")?.to_owned())
    ///     }
    ///
    ///     fn may_exist(&self, customer: &String) -> bool {
    ///         self.names.read().map_or(true, |names| names.contains(customer))
    ///     }
    ///
    ///     async fn resolve(
    ///         &self,
    ///         customer: String,
    ///     ) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
    ///         Ok(vec![TrustedIssuer::domain(format!("{customer}.eu.auth0.com"))]) // a query
    ///     }
    /// }
    /// ```
    fn may_exist(&self, key: &Self::Key) -> bool {
        let _ = key;
        true
    }

    /// Returns the trusted issuers for requests with this key, which may be none. The limit is five seconds.
    ///
    /// # Errors
    /// The resolver cannot find out which issuers are trusted. Requests get `503` (`issuers_unavailable`).
    /// The text goes to the log, not to clients.
    fn resolve(
        &self,
        key: Self::Key,
    ) -> impl Future<Output = Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>>> + Send;
}

/// An [`IssuerResolver`] with settings, for [`Builder::issuer_resolver`](crate::Builder::issuer_resolver).
///
/// ```
/// use auth0_core::{
///     Auth0, TrustedIssuer,
///     resolver::{IssuerResolver, ResolvedIssuers, ResolverContext},
/// };
/// use std::{error::Error, time::Duration};
///
/// /// One list for all requests.
/// struct Partners;
///
/// impl IssuerResolver for Partners {
///     type Key = ();
///
///     fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
///         Some(())
///     }
///
///     async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
///         Ok(vec!["https://id.partner.internal/".into()])
///     }
/// }
///
/// let resolved = ResolvedIssuers::by(Partners)
///     .ttl(Duration::from_secs(300))
///     .max_issuers(500)
///     .private_hosts(["id.partner.internal"]);
/// let auth = Auth0::builder().audience("https://api.acme.com").issuer_resolver(resolved).build()?;
/// # let _ = auth;
///
/// let resolved = ResolvedIssuers::by(Partners).max_issuers(0);
/// let builder = Auth0::builder().audience("https://api.acme.com").issuer_resolver(resolved);
/// assert!(builder.build().unwrap_err().to_string().contains("max_issuers"));
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct ResolvedIssuers {
    start: Start,
    settings: AnswerSettings,
    max_issuers: usize,
    private_hosts: Vec<String>,
}

/// Starts the resolver. Its type is erased here.
type Start =
    Arc<dyn Fn(AnswerSettings, IssuerSettings, Arc<KeyTable>) -> Arc<dyn Resolve> + Send + Sync>;

/// The settings for caching answers.
#[derive(Clone, Copy, Debug)]
struct AnswerSettings {
    ttl: Duration,
    stale: Duration,
    max_answers: usize,
    max_calls: usize,
}

/// Long enough to make the cost of the resolver negligible, short enough for an administrator to wait for a
/// removal.
const DEFAULT_TTL: Duration = Duration::from_secs(60);
/// An issuer that was removed must not be trusted on the next day.
const LONGEST_TTL: Duration = Duration::from_secs(24 * 3600);

/// The number of tenants whose users are active at one time. An answer is small.
const DEFAULT_MAX_ANSWERS: usize = 10_000;
/// A million active customers need more than one instance.
const LARGEST_MAX_ANSWERS: usize = 1_000_000;

/// Half of them answer 6,400 questions in a second if each takes 20 ms.
const DEFAULT_MAX_CALLS: usize = 256;
const LARGEST_MAX_CALLS: usize = 10_000;

/// The keys of one issuer take some 10 KiB, and a fetch every six minutes.
const DEFAULT_MAX_ISSUERS: usize = 100;
const LARGEST_MAX_ISSUERS: usize = 10_000;

impl ResolvedIssuers {
    /// Creates the default settings for a resolver.
    pub fn by<R: IssuerResolver>(resolver: R) -> Self {
        let resolver = Arc::new(resolver);
        Self {
            start: Arc::new(move |settings, issuer_settings, keys| {
                Arc::new(Answers::new(Arc::clone(&resolver), settings, issuer_settings, keys))
            }),
            settings: AnswerSettings {
                ttl: DEFAULT_TTL,
                stale: Duration::ZERO,
                max_answers: DEFAULT_MAX_ANSWERS,
                max_calls: DEFAULT_MAX_CALLS,
            },
            max_issuers: DEFAULT_MAX_ISSUERS,
            private_hosts: Vec::new(),
        }
    }

    /// Sets how long an answer is valid: 60 s by default, at most a day. A removed issuer is trusted for
    /// this long; [`Auth0::forget_resolved_issuers`](crate::Auth0::forget_resolved_issuers) is faster. An
    /// answer in use is refreshed before that, in the background. An answer without issuers is valid for at
    /// most 10 s, so that a new customer does not wait.
    pub fn ttl(mut self, time: Duration) -> Self {
        self.settings.ttl = time;
        self
    }

    /// Sets how long an answer is used after [`ttl`](Self::ttl) while the resolver fails: zero by default,
    /// so that requests get `503`; at most a day.
    pub fn serve_stale_for(mut self, time: Duration) -> Self {
        self.settings.stale = time;
        self
    }

    /// Limits how many answers are cached: 10,000 by default, at most 1,000,000. (There are twice as many
    /// slots, so that few answers are evicted before.) Unused answers are evicted first. Answers without
    /// issuers have a separate tenth of that, so that requests for made-up customers evict no others.
    pub fn max_answers(mut self, answers: usize) -> Self {
        self.settings.max_answers = answers;
        self
    }

    /// Limits how many calls of the resolver run at once for keys that had no issuers before: 256 by default,
    /// at most 10,000. Further ones wait, and clients take turns. Of these calls, one client (an address) has
    /// at most half. Set it to what your database can serve.
    pub fn max_calls(mut self, calls: usize) -> Self {
        self.settings.max_calls = calls;
        self
    }

    /// Limits how many resolved issuers have their keys in memory: 100 by default, at most 10,000. The keys
    /// of the least recently used issuers are evicted, and fetched again when they are needed. Configured
    /// issuers do not count.
    pub fn max_issuers(mut self, issuers: usize) -> Self {
        self.max_issuers = issuers;
        self
    }

    /// Adds hosts of issuers that may have private addresses: names or addresses, without port. The key set
    /// of such an issuer may be at any of these hosts, too. The keys of all other issuers are fetched from
    /// public addresses only, which is checked after their names are resolved, because a customer may have
    /// written an entry of a database.
    ///
    /// The default transport makes these connections without a proxy, which would resolve names itself.
    /// Behind a proxy, set a client: see
    /// [`HttpRequest::addresses`](crate::transport::HttpRequest::addresses).
    pub fn private_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.private_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    pub(crate) fn private(&self) -> Result<PrivateHosts, ConfigError> {
        PrivateHosts::new(&self.private_hosts)
    }

    pub(crate) fn start(
        self,
        issuer_settings: IssuerSettings,
        transport: Transport,
    ) -> Result<Arc<dyn Resolve>, ConfigError> {
        let AnswerSettings { ttl, stale, max_answers, max_calls } = self.settings;
        let within = |setting: &str, number: usize, most: usize| match number {
            0 => Err(ConfigError::new(format!(
                "ResolvedIssuers::{setting}(0) allows none. Write 1 to {most}"
            ))),
            number if number > most => Err(ConfigError::new(format!(
                "ResolvedIssuers::{setting}({number}) is too much. Write 1 to {most}"
            ))),
            _ => Ok(()),
        };
        within("max_answers", max_answers, LARGEST_MAX_ANSWERS)?;
        within("max_calls", max_calls, LARGEST_MAX_CALLS)?;
        within("max_issuers", self.max_issuers, LARGEST_MAX_ISSUERS)?;
        if ttl.is_zero() || ttl > LONGEST_TTL || stale > LONGEST_TTL {
            return Err(ConfigError::new(format!(
                "answers of the resolver cannot be valid for {ttl:?}, and {stale:?} after that. Write more \
                 than zero and at most a day for ResolvedIssuers::ttl, and at most a day for \
                 serve_stale_for"
            )));
        }
        let (stale_keys, clock) = (issuer_settings.stale_keys, Arc::clone(&issuer_settings.clock));
        let keys = KeyTable::new(self.max_issuers, transport, stale_keys, clock);
        Ok((self.start)(self.settings, issuer_settings, keys))
    }
}

impl<R: IssuerResolver> IssuerResolver for Arc<R> {
    type Key = R::Key;

    fn key(&self, request: &ResolverContext<'_>) -> Option<Self::Key> {
        (**self).key(request)
    }

    fn may_exist(&self, key: &Self::Key) -> bool {
        (**self).may_exist(key)
    }

    async fn resolve(
        &self,
        key: Self::Key,
    ) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        (**self).resolve(key).await
    }
}

impl<R: IssuerResolver> From<R> for ResolvedIssuers {
    fn from(resolver: R) -> Self {
        Self::by(resolver)
    }
}

impl fmt::Debug for ResolvedIssuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolvedIssuers")
            .field("settings", &self.settings)
            .field("max_issuers", &self.max_issuers)
            .field("private_hosts", &self.private_hosts)
            .finish_non_exhaustive()
    }
}
