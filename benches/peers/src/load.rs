//! Requests over loopback, as many as the server can answer.
//!
//! One thread uses the connections in turn, and sends the next request of each when its response
//! has arrived: two system calls per request, and a wait for the oldest response only. The other
//! requests are in flight meanwhile, so the server always has work.
use crate::{Outcome, process::processor_time};
use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
    thread,
    time::{Duration, Instant},
};

const CONNECTIONS: usize = 32;
const WARM_UP: Duration = Duration::from_millis(100);
const TIME: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(5);
const READY: Duration = Duration::from_secs(10);

/// Prints how many requests were answered with 200, in how many seconds, and how many seconds of
/// processor time the server took for them.
pub(crate) fn run(port: &str, server: &str) -> Outcome {
    let requests: Vec<Vec<u8>> = io::read_to_string(io::stdin())?.lines().map(request).collect();
    let mut requests = requests.iter().cycle();
    let mut next = || requests.next().ok_or("no requests");
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(port.parse()?)?;
        connection.send(next()?)?;
        connections.push(connection);
    }

    let mut answer_for = |time: Duration| -> Outcome<(usize, Duration)> {
        let (began, mut answered) = (Instant::now(), 0);
        while began.elapsed() < time {
            for connection in &mut connections {
                connection.receive()?;
                connection.send(next()?)?;
            }
            answered += CONNECTIONS;
        }
        Ok((answered, began.elapsed()))
    };
    answer_for(WARM_UP)?;
    let before = processor_time(server)?;
    let (answered, time) = answer_for(TIME)?;
    let processor = processor_time(server)? - before;
    println!("{answered} {} {}", time.as_secs_f64(), processor.as_secs_f64());
    Ok(())
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
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: [0; 4096] })
    }

    fn send(&mut self, request: &[u8]) -> Outcome {
        Ok(self.stream.write_all(request)?)
    }

    /// Receives one response, which must be 200 and have a `Content-Length`.
    fn receive(&mut self) -> Outcome {
        let mut filled = 0;
        loop {
            let free = self.buffer.get_mut(filled..).ok_or("a long answer")?;
            match self.stream.read(free)? {
                0 => return Err("the server closed the connection".into()),
                more => filled += more,
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
