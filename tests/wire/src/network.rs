//! A network between two services that breaks on demand.
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A relay to a port of this machine, with faults on demand.
#[derive(Debug)]
pub struct Network {
    address: SocketAddr,
    /// Applies to the connections that are open.
    fault: watch::Sender<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    Break,
    Swallow,
    EatAnswer,
}

impl Network {
    /// Starts a relay to this port.
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let fault = watch::Sender::new(Fault::None);
        let ours = fault.clone();
        tokio::spawn(async move {
            loop {
                let (service, _) = listener.accept().await.unwrap();
                let other = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let mut fault = ours.subscribe();
                fault.mark_unchanged(); // earlier faults concern earlier connections
                tokio::spawn(relay(service, other, fault));
            }
        });
        Self { address, fault }
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections, and returns when they are closed.
    pub async fn break_all(&self) {
        self.fault.send(Fault::Break).unwrap();
        while self.fault.receiver_count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Discards what is sent over the open connections from now on.
    pub fn swallow_all(&self) {
        self.fault.send(Fault::Swallow).unwrap();
    }

    /// Discards the next response of each open connection, and closes the connection.
    pub fn eat_next_answer(&self) {
        self.fault.send(Fault::EatAnswer).unwrap();
    }
}

async fn relay(mut service: TcpStream, mut other: TcpStream, mut faults: watch::Receiver<Fault>) {
    let (mut there, mut back) = ([0; 4096], [0; 4096]);
    let mut eats = false;
    loop {
        tokio::select! {
            biased;
            changed = faults.changed() => {
                let fault = *faults.borrow();
                match (changed, fault) {
                    (Ok(()), Fault::Swallow) => break,
                    (Ok(()), Fault::EatAnswer) => eats = true,
                    _ => return,
                }
            }
            read = service.read(&mut there) => match read {
                Ok(length @ 1..) => other.write_all(&there[..length]).await.unwrap(),
                _ => return,
            },
            read = other.read(&mut back) => match read {
                Ok(_) if eats => return,
                Ok(length @ 1..) => {
                    if service.write_all(&back[..length]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
    drop(faults);
    while matches!(service.read(&mut there).await, Ok(1..)) {}
}
