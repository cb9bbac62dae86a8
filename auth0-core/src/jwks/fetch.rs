//! Asking an issuer for its keys: one attempt, from the metadata to the parsed set, within one
//! deadline.
use super::{
    KeySet, bulkhead,
    schedule::{FRESH, refresh_age},
};
use crate::{
    builder::ConfigError,
    clock::Clock,
    crypto::AlgorithmSet,
    discovery::{self, FetchError, Metadata},
    domain::Issuer,
    http::{HttpClient, TOTAL_TIMEOUT},
    reach::Reach,
    trusted_issuer::Checked,
};
use arc_swap::ArcSwapOption;
use std::{fmt, sync::Arc, time::Duration};

/// Where an issuer's keys come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum KeySource {
    /// Its metadata says it.
    Discovery {
        /// Whether they must be where the issuer itself is.
        same_origin: bool,
    },
    At(Box<str>),
    /// A key set in JSON.
    Fixed(Box<str>),
}

impl KeySource {
    pub(crate) fn at(url: &str, issuer: &Issuer) -> Result<Self, ConfigError> {
        match discovery::key_set_uri(url, issuer, false) {
            Ok(metadata) => Ok(Self::At(metadata.jwks_uri)),
            Err(why) => Err(ConfigError::new(format!(
                "the key set URL of {issuer}: {why}. Write an https URL, for example \
                 https://id.acme.com/keys"
            ))),
        }
    }
}

/// Where the keys come from, and what is asked of them.
pub(crate) struct Fetcher {
    issuer: Issuer,
    source: KeySource,
    algorithms: AlgorithmSet,
    transport: Transport,
    clock: Arc<dyn Clock>,
    metadata: ArcSwapOption<KnownMetadata>,
}

/// What fetches, and how far.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) reach: Reach,
}

/// Where the issuer said that its keys are, and when. Kept when the keys cannot be had there.
#[derive(Debug)]
struct KnownMetadata {
    metadata: Metadata,
    read_at: Duration,
}

/// One good answer of the issuer.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) keys: KeySet,
    /// Tokens that were verified with keys of the same generation need no second look: since then,
    /// no key has left, and nobody has asked for a new start.
    pub(crate) generation: u64,
    fetched_at: Duration,
    refresh_at: Duration,
}

/// What a fetch is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// Keys that are new enough.
    Renewal,
    /// Whatever is the case now: nothing that was read before counts.
    Refresh,
    /// A key that a token names.
    Key(Box<str>),
}

impl Purpose {
    pub(crate) fn key_id(&self) -> Option<&str> {
        match self {
            Self::Key(key_id) => Some(key_id),
            Self::Renewal | Self::Refresh => None,
        }
    }

    pub(crate) const fn is_refresh(&self) -> bool {
        matches!(self, Self::Refresh)
    }
}

impl Fetcher {
    /// Of an issuer that somebody has configured, or a resolver found: what a token says does not get here.
    pub(crate) fn new(trusted: &Checked, transport: Transport, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            issuer: trusted.rules.issuer.clone(),
            source: trusted.key_source.clone(),
            algorithms: trusted.rules.algorithms,
            transport,
            clock,
            metadata: ArcSwapOption::empty(),
        })
    }

    /// Whether the same is asked of the same place.
    pub(crate) fn is_for(&self, checked: &Checked) -> bool {
        self.source == checked.key_source && self.algorithms == checked.rules.algorithms
    }

    pub(crate) fn forget_metadata(&self) {
        self.metadata.store(None);
    }

    pub(crate) const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// One attempt. A transport may hang, and it may panic. `is_first_failure` says what a failure
    /// would be: only the first in a row is worth the look whether the keys have moved, and an issuer that
    /// fails again and again does not stand in the way of others.
    pub(crate) async fn fetch(
        self: &Arc<Self>,
        purpose: &Purpose,
        is_first_failure: bool,
    ) -> Result<Snapshot, FetchError> {
        let (fetcher, purpose) = (Arc::clone(self), purpose.clone());
        let mut task = tokio::spawn(async move {
            let _place = bulkhead::place(is_first_failure).await;
            fetcher.ask(&purpose, is_first_failure).await
        });
        match tokio::time::timeout(TOTAL_TIMEOUT, &mut task).await {
            Ok(Ok(result)) => result,
            Ok(Err(ended)) if ended.is_panic() => Err(FetchError::Panicked),
            Ok(Err(_)) => Err(FetchError::Abandoned),
            Err(_) => {
                task.abort();
                Err(FetchError::Deadline)
            }
        }
    }

    async fn ask(&self, purpose: &Purpose, is_first_failure: bool) -> Result<Snapshot, FetchError> {
        let keys = match &self.source {
            KeySource::Discovery { .. } => self.discover(purpose, is_first_failure).await?,
            KeySource::At(url) => self.key_set(url).await?,
            KeySource::Fixed(json) => {
                KeySet::parse(json.as_bytes(), self.algorithms).ok_or(FetchError::NotKeySet)?
            }
        };
        let fetched_at = self.clock.monotonic();
        let refresh_at = fetched_at.saturating_add(refresh_age());
        Ok(Snapshot { keys, generation: 0, fetched_at, refresh_at })
    }

    async fn discover(
        &self,
        purpose: &Purpose,
        is_first_failure: bool,
    ) -> Result<KeySet, FetchError> {
        let now = self.clock.monotonic();
        let cached = self
            .metadata
            .load_full()
            .filter(|known| !purpose.is_refresh() && now.saturating_sub(known.read_at) < FRESH / 2);
        let is_cached = cached.is_some();
        let known = match cached {
            Some(known) => known,
            None => self.read_metadata().await?,
        };
        let mut keys = self.read_keys(&known).await;
        let may_have_moved = match &keys {
            Ok(keys) => purpose.key_id().is_some_and(|key_id| !keys.contains(key_id)),
            Err(error) => is_first_failure && error.suggests_move(),
        };
        if is_cached && may_have_moved {
            // The answer that there is stands, whatever comes of this.
            if let Ok(newer) = self.read_metadata().await
                && newer.metadata.jwks_uri != known.metadata.jwks_uri
            {
                keys = self.read_keys(&newer).await;
            }
        }
        keys
    }

    async fn read_metadata(&self) -> Result<Arc<KnownMetadata>, FetchError> {
        let same_origin = matches!(self.source, KeySource::Discovery { same_origin: true });
        let Transport { http, reach } = &self.transport;
        let metadata = discovery::metadata(http, reach, &self.issuer, same_origin).await?;
        let known = Arc::new(KnownMetadata { metadata, read_at: self.clock.monotonic() });
        self.metadata.store(Some(Arc::clone(&known)));
        Ok(known)
    }

    async fn read_keys(&self, known: &KnownMetadata) -> Result<KeySet, FetchError> {
        self.key_set(&known.metadata.jwks_uri).await
    }

    async fn key_set(&self, url: &str) -> Result<KeySet, FetchError> {
        let Transport { http, reach } = &self.transport;
        discovery::key_set(http, reach, &self.issuer, url, self.algorithms).await
    }
}

impl Snapshot {
    pub(crate) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.fetched_at)
    }

    pub(crate) fn is_fresh(&self, now: Duration) -> bool {
        self.age(now) < FRESH
    }

    pub(crate) fn is_to_be_refreshed(&self, now: Duration) -> bool {
        now >= self.refresh_at
    }

    /// The time from this answer to the next question.
    pub(crate) const fn refresh_age(&self) -> Duration {
        self.refresh_at.saturating_sub(self.fetched_at)
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
