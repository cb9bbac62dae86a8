//! Fetches the keys of an issuer: one attempt, from the metadata to the parsed set, within one deadline.
use super::{
    bulkhead::{self, Queue},
    discovery::{self, Discovery, Endpoints},
    fetch_error::FetchError,
    key_set::KeySet,
    schedule::FRESH,
    snapshot::Snapshot,
    source::{Discovered, KeySource, Location},
};
use crate::{
    identifier::Issuer,
    runtime::{
        Clock,
        fetch_thread::{self, How},
    },
    transport::{TOTAL_TIMEOUT, Transport},
};
use arc_swap::ArcSwapOption;
use std::{
    fmt,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long metadata are used that cannot be read again, as keys are by default.
const METADATA_SERVED_FOR: Duration = Duration::from_secs(24 * 3600);

/// How long they are waited for then before the key set is asked for, and once more after it.
const METADATA_PATIENCE: Duration = Duration::from_secs(2);

/// The source of an issuer's keys, and the transport to fetch them.
pub(crate) struct Fetcher {
    source: KeySource,
    /// The transport; `None` if the keys are fixed.
    transport: Option<Transport>,
    clock: Arc<dyn Clock>,
    metadata: ArcSwapOption<KnownMetadata>,
}

/// The metadata, and the time at which it was read. Kept while the keys cannot be fetched.
#[derive(Debug)]
struct KnownMetadata {
    discovered: Discovery,
    read_at: Duration,
}

/// The moment at which an attempt asked for a permit, on the clock and in real time.
struct Asked(Duration, Instant);

impl Asked {
    fn now(clock: &dyn Clock) -> Self {
        Self(clock.monotonic(), Instant::now())
    }

    fn is_long_ago(&self, clock: &dyn Clock) -> bool {
        let on_clock = clock.monotonic().saturating_sub(self.0);
        on_clock.max(self.1.elapsed()) > TOTAL_TIMEOUT / 2
    }
}

/// The purpose of a fetch.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// To renew keys by age.
    Renewal,
    /// To get the current keys: all documents are read anew.
    Refresh,
    /// To find a key that a token needs.
    Key(WantedKey),
}

/// The key that a token needs, which is not among the keys that were used for it.
#[derive(Clone, Debug)]
pub(crate) struct WantedKey {
    /// The `kid` of the token.
    pub(crate) id: Option<Box<str>>,
    /// The keys with which its signature did not verify: a new key may have the id of an old one. `None` if
    /// no key has the id.
    pub(crate) doubted: Option<Arc<Snapshot>>,
}

impl WantedKey {
    pub(super) fn is_in(&self, keys: &KeySet) -> bool {
        let id = self.id.as_deref();
        match (&self.doubted, id) {
            (Some(seen), _) => keys.has_newer(id, &seen.keys),
            (None, Some(id)) => keys.contains(id),
            (None, None) => false,
        }
    }
}

impl Purpose {
    pub(super) const fn wanted(&self) -> Option<&WantedKey> {
        match self {
            Self::Key(wanted) => Some(wanted),
            Self::Renewal | Self::Refresh => None,
        }
    }

    pub(super) const fn is_refresh(&self) -> bool {
        matches!(self, Self::Refresh)
    }
}

