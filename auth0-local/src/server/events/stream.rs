use crate::{
    events::{Next, Subscription},
    running::RunningTenant,
};
use axum::body::{Bytes, HttpBody};
use http_body::Frame;
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    sync::mpsc,
    task,
    time::{Instant, interval_at, sleep_until},
};

/// The beginning of a stream: a client connects again after two seconds.
const BEGINNING: &str = ":connected\n\nretry: 2000\n\n";

/// The body of a response: a stream of events, which ends when the tenant stops.
#[derive(Debug)]
pub(super) struct EventStream(mpsc::Receiver<Bytes>);

impl EventStream {
    /// Starts to write messages for a reader, in a task that ends with the connection.
    pub(super) fn start(running: RunningTenant, reader: Subscription) -> Self {
        let (messages, body) = mpsc::channel(1);
        task::spawn(async move {
            tokio::select! {
                () = write(&running, reader, &messages) => {}
                () = running.stopped() => {}
                () = messages.closed() => {}
            }
        });
        Self(body)
    }
}

impl HttpBody for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|message| message.map(|message| Ok(Frame::data(message))))
    }
}

/// Writes messages until the stream ends.
async fn write(running: &RunningTenant, mut reader: Subscription, messages: &mpsc::Sender<Bytes>) {
    let hub = running.events();
    let began = Instant::now();
    let heartbeat = running.settings().event_heartbeat;
    let mut heartbeats = interval_at(began + heartbeat, heartbeat);
    // Before the state is read, so that no change is missed.
    let mut changes = hub.changes();
    let mut message = BEGINNING.to_owned();
    loop {
        if !message.is_empty() && messages.send(message.into()).await.is_err() {
            return;
        }
        changes.mark_unchanged();
        message = match hub.next(&mut reader) {
            Next::Message(message) => message,
            Next::End(last) => {
                // The client may be gone.
                let _ = messages.send(last.unwrap_or_default().into()).await;
                return;
            }
            Next::Nothing => {
                let end = hub.faults().cycle.map(|cycle| began + cycle);
                tokio::select! {
                    _ = changes.changed() => String::new(),
                    _ = heartbeats.tick() => hub.heartbeat(&reader).unwrap_or_default(),
                    () = sleep_until(end.unwrap_or(began)), if end.is_some() => return,
                }
            }
        };
    }
}
