//! The metadata of the issuer over time.
use super::{Deadline, Server, late};
use crate::error::{Error, ErrorKind};
use arc_swap::ArcSwapOption;
use auth0_core::support::{
    ServerMetadata,
    fetch_thread::{self, How},
    passed,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// How long endpoints are used before they are read again: they change when a domain moves.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// The pause after a failure, while known endpoints are used.
const PAUSE: Duration = Duration::from_secs(60);

/// The limit for one document.
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct KnownMetadata {
    known: ArcSwapOption<Known>,
    /// Held while the document is read, so that it is read once.
    reading: Mutex<()>,
}

struct Known {
    metadata: Arc<ServerMetadata>,
    /// The monotonic time from which on the document is read again.
    until: Duration,
}

impl KnownMetadata {
    pub(super) async fn get(
        &self,
        server: &Arc<Server>,
        deadline: Deadline,
    ) -> Result<Arc<ServerMetadata>, Error> {
        if let Some(fresh) = self.fresh(server) {
            return Ok(fresh);
        }
        let _reading = tokio::select! {
            reading = self.reading.lock() => reading,
            () = passed(&*server.clock, deadline.left(&*server.clock)) => return Err(late(deadline)),
        };
        if let Some(fresh) = self.fresh(server) {
            return Ok(fresh); // read meanwhile
        }
        let now = server.clock.monotonic();
        let (metadata, until) = match read(server, deadline).await {
            Ok(metadata) => (Arc::new(metadata), now + FRESH),
            Err(error) => match self.known.load().as_ref() {
                Some(known) => {
                    tracing::warn!(
                        target: "auth0", issuer = %server.issuer, %error,
                        "the metadata cannot be read again; known endpoints are used"
                    );
                    (Arc::clone(&known.metadata), now + PAUSE)
                }
                None => return Err(error),
            },
        };
        self.known.store(Some(Arc::new(Known { metadata: Arc::clone(&metadata), until })));
        Ok(metadata)
    }

    fn fresh(&self, server: &Server) -> Option<Arc<ServerMetadata>> {
        let known = self.known.load();
        let known = known.as_ref()?;
        (server.clock.monotonic() < known.until).then(|| Arc::clone(&known.metadata))
    }
}

/// Reads the document, and once more if there is none: the first connection may have been lost.
async fn read(server: &Arc<Server>, deadline: Deadline) -> Result<ServerMetadata, Error> {
    let unavailable = |cause: &str| {
        let cause = format!("The metadata of {} cannot be read: {cause}", server.issuer);
        Error::new(ErrorKind::Unavailable, cause)
    };
    let mut tries = 0..2;
    loop {
        tries.next();
        let limit = deadline.left(&*server.clock).min(TIMEOUT);
        let own = Arc::clone(server);
        let work =
            async move { ServerMetadata::read(&own.http, &own.issuer, &own.plain_http).await };
        let mut pause = None;
        let error = match fetch_thread::within(&*server.clock, limit, work).await.how {
            How::Done(Ok(metadata)) => return Ok(metadata),
            How::Done(Err(error)) if error.is_of_configuration() => {
                let cause = format!("The metadata of {} cannot be used: {error}", server.issuer);
                Error::new(ErrorKind::Misconfigured, cause)
            }
            How::Done(Err(error)) => {
                pause = error.retry_after();
                unavailable(&error.to_string())
            }
            How::Panicked => unavailable("the transport panicked"),
            How::Late => unavailable("it took too long"),
        };
        let left = deadline.left(&*server.clock);
        if left.is_zero() {
            return Err(late(deadline));
        }
        match pause {
            Some(wait) if tries.is_empty() || wait >= left => {
                return Err(error.retry_in(wait, server.clock.unix_time()));
            }
            Some(wait) => passed(&*server.clock, wait).await,
            None if tries.is_empty() => return Err(error),
            None => {}
        }
    }
}
