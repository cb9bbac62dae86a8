//! Requests over loopback, as many as the servers can answer.
//!
//! One thread uses the connections in turn, and sends the next request of each when its response
//! has arrived: two system calls per request, and a wait for the oldest response only. The other
//! requests are in flight meanwhile, so the server always has work. It never sleeps: a server would have to wake it,
//! which takes microseconds of the server's time, and a fast server has to do it more rarely than a slow one.
use crate::{Outcome, process::processor_time};
use std::{
    hint,
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpStream},
    thread,
    time::{Duration, Instant},
};

const CONNECTIONS: usize = 32;
/// Other programs use the machine, too, and its frequency changes. So the servers are measured in turn, for a short time
/// each.
const SLICE: Duration = Duration::from_millis(20);
const SLICES: usize = 80;
/// Until every server has grown its buffers.
const WARM_UP: usize = 10;
const PATIENCE: Duration = Duration::from_secs(5);
const READY: Duration = Duration::from_secs(10);

/// A server that is to be measured: three arguments.
pub(crate) struct Target {
    pub(crate) port: u16,
    /// The process.
    pub(crate) id: u32,
    /// How many tokens it gets, of those in the input.
    pub(crate) tokens: usize,
}

impl Target {
    pub(crate) fn arguments(&self) -> [String; 3] {
        [self.port.to_string(), self.id.to_string(), self.tokens.to_string()]
    }
}

/// What was measured of one server in one slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) requests: f64,
    pub(crate) seconds: f64,
    /// Of processor time of the server.
    pub(crate) processor: f64,
}

impl Slice {
    /// How many slices the load prints of each server.
    pub(crate) const COUNT: usize = SLICES;

    /// Reads a line that [`run`] has printed.
    pub(crate) fn parse(line: &str) -> Outcome<Self> {
        let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [requests, seconds, processor] = numbers[..] else {
            return Err("the load printed no result".into());
        };
        Ok(Self { requests, seconds, processor })
    }
}

/// Measures servers in turn, and prints a line for each slice: how many requests were answered with 200, in how many
/// seconds, and how many seconds of processor time the server took for them.
pub(crate) fn run(servers: &[&str]) -> Outcome {
    let requests: Vec<Vec<u8>> = io::read_to_string(io::stdin())?.lines().map(request).collect();
    let mut loads = Vec::new();
    for server in servers.chunks_exact(3) {
        let [port, id, tokens] = server else { return Err("a server has three arguments".into()) };
        let requests = requests.get(..tokens.parse()?).ok_or("too few tokens")?;
        loads.push(Load::open(port.parse()?, id, requests)?);
    }
    for load in &mut loads {
        // Each token once, so that none is new later.
        let rounds = load.requests.len() / CONNECTIONS;
        (0..=rounds).try_for_each(|_| load.send_all().and_then(|()| load.receive_all()))?;
    }
    for slice in 0..WARM_UP + SLICES {
        for load in &mut loads {
            let line = load.measure()?;
            if slice >= WARM_UP {
                println!("{line}");
            }
        }
    }
    Ok(())
}

struct Load<'a> {
    server: &'a str,
    requests: &'a [Vec<u8>],
    /// The next request.
    at: usize,
    connections: Vec<Connection>,
}

impl<'a> Load<'a> {
    fn open(port: u16, server: &'a str, requests: &'a [Vec<u8>]) -> Outcome<Self> {
        let connections = (0..CONNECTIONS).map(|_| Connection::open(port)).collect::<Outcome<_>>();
        Ok(Self { server, requests, at: 0, connections: connections? })
    }

    /// Nothing is in flight before and after.
    fn measure(&mut self) -> Outcome<String> {
        let before = processor_time(self.server)?;
        let (began, mut answered) = (Instant::now(), CONNECTIONS);
        self.send_all()?;
        while began.elapsed() < SLICE {
            for connection in &mut self.connections {
                connection.receive()?;
                connection.send(next(self.requests, &mut self.at)?)?;
            }
            answered += CONNECTIONS;
        }
        self.receive_all()?;
        let time = began.elapsed();
        let processor = processor_time(self.server)?.saturating_sub(before);
        Ok(format!("{answered} {} {}", time.as_secs_f64(), processor.as_secs_f64()))
    }

    fn send_all(&mut self) -> Outcome {
        for connection in &mut self.connections {
            connection.send(next(self.requests, &mut self.at)?)?;
        }
        Ok(())
    }

    fn receive_all(&mut self) -> Outcome {
        self.connections.iter_mut().try_for_each(Connection::receive)
    }
}

fn next<'a>(requests: &'a [Vec<u8>], at: &mut usize) -> Outcome<&'a [u8]> {
    *at = (*at + 1) % requests.len().max(1);
    Ok(requests.get(*at).ok_or("no requests")?)
}

/// Builds the request, which is the same for all servers, including those that ignore the token.
fn request(header: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\nauthorization: {header}\r\n\r\n")
        .into_bytes()
}

/// Sends one request on a connection of its own, and reports whether the response is 200.
pub(crate) fn is_answered(port: u16, header: &str) -> bool {
    let ask = || -> Outcome {
        let mut connection = Connection::open(port)?;
        connection.send(&request(header))?;
        connection.receive()
    };
    ask().is_ok()
}

/// Waits until a server accepts the token: some fetch the keys after they have begun to respond.
pub(crate) fn wait_until_ready(port: u16, header: &str) -> Outcome {
    let began = Instant::now();
    while !is_answered(port, header) {
        if began.elapsed() > READY {
            return Err("it does not answer with 200".into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Sends so many requests, one after the other.
pub(crate) fn send(port: u16, header: &str, count: usize) -> Outcome {
    let mut connection = Connection::open(port)?;
    let request = request(header);
    for _ in 0..count {
        connection.send(&request)?;
        connection.receive()?;
    }
    Ok(())
}

struct Connection {
    stream: TcpStream,
    buffer: [u8; 4096],
}

impl Connection {
    fn open(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, buffer: [0; 4096] })
    }

    fn send(&mut self, request: &[u8]) -> Outcome {
        Ok(self.stream.write_all(request)?)
    }

    /// Receives one response, which must be 200 and have a `Content-Length`.
    fn receive(&mut self) -> Outcome {
        let (began, mut tries, mut filled) = (Instant::now(), 0_u32, 0);
        loop {
            let free = self.buffer.get_mut(filled..).ok_or("a long answer")?;
            match self.stream.read(free) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(more) => filled += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    tries += 1;
                    if tries % 1024 == 0 && began.elapsed() > PATIENCE {
                        return Err("the server does not answer".into());
                    }
                    hint::spin_loop();
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let answer = self.buffer.get(..filled).ok_or("a long answer")?;
            if !answer.starts_with(b"HTTP/1.1 200 ") && filled >= 13 {
                return Err(String::from_utf8_lossy(answer).into_owned().into());
            }
            let Some(head) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
                continue;
            };
            let length = content_length(answer.get(..head).unwrap_or_default());
            if filled >= head + 4 + length.ok_or("an answer without a length")? {
                return Ok(());
            }
        }
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    let mut lines = head.split(|byte| *byte == b'\n');
    lines.find_map(|line| {
        let (name, value) = line.split_at_checked(15)?;
        let value = std::str::from_utf8(value).ok()?;
        name.eq_ignore_ascii_case(b"content-length:").then(|| value.trim().parse().ok())?
    })
}
