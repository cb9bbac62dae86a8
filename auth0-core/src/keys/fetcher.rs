//! Fetches the keys of an issuer: one attempt, from the metadata to the parsed set, within one deadline.
use super::{
    bulkhead, discovery,
    fetch_error::FetchError,
    key_set::KeySet,
    schedule::FRESH,
    snapshot::Snapshot,
    source::{KeySource, Location},
};
use crate::{
    runtime::{
        Clock,
        fetch_thread::{self, How},
    },
    transport::{TOTAL_TIMEOUT, Transport},
};
use arc_swap::ArcSwapOption;
use std::{fmt, sync::Arc, time::Duration};

/// The source of an issuer's keys, and the transport to fetch them.
pub(crate) struct Fetcher {
    source: KeySource,
    /// The transport; `None` if the keys are fixed.
    transport: Option<Transport>,
    clock: Arc<dyn Clock>,
    metadata: ArcSwapOption<KnownLocation>,
}

/// The URL of the key set according to the metadata, and the time at which that was read. Kept while the keys
/// cannot be fetched there.
#[derive(Debug)]
struct KnownLocation {
    url: Box<str>,
    read_at: Duration,
}

/// The purpose of a fetch.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// To renew keys by age.
    Renewal,
    /// To get the current keys: all documents are read anew.
    Refresh,
    /// To find a key that a token names.
    Key(Box<str>),
}

impl Purpose {
    pub(super) fn key_id(&self) -> Option<&str> {
        match self {
            Self::Key(key_id) => Some(key_id),
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

    pub(super) fn forget_metadata(&self) {
        self.metadata.store(None);
    }

    /// Makes one attempt, on the thread `auth0-fetch`. A transport may hang, and it may panic.
    /// `is_first_failure` says whether a failure would be the first in a row. Only the first one causes a
    /// check whether the key set has moved, and an issuer that fails repeatedly does not delay others.
    ///
    /// An attempt that failed while the process was stopped is not a failure of the issuer and is made again,
    /// up to [`RESTARTS`](fetch_thread::RESTARTS) times.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        purpose: &Purpose,
        is_first_failure: bool,
    ) -> Result<Snapshot, FetchError> {
        let mut restarts = 0..fetch_thread::RESTARTS;
        loop {
            let (fetcher, purpose) = (Arc::clone(self), purpose.clone());
            let attempt = async move {
                let _permit = bulkhead::permit(is_first_failure).await;
                fetcher.ask(&purpose, is_first_failure).await
            };
            let ended = fetch_thread::within(&*self.clock, TOTAL_TIMEOUT, attempt).await;
            let result = match ended.how {
                How::Done(result) => result,
                How::Panicked => Err(FetchError::Panicked),
                How::Late => Err(FetchError::Deadline),
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
        let keys = match (self.source.location(), &self.transport) {
            (Location::Fixed(json), _) => KeySet::parse(json.as_bytes(), self.source.algorithms())
                .ok_or(FetchError::NotKeySet)?,
            (Location::At(url), Some(transport)) => {
                discovery::key_set(transport, &self.source, url).await?
            }
            (Location::Discovered { same_origin }, Some(transport)) => {
                let purpose = (purpose, is_first_failure);
                self.discover(transport, *same_origin, purpose).await?
            }
            // Only fixed keys have no transport.
            (_, None) => return Err(FetchError::Abandoned),
        };
        Ok(Snapshot::new(keys, self.clock.monotonic()))
    }

    async fn discover(
        &self,
        transport: &Transport,
        same_origin: bool,
        (purpose, is_first_failure): (&Purpose, bool),
    ) -> Result<KeySet, FetchError> {
        let now = self.clock.monotonic();
        let cached = self
            .metadata
            .load_full()
            .filter(|known| !purpose.is_refresh() && now.saturating_sub(known.read_at) < FRESH / 2);
        let is_cached = cached.is_some();
        let known = match cached {
            Some(known) => known,
            None => self.read_metadata(transport, same_origin).await?,
        };
        let mut keys = discovery::key_set(transport, &self.source, &known.url).await;
        let may_have_moved = match &keys {
            Ok(keys) => purpose.key_id().is_some_and(|key_id| !keys.contains(key_id)),
            Err(error) => is_first_failure && error.suggests_move(),
        };
        if is_cached && may_have_moved {
            // The first answer stays valid if this fails.
            if let Ok(newer) = self.read_metadata(transport, same_origin).await
                && newer.url != known.url
            {
                keys = discovery::key_set(transport, &self.source, &newer.url).await;
            }
        }
        keys
    }

    async fn read_metadata(
        &self,
        transport: &Transport,
        same_origin: bool,
    ) -> Result<Arc<KnownLocation>, FetchError> {
        let issuer = self.source.issuer();
        let url = discovery::key_set_location(transport, issuer, same_origin).await?;
        let known = Arc::new(KnownLocation { url, read_at: self.clock.monotonic() });
        self.metadata.store(Some(Arc::clone(&known)));
        Ok(known)
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("issuer", self.source.issuer()).finish_non_exhaustive()
    }
}
