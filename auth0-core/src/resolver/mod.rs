//! Issuers that are not known at the start: found for each request, by the application.
mod answer;
mod answers;
mod context;
mod pilot;

pub(crate) use answer::{Answer, Looked, Unresolved};
pub(crate) use answers::Resolve;
pub use context::{ResolverContext, UnverifiedIssuer};

use crate::{
    builder::ConfigError, http::BoxFuture, issuers::Terms, jwks::Transport, key_table::KeyTable,
    reach::PrivateHosts, trusted_issuer::TrustedIssuer,
};
use answers::Answers;
use std::{error::Error, fmt, future::Future, hash::Hash, sync::Arc, time::Duration};

/// Tells which issuers are trusted, where they are not known when the verifier is built: one tenant for each
/// customer, in a database.
///
/// It does so in two steps. [`key`](Self::key) takes out of the request what the answer depends on, and
/// [`resolve`](Self::resolve) finds the answer, of which it knows nothing but that key. So an answer can be
/// remembered under its key, and what one client sends cannot decide about another's request.
///
/// ```
/// use auth0_core::{Auth0, IssuerResolver, ResolverContext, TrustedIssuer};
/// use std::{collections::HashMap, error::Error};
///
/// /// Customers come to `{customer}.api.acme.com`, and have a tenant each.
/// struct Customers {
///     domains: HashMap<String, Vec<String>>, // stands for a database
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
///         let domains = self.domains.get(&customer); // in life, an await with a `?`
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
/// A token's issuer is compared with the answer before anything is fetched. Issuers that are configured are
/// trusted in any case, and their tokens ask no resolver.
pub trait IssuerResolver: Send + Sync + 'static {
    /// What an answer depends on: the name of a customer, the digest of an issuer, or `()` if there is one
    /// answer for all. Clients write it, and as many are remembered as there are answers: keep it small.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;

    /// What the answer for this request depends on. `None`: no issuer is trusted for it, but those that are
    /// configured. It is asked with every request that has a token of another issuer, so it waits for nothing.
    fn key(&self, request: &ResolverContext<'_>) -> Option<Self::Key>;

    /// Which issuers are trusted for requests of this key. None is an answer, too. It has five seconds.
    ///
    /// # Errors
    /// Nobody knows which issuers are trusted: requests get `503` (`issuers_unavailable`). The text goes to
    /// the log, and not to clients.
    fn resolve(
        &self,
        key: Self::Key,
    ) -> impl Future<Output = Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>>> + Send;
}

/// How issuers that an [`IssuerResolver`] finds are treated: for
/// [`Builder::issuer_resolver`](crate::Builder::issuer_resolver), where the defaults do not fit.
///
/// ```
/// use auth0_core::{Auth0, IssuerResolver, ResolvedIssuers, ResolverContext, TrustedIssuer};
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
    settings: Settings,
    max_issuers: usize,
    private_hosts: Vec<String>,
}

/// Starts the resolver, whose type is forgotten here.
type Start =
    Arc<dyn Fn(Settings, Terms, Transport, Arc<KeyTable>) -> Arc<dyn Resolve> + Send + Sync>;

/// How answers are kept.
#[derive(Clone, Copy, Debug)]
struct Settings {
    ttl: Duration,
    stale: Duration,
    max_answers: usize,
}

/// Long enough for the resolver to cost nothing, short enough for an issuer to be removed while somebody waits.
const DEFAULT_TTL: Duration = Duration::from_secs(60);
/// Whoever removes an issuer expects it to be gone by the next day.
const LONGEST_TTL: Duration = Duration::from_secs(24 * 3600);

/// Tenants whose users are active at one time. An answer is small.
const DEFAULT_MAX_ANSWERS: usize = 10_000;
/// A million customers at one time need more than one instance.
const LARGEST_MAX_ANSWERS: usize = 1_000_000;

/// The keys of one issuer take some 10 KiB, and a fetch every eight minutes.
const DEFAULT_MAX_ISSUERS: usize = 100;
const LARGEST_MAX_ISSUERS: usize = 10_000;

