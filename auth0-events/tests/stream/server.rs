//! A server whose bytes the test writes.
use crate::kit::{TestClock, until};
use auth0_core::Revocations;
use auth0_events::{EventSubscriber, EventSubscriberBuilder};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub(crate) const STREAM: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// Answers each connection with the next bytes.
pub(crate) struct Server {
    url: String,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    pub(crate) open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

/// What a connection receives.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These parts, and the end.
    Parts(Vec<Vec<u8>>),
    /// These parts, and nothing after them.
    Open(Vec<Vec<u8>>),
    /// A beginning, and a part without end.
    Endless(Vec<u8>, Vec<u8>),
}

impl Answer {
    pub(crate) fn text(text: &str) -> Self {
        Self::Parts(vec![text.into()])
    }
}

impl Server {
    /// Starts a server. The last answer is repeated.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (requests, open) =
            (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicUsize>::default());
        let answers: Vec<Answer> = answers.into_iter().collect();
        let (log, count) = (Arc::clone(&requests), Arc::clone(&open));
        let task = tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = answers[number.min(answers.len() - 1)].clone();
                let (log, count) = (Arc::clone(&log), Arc::clone(&count));
                tokio::spawn(async move {
                    count.fetch_add(1, Ordering::SeqCst);
                    serve(stream, answer, &log).await;
                    count.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { url, requests, open, task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn builder(
        &self,
        revocations: &Revocations,
        clock: &TestClock,
    ) -> EventSubscriberBuilder {
        let builder = EventSubscriber::builder().issuer(&self.url).token("the-token");
        builder.revocations(revocations).clock(clock.clone())
    }

    /// Waits for a request, and returns its head.
    pub(crate) async fn request(&self, number: usize) -> String {
        until("a request", || self.requests.lock().unwrap().len() > number).await;
        self.requests.lock().unwrap()[number].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: Answer, log: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    log.lock().unwrap().push(String::from_utf8(head).unwrap());
    stream.set_nodelay(true).unwrap();
    match answer {
        Answer::Parts(parts) => {
            write(&mut stream, &parts).await;
            let _ = stream.shutdown().await;
        }
        Answer::Open(parts) => {
            write(&mut stream, &parts).await;
            let _ = stream.read_u8().await;
        }
        Answer::Endless(beginning, part) => {
            write(&mut stream, &[beginning]).await;
            while stream.write_all(&part).await.is_ok() {}
        }
    }
}

async fn write(stream: &mut TcpStream, parts: &[Vec<u8>]) {
    for part in parts {
        if stream.write_all(part).await.is_err() {
            return;
        }
        // Each part is a packet of its own.
        tokio::task::yield_now().await;
    }
}
