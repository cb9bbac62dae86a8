//! The handler, and the position after what it has handled.
use super::{EventSubscriber, Received};
use crate::{backoff::Backoff, event::Event, handler::Handler, leadership::Lease, metrics};
use auth0_core::support::{Escaped, EscapedMessage, fetch_thread::Task, passed};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// The limit of a call of the handler.
const HANDLER_LIMIT: Duration = Duration::from_secs(30);

/// How often the handler is called for an event before that is given up: one event must not hold up all others.
const HANDLER_CALLS: usize = 5;

/// At most so many events are handled before the position is saved.
const MAX_UNSAVED: usize = 100;

/// The pause after a position could not be saved.
const PAUSE: Duration = Duration::from_secs(1);

impl EventSubscriber {
    /// Calls the handler for all events, and saves the position after them. Ends if the lease is lost.
    pub(super) async fn deliver(&self, lease: Lease, received: &mut Receiver<Received>) {
        let (mut unsaved, mut count) = (None, 0);
        loop {
            let next = match (received.try_recv(), &unsaved) {
                (Ok(next), _) => Some(next),
                (Err(_), Some(_)) => None,
                (Err(_), None) => match received.recv().await {
                    Some(next) => Some(next),
                    None => return,
                },
            };
            if let Some(Received { event, position }) = next {
                if let Some((event, handler)) = event.zip(self.handler.as_ref()) {
                    self.handle(handler, event).await;
                }
                unsaved = position.or(unsaved);
                count += 1;
                if count < MAX_UNSAVED {
                    continue;
                }
            }
            let Some(position) = &unsaved else { continue };
            match self.leadership.save(lease, position).await {
                Ok(true) => (unsaved, count) = (None, 0),
                Ok(false) => return,
                Err(_) => passed(&*self.clock, PAUSE).await,
            }
        }
    }

    /// Calls the handler until it succeeds, or a few times.
    async fn handle(&self, handler: &Handler, event: Event) {
        let mut backoff = Backoff::default();
        for call in 1..=HANDLER_CALLS {
            let Err(error) = self.attempt(handler, event.clone()).await else {
                metrics::event(self.label(event.event_type()), "handled");
                return;
            };
            let (kind, id) = (Escaped(event.event_type()), Escaped(event.id().unwrap_or_default()));
            let error = EscapedMessage(&error);
            if call == HANDLER_CALLS {
                metrics::event(self.label(event.event_type()), "given_up");
                tracing::error!(
                    target: "auth0", r#type = %kind, %id, %error, calls = HANDLER_CALLS,
                    "an event was given up: the handler has failed each time"
                );
            } else {
                tracing::warn!(
                    target: "auth0", r#type = %kind, %id, %error, call,
                    "the handler of an event has failed, and is called again"
                );
                passed(&*self.clock, backoff.pause()).await;
            }
        }
    }

    /// Calls the handler in a task of its own: it may panic, and may hang.
    async fn attempt(&self, handler: &Handler, event: Event) -> Result<(), String> {
        let task = Task::new(tokio::spawn(handler.call(event)));
        tokio::select! {
            biased;
            result = task => result.unwrap_or_else(|_| Err("it has panicked".into())),
            () = passed(&*self.clock, HANDLER_LIMIT) => {
                Err(format!("it takes longer than {} s", HANDLER_LIMIT.as_secs()))
            }
        }
    }
}