impl Fetcher {
    pub(crate) fn new(
        source: KeySource,
        transport: Option<Transport>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self { source, transport, clock, metadata: ArcSwapOption::empty() })
    }

    pub(super) const fn source(&self) -> &KeySource {
        &self.source
    }

    /// Returns the endpoints of the metadata, if it was read.
    pub(crate) fn endpoints(&self) -> Option<Endpoints> {
        self.metadata.load().as_ref().map(|known| known.discovered.endpoints.clone())
    }

    /// Makes the next fetch read all documents anew.
    pub(super) fn forget_metadata(&self) {
        self.metadata.store(None);
    }

    /// Makes one attempt, on the thread `auth0-fetch`. A transport may hang, and it may panic.
    /// A failure is the first in a row unless the issuer is in the queue of the failing ones. Only the first one causes
    /// a check whether the key set has moved, and an issuer that fails repeatedly does not delay others.
    ///
    /// An attempt that failed while the process was stopped is not a failure of the issuer and is made again,
    /// up to [`RESTARTS`](fetch_thread::RESTARTS) times.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        purpose: &Purpose,
        queue: Queue,
    ) -> Result<Snapshot, FetchError> {
        let is_first_failure = queue != Queue::Failing;
        let mut restarts = 0..fetch_thread::RESTARTS;
        loop {
            let (fetcher, purpose) = (Arc::clone(self), purpose.clone());
            let has_begun = Arc::new(AtomicBool::new(false));
            let begun = Arc::clone(&has_begun);
            let asked = Asked::now(&*self.clock);
            let attempt = async move {
                let _permit = bulkhead::permit(queue).await;
                // An issuer that hangs must be seen to do so: it is asked only if there is time for that.
                if asked.is_long_ago(&*fetcher.clock) {
                    return Err(FetchError::Crowded);
                }
                begun.store(true, Ordering::Relaxed);
                fetcher.ask(&purpose, is_first_failure).await
            };
            let ended = fetch_thread::within(&*self.clock, TOTAL_TIMEOUT, attempt).await;
            let result = match ended.how {
                How::Done(result) => result,
                How::Panicked => Err(FetchError::Panicked),
                How::Late if has_begun.load(Ordering::Relaxed) => Err(FetchError::Deadline),
                How::Late => Err(FetchError::Crowded),
            };
            match result {
                Err(cause) if ended.was_frozen && restarts.next().is_some() => tracing::warn!(
                    target: "auth0", issuer = %self.source.issuer(), %cause,
                    "a fetch failed while the process was stopped, or while the thread auth0-fetch was \
                     blocked: it is made again"
                ),
                result => return result,
            }
        }
    }

    async fn ask(&self, purpose: &Purpose, is_first_failure: bool) -> Result<Snapshot, FetchError> {
        let configured = || self.source.issuer().clone();
        let (keys, issuer) = match (self.source.location(), &self.transport) {
            (Location::Fixed(json), _) => {
                let keys = self.source.parse(json.as_bytes()).ok_or(FetchError::NotKeySet)?;
                (keys, configured())
            }
            (Location::At(url), Some(transport)) => {
                (discovery::key_set(transport, &self.source, url).await?, configured())
            }
            (Location::Discovered(rules), Some(transport)) => {
                let purpose = (purpose, is_first_failure);
                self.discover(transport, rules, purpose).await?
            }
            // Only fixed keys have no transport.
            (_, None) => return Err(FetchError::Abandoned),
        };
        Ok(Snapshot::new(keys, issuer, self.clock.monotonic()))
    }

    async fn discover(
        &self,
        transport: &Transport,
        rules: &Discovered,
        (purpose, is_first_failure): (&Purpose, bool),
    ) -> Result<(KeySet, Issuer), FetchError> {
        let now = self.clock.monotonic();
        let cached = self
            .metadata
            .load_full()
            .filter(|known| !purpose.is_refresh() && now.saturating_sub(known.read_at) < FRESH / 2);
        let is_cached = cached.is_some();
        let mut known = match (cached, self.older_metadata(purpose)) {
            (Some(known), _) => known,
            (None, None) => self.read_metadata(transport, rules).await?,
            (None, Some(older)) => {
                return self.discover_anew(transport, rules, older, purpose).await;
            }
        };
        let mut keys =
            discovery::key_set(transport, &self.source, &known.discovered.key_set_url).await;
        let may_have_moved = match &keys {
            Ok(keys) => purpose.wanted().is_some_and(|wanted| !wanted.is_in(keys)),
            Err(error) => is_first_failure && error.suggests_move(),
        };
        if is_cached && may_have_moved {
            // The first answer stays valid if this fails.
            if let Ok(newer) = self.read_metadata(transport, rules).await
                && newer.discovered.key_set_url != known.discovered.key_set_url
            {
                known = newer;
                keys = discovery::key_set(transport, &self.source, &known.discovered.key_set_url)
                    .await;
            }
        }
        Ok((keys?, known.discovered.issuer.clone()))
    }

    /// Reads the metadata again, and asks for the key set that they named before if they take long or cannot be read.
    async fn discover_anew(
        &self,
        transport: &Transport,
        rules: &Discovered,
        older: Arc<KnownMetadata>,
        purpose: &Purpose,
    ) -> Result<(KeySet, Issuer), FetchError> {
        let mut read = pin!(self.read_metadata(transport, rules));
        let mut newer = self.with_patience(read.as_mut()).await;
        let mut found = None;
        if newer.as_ref().is_none_or(|newer| newer.as_ref().is_err_and(FetchError::is_outage)) {
            let keys =
                discovery::key_set(transport, &self.source, &older.discovered.key_set_url).await;
            let is_wanted = |keys| purpose.wanted().is_some_and(|wanted| wanted.is_in(keys));
            if newer.is_none() && !keys.as_ref().is_ok_and(is_wanted) {
                newer = self.with_patience(read).await;
            }
            found = Some(keys);
        }
        match (newer.unwrap_or(Err(FetchError::Deadline)), found) {
            (Ok(known), found) => {
                let url = &known.discovered.key_set_url;
                let keys = match found {
                    Some(keys) if *url == older.discovered.key_set_url => keys,
                    _ => discovery::key_set(transport, &self.source, url).await,
                };
                Ok((keys?, known.discovered.issuer.clone()))
            }
            (Err(cause), Some(Ok(keys))) if cause.is_outage() => {
                tracing::warn!(
                    target: "auth0", issuer = %self.source.issuer(), %cause,
                    "the issuer's metadata cannot be read; the key set that it named is used"
                );
                Ok((keys, older.discovered.issuer.clone()))
            }
            (Err(_), Some(Err(error @ FetchError::Status { retry_after: Some(_), .. }))) => {
                Err(error)
            }
            (Err(cause), _) => Err(cause),
        }
    }

    /// Waits for what may take the rest of the time, and not much longer than what answers takes.
    async fn with_patience<T>(&self, read: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        tokio::select! {
            biased;
            read = read => Some(read),
            () = fetch_thread::passed_while_running(&self.clock, METADATA_PATIENCE) => None,
        }
    }

    /// Returns the metadata of before, which may be used if they cannot be read now. A refresh reads all documents.
    fn older_metadata(&self, purpose: &Purpose) -> Option<Arc<KnownMetadata>> {
        let now = self.clock.monotonic();
        let is_recent =
            |known: &Arc<KnownMetadata>| now.saturating_sub(known.read_at) < METADATA_SERVED_FOR;
        self.metadata.load_full().filter(|known| !purpose.is_refresh() && is_recent(known))
    }

    async fn read_metadata(
        &self,
        transport: &Transport,
        rules: &Discovered,
    ) -> Result<Arc<KnownMetadata>, FetchError> {
        let issuer = self.source.issuer();
        let discovered = discovery::metadata(transport, issuer, rules).await?;
        let known = Arc::new(KnownMetadata { discovered, read_at: self.clock.monotonic() });
        self.metadata.store(Some(Arc::clone(&known)));
        Ok(known)
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("issuer", self.source.issuer()).finish_non_exhaustive()
    }
}