impl ResolvedIssuers {
    /// Found by this resolver.
    pub fn by<R: IssuerResolver>(resolver: R) -> Self {
        let resolver = Arc::new(resolver);
        Self {
            start: Arc::new(move |settings, terms, transport, table| {
                Answers::of(Arc::clone(&resolver), settings, terms, transport, table)
            }),
            settings: Settings {
                ttl: DEFAULT_TTL,
                stale: Duration::ZERO,
                max_answers: DEFAULT_MAX_ANSWERS,
            },
            max_issuers: DEFAULT_MAX_ISSUERS,
            private_hosts: Vec::new(),
        }
    }

    /// How long an answer is good: 60 s by default, a day at the most. So long is an issuer trusted after it
    /// was removed; [`Auth0::forget_resolved_issuers`](crate::Auth0::forget_resolved_issuers) is faster. An
    /// answer in use is asked for again before that, in the background. One without any issuer is good for
    /// 10 s at the most, so that a new customer does not wait.
    pub fn ttl(mut self, time: Duration) -> Self {
        self.settings.ttl = time;
        self
    }

    /// How long an answer goes on being used after that while the resolver fails: not at all by default, so
    /// that requests get `503` then; a day at the most.
    pub fn serve_stale_for(mut self, time: Duration) -> Self {
        self.settings.stale = time;
        self
    }

    /// How many answers there is room for: 10,000 by default, 1,000,000 at the most. (Twice as many places, so
    /// that few are crowded out before.) Those that are not used make room. Answers without any issuer have a tenth of that to themselves, so that requests for made-up
    /// customers push out no others.
    pub fn max_answers(mut self, answers: usize) -> Self {
        self.settings.max_answers = answers;
        self
    }

    /// How many of the issuers have their keys in memory: 100 by default, 10,000 at the most. The keys of the
    /// least recently used make room, and are fetched again when they are needed. Issuers that are
    /// configured do not count.
    pub fn max_issuers(mut self, issuers: usize) -> Self {
        self.max_issuers = issuers;
        self
    }

    /// Hosts of issuers that may have private addresses: names or addresses, without port. The key set of such
    /// an issuer may be at any of these hosts, too. Others are asked for keys at public addresses only, whatever their names mean when they are
    /// looked up, because what stands in a database may have been written by a customer.
    ///
    /// The default transport makes these connections without a proxy, which would look names up itself. Behind
    /// one, bring a client: see [`HttpRequest::addresses`](crate::HttpRequest::addresses).
    pub fn private_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.private_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    pub(crate) fn private(&self) -> Result<PrivateHosts, ConfigError> {
        PrivateHosts::new(&self.private_hosts)
    }

    pub(crate) fn start(
        self,
        terms: Terms,
        transport: Transport,
    ) -> Result<Arc<dyn Resolve>, ConfigError> {
        let Settings { ttl, stale, max_answers } = self.settings;
        let within = |setting: &str, number: usize, most: usize| match number {
            0 => Err(ConfigError::new(format!(
                "ResolvedIssuers::{setting}(0) leaves room for none. Write 1 to {most}"
            ))),
            number if number > most => Err(ConfigError::new(format!(
                "ResolvedIssuers::{setting}({number}) is too much. Write 1 to {most}"
            ))),
            _ => Ok(()),
        };
        within("max_answers", max_answers, LARGEST_MAX_ANSWERS)?;
        within("max_issuers", self.max_issuers, LARGEST_MAX_ISSUERS)?;
        if ttl.is_zero() || ttl > LONGEST_TTL || stale > LONGEST_TTL {
            return Err(ConfigError::new(format!(
                "answers of the resolver cannot be good for {ttl:?}, and {stale:?} after that. Write more \
                 than nothing and at the most a day for ResolvedIssuers::ttl, and at the most a day for \
                 serve_stale_for"
            )));
        }
        let table = KeyTable::new(self.max_issuers, Arc::clone(&terms.clock));
        Ok((self.start)(self.settings, terms, transport, table))
    }
}

impl<R: IssuerResolver> IssuerResolver for Arc<R> {
    type Key = R::Key;

    fn key(&self, request: &ResolverContext<'_>) -> Option<Self::Key> {
        (**self).key(request)
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

/// The resolver's answer, as a future that does nothing until it is waited for.
pub(crate) type Asking = BoxFuture<'static, Result<Arc<Answer>, Unresolved>>;
