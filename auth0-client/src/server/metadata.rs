//! The metadata of the issuer over time.
use super::{Deadline, Server};
use crate::{
    error::{Error, ErrorKind},
    limits::MAX_WAIT,
};
use arc_swap::ArcSwapOption;
use auth0_core::support::{
    ServerMetadata,
    fetch_thread::{self, How},
    passed_while_running,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// How long endpoints are used before they are read again: they change when a domain moves.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// The pause after a failure, while known endpoints are used.
const PAUSE: Duration = Duration::from_secs(60);

/// The limit of a renewal in the background.
const RENEWAL: Duration = Duration::from_secs(10);

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
        deadline: &Deadline,
    ) -> Result<Arc<ServerMetadata>, Error> {
        if let Some(known) = self.known.load_full() {
            self.renew(&known, server);
            return Ok(Arc::clone(&known.metadata));
        }
        let _reading = tokio::select! {
            reading = self.reading.lock() => reading,
            () = passed_while_running(&server.clock, deadline.left(&*server.clock)) => {
                return Err(deadline.error());
            }
        };
        if let Some(known) = self.known.load_full() {
            return Ok(Arc::clone(&known.metadata)); // read meanwhile
        }
        let metadata = Arc::new(read(server, deadline).await?);
        self.keep(Arc::clone(&metadata), server.clock.monotonic() + FRESH);
        Ok(metadata)
    }

    fn keep(&self, metadata: Arc<ServerMetadata>, until: Duration) {
        self.known.store(Some(Arc::new(Known { metadata, until })));
    }

    /// Reads the document again in the background if it is old. No request waits for that.
    fn renew(&self, known: &Known, server: &Arc<Server>) {
        let now = server.clock.monotonic();
        if now < known.until {
            return;
        }
        // The next look is after this one has ended.
        self.keep(Arc::clone(&known.metadata), now.saturating_add(RENEWAL + PAUSE));
        let (server, metadata) = (Arc::clone(server), Arc::clone(&known.metadata));
        // Without the thread, the next look is later.
        drop(fetch_thread::spawn(async move {
            let deadline = Deadline::after(RENEWAL, &*server.clock);
            let result = deadline.watch(&*server.clock, read(&server, &deadline)).await;
            let now = server.clock.monotonic();
            match result {
                Ok(newer) => server.state.metadata.keep(Arc::new(newer), now + FRESH),
                Err(error) => {
                    tracing::warn!(
                        target: "auth0", issuer = %server.issuer, %error,
                        "the metadata cannot be read again; known endpoints are used"
                    );
                    server.state.metadata.keep(metadata, now + PAUSE);
                }
            }
        }));
    }
}

/// Reads the document, and once more if there is none: the first connection may have been lost.
async fn read(server: &Arc<Server>, deadline: &Deadline) -> Result<ServerMetadata, Error> {
    let unavailable = |cause: &str| {
        let cause = format!("The metadata of {} cannot be read: {cause}", server.issuer);
        Error::new(ErrorKind::Unavailable, cause)
    };
    let mut tries = 0..2;
    loop {
        tries.next();
        let restarts = deadline.restarts(&*server.clock);
        let limit = deadline.left(&*server.clock).min(TIMEOUT);
        let own = Arc::clone(server);
        let work =
            async move { ServerMetadata::read(&own.http, &own.issuer, &own.plain_http).await };
        let mut pause = None;
        let how = fetch_thread::within(&*server.clock, limit, work).await.how;
        let starts_anew = deadline.restarts(&*server.clock) > restarts;
        if starts_anew && !matches!(how, How::Done(Ok(_))) {
            tries = 0..2; // a failure of a process that was stopped is not the server's
            continue;
        }
        let error = match how {
            How::Done(Ok(metadata)) => return Ok(metadata),
            How::Done(Err(error)) if error.is_of_configuration() => {
                let cause = format!("The metadata of {} cannot be used: {error}", server.issuer);
                Error::new(ErrorKind::Misconfigured, cause)
            }
            How::Done(Err(error)) => {
                pause = error.retry_after().map(|wait| wait.min(MAX_WAIT));
                unavailable(&error.to_string())
            }
            How::Panicked => unavailable("the transport panicked"),
            How::Late => unavailable("it took too long"),
        };
        let left = deadline.left(&*server.clock);
        if left.is_zero() {
            return Err(deadline.error());
        }
        match pause {
            Some(wait) if tries.is_empty() || wait >= left => {
                return Err(error.retry_in(wait, server.clock.unix_time()));
            }
            Some(wait) => deadline.pause(&*server.clock, wait).await,
            None if tries.is_empty() => return Err(error),
            None => {}
        }
    }
}
