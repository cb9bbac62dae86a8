//! The metadata of the issuer over time.
use super::{Deadline, Server};
use crate::error::{Error, ErrorKind};
use arc_swap::ArcSwapOption;
use auth0_core::support::{
    ServerMetadata,
    fetch_thread::{self, How},
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
        let _reading = self.reading.lock().await;
        if let Some(fresh) = self.fresh(server) {
            return Ok(fresh); // read meanwhile
        }
        let now = server.clock.monotonic();
        let (metadata, until) = match read(server, deadline).await {
            Ok(metadata) => (Arc::new(metadata), now + FRESH),
            Err(cause) => match self.known.load().as_ref() {
                Some(known) => {
                    tracing::warn!(
                        target: "auth0", issuer = %server.issuer, %cause,
                        "the metadata cannot be read again; known endpoints are used"
                    );
                    (Arc::clone(&known.metadata), now + PAUSE)
                }
                None => return Err(Error::new(ErrorKind::Unavailable, cause)),
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

/// Reads the document, and once more if that fails: the first connection may have been lost.
async fn read(server: &Arc<Server>, deadline: Deadline) -> Result<ServerMetadata, String> {
    let mut tries = 0..2;
    loop {
        tries.next();
        let limit = deadline.left(&*server.clock).min(TIMEOUT);
        let own = Arc::clone(server);
        let work =
            async move { ServerMetadata::read(&own.http, &own.issuer, &own.plain_http).await };
        let result = match fetch_thread::within(&*server.clock, limit, work).await.how {
            How::Done(result) => result,
            How::Panicked => Err("the transport panicked".into()),
            How::Late => Err("it took too long".into()),
        };
        match result {
            Ok(metadata) => return Ok(metadata),
            Err(cause) if tries.is_empty() || deadline.left(&*server.clock).is_zero() => {
                return Err(format!("The metadata of {} cannot be read: {cause}", server.issuer));
            }
            Err(_) => {}
        }
    }
}
