//! An issuer on a loopback port, on threads of its own: no runtime of a test has a part in it.
use crate::common::RSA_1;
use auth0_core::{Algorithm, Auth0};
use auth0_testing::{SigningKey, Tenant};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

/// The server. Connections stay open between requests.
pub(super) struct Server {
    pub(super) tenant: Tenant,
    /// A message for each request.
    pub(super) requests: Receiver<Held>,
}

/// What becomes of a request.
pub(super) enum Answer {
    Document,
    /// The connection is closed without an answer.
    Close,
}

/// A request that waits for what becomes of it.
pub(super) struct Held(Sender<Answer>);

impl Held {
    pub(super) fn answer(self, answer: Answer) {
        self.0.send(answer).unwrap();
    }
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}/", listener.local_addr().unwrap());
        let tenant = tenant(&issuer);
        let (sender, requests) = mpsc::channel();
        let served = tenant.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (tenant, sender) = (served.clone(), sender.clone());
                thread::spawn(move || serve(&tenant, stream.unwrap(), &sender));
            }
        });
        Self { tenant, requests }
    }

    /// Answers every request from now on.
    pub(super) fn answer_all(self) -> Tenant {
        let Self { tenant, requests } = self;
        thread::spawn(move || requests.into_iter().for_each(|held| held.answer(Answer::Document)));
        tenant
    }
}

/// Returns the tenant whose issuer this is.
pub(super) fn tenant(issuer: &str) -> Tenant {
    let key = SigningKey::from_pkcs8(Algorithm::RS256, RSA_1).unwrap();
    Tenant::on_loopback(issuer, "https://api.test", key).unwrap()
}

/// Returns a verifier with the default transport.
pub(super) fn verifier(tenant: &Tenant) -> Auth0 {
    Auth0::builder().issuer(tenant.issuer()).audience(tenant.audience()).build().unwrap()
}

/// Answers the requests of one connection.
fn serve(tenant: &Tenant, mut stream: TcpStream, requests: &Sender<Held>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    loop {
        let head: Vec<String> =
            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let document = match head.first()?.split(' ').nth(1)? {
            "/.well-known/openid-configuration" => tenant.metadata_json(),
            _ => tenant.key_set_json(),
        };
        let (sender, answer) = mpsc::channel();
        requests.send(Held(sender)).ok()?;
        match answer.recv().ok()? {
            Answer::Close => return None,
            Answer::Document => write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{document}",
                document.len()
            )
            .ok()?,
        }
    }
}
