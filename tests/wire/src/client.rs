//! A client that writes and reads bytes, so that no library corrects them on the way.
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// A response, as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header lines: names in lower case, sorted, those of one name in the order sent.
    /// Without `date` and `connection`, which belong to the server.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Returns every line of a header.
    pub fn lines(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// Sends `GET {path}` with these header lines and reads the response to its end.
pub async fn get(server: SocketAddr, path: &str, lines: &[(&str, &[u8])]) -> Answer {
    let host = format!("host: {server}\r\n");
    send(server, &format!("GET {path}"), &host, lines).await
}

/// Sends a request line and `Host` lines of any kind, and reads the response to its end.
pub async fn send(
    server: SocketAddr,
    method_and_target: &str,
    host: &str,
    lines: &[(&str, &[u8])],
) -> Answer {
    let own = format!("{host}connection: close\r\n");
    let request = request(method_and_target, &own, lines);
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    parse(&String::from_utf8(answer).unwrap())
}

/// Sends a request with a body, in one piece or in chunks, and reads the response to its end.
pub async fn send_body(
    server: SocketAddr,
    method_and_target: &str,
    lines: &[(&str, &[u8])],
    body: &[u8],
    is_chunked: bool,
) -> Answer {
    let length = match is_chunked {
        true => "transfer-encoding: chunked".to_owned(),
        false => format!("content-length: {}", body.len()),
    };
    let has_host = lines.iter().any(|(name, _)| *name == "host");
    let host = if has_host { String::new() } else { format!("host: {server}\r\n") };
    let own = format!("{host}connection: close\r\n{length}\r\n");
    let mut request = request(method_and_target, &own, lines);
    match is_chunked {
        true => {
            for chunk in body.chunks(body.len().div_ceil(3).max(1)) {
                request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                request.extend_from_slice(chunk);
                request.extend_from_slice(b"\r\n");
            }
            request.extend_from_slice(b"0\r\n\r\n");
        }
        false => request.extend_from_slice(body),
    }
    let (mut from, mut to) = TcpStream::connect(server).await.unwrap().into_split();
    // A server that refuses a long body does not read it to its end.
    let sent = tokio::spawn(async move {
        let _ = to.write_all(&request).await;
        to
    });
    let mut answer = Vec::new();
    let _ = from.read_to_end(&mut answer).await;
    drop(sent);
    parse(&String::from_utf8_lossy(&answer))
}

/// Sends a request with less of the body than it states, stops sending, and reads the response to its end.
pub async fn break_off(
    server: SocketAddr,
    method_and_target: &str,
    lines: &[(&str, &[u8])],
) -> Answer {
    let own = format!("host: {server}\r\nconnection: close\r\ncontent-length: 20\r\n");
    let mut request = request(method_and_target, &own, lines);
    request.extend_from_slice(b"{\"method\"");
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(&request).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    parse(&String::from_utf8_lossy(&answer))
}

/// Long enough for every server, which may discard what arrives for a second. Only a failure takes so long.
pub const CLOSED_AFTER: Duration = Duration::from_secs(20);

/// Sends the beginning of a request, and returns what comes until the connection is closed, if it is.
pub async fn until_closed(server: SocketAddr, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset is closed, too.
    let _ = tokio::time::timeout(CLOSED_AFTER, stream.read_to_end(&mut answer)).await.ok()?;
    Some(String::from_utf8(answer).unwrap())
}

/// A connection that carries one request after the other.
#[derive(Debug)]
pub struct KeptAlive {
    server: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl KeptAlive {
    /// Connects.
    pub async fn connect(server: SocketAddr) -> Self {
        Self { server, stream: BufReader::new(TcpStream::connect(server).await.unwrap()) }
    }

    /// Sends `GET {path}` and reads the response, as [`get`] does.
    pub async fn get(&mut self, path: &str, lines: &[(&str, &[u8])]) -> Answer {
        let host = format!("host: {}\r\n", self.server);
        let request = request(&format!("GET {path}"), &host, lines);
        self.stream.write_all(&request).await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(
                self.stream.read_line(&mut head).await.unwrap(),
                0,
                "the server closed the connection: {head}"
            );
        }
        let mut answer = parse(&head);
        let mut body = vec![0; answer.lines("content-length")[0].parse().unwrap()];
        self.stream.read_exact(&mut body).await.unwrap();
        answer.body = String::from_utf8(body).unwrap();
        answer
    }
}

fn request(method_and_target: &str, own: &str, lines: &[(&str, &[u8])]) -> Vec<u8> {
    let mut request = format!("{method_and_target} HTTP/1.1\r\n{own}").into_bytes();
    for (name, value) in lines {
        request.extend_from_slice(name.as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(value);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// Sends `GET {url}` over HTTP/2 without TLS and returns the status. `url` makes the pseudo-headers,
/// which may differ from the lines.
pub async fn get_over_http2(server: SocketAddr, url: &str, lines: &[(&str, &[u8])]) -> u16 {
    let stream = TcpStream::connect(server).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut request = http::Request::get(url);
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    let request = request.version(http::Version::HTTP_2).body(()).unwrap();
    let (response, _) = client.ready().await.unwrap().send_request(request, true).unwrap();
    response.await.unwrap().status().as_u16()
}

fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap();
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
    let mut headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .filter(|(name, _)| name != "date" && name != "connection")
        .collect();
    headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    Answer { status, headers, body: body.to_owned() }
}
