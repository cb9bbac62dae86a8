//! A process that is stopped while it requests a token, as function platforms do it.
use crate::kit::API;
use auth0_client::{Client, ErrorKind};
use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    thread,
    time::Duration,
};

/// The issuer, for the process that is stopped.
const ISSUER: &str = "CLIENT_TESTS_STOPPED";

/// Longer than a call may take.
const STOPPED: Duration = Duration::from_secs(7);

/// Reads a request, and returns its path. The connection that says that the process has ended has none.
fn read(connection: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line.split(' ').nth(1).map(str::to_owned)
}

fn answer(mut connection: TcpStream, body: &str) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let _ = write!(connection, "{head}content-length: {}\r\n\r\n{body}", body.len());
}

fn signal(name: &str, process: u32) {
    let process = process.to_string();
    assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
}

/// Stops a process during its first request for the metadata or for a token, whose connection is lost before or
/// meanwhile. The seconds are real: the process has no other clock.
fn stop_at(path: &str, is_lost_before: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let issuer = format!("http://{address}");
    let metadata = format!(r#"{{"issuer":"{issuer}","token_endpoint":"{issuer}/token"}}"#);
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["process::the_process_that_is_stopped", "--exact"])
        .env(ISSUER, &issuer)
        .spawn()
        .unwrap();
    let process = child.id();
    let end = thread::spawn(move || {
        let status = child.wait().unwrap();
        drop(TcpStream::connect(address).unwrap());
        status
    });
    let mut was_stopped = false;
    loop {
        let (connection, _) = listener.accept().unwrap();
        let Some(requested) = read(&connection) else { break };
        if requested == path && !was_stopped {
            was_stopped = true;
            let held = Some(connection).filter(|_| !is_lost_before);
            signal("-STOP", process);
            drop(held);
            thread::sleep(STOPPED);
            signal("-CONT", process);
        } else if requested == "/token" {
            answer(connection, r#"{"access_token":"a","token_type":"Bearer","expires_in":60}"#);
        } else {
            answer(connection, &metadata);
        }
    }
    assert!(was_stopped, "{path}");
    assert!(end.join().unwrap().success(), "{path}");
}

#[test]
fn a_process_that_is_stopped_longer_than_a_call_gets_its_token() {
    let metadata = "/.well-known/openid-configuration";
    let stops = [(metadata, false), (metadata, true), ("/token", false), ("/token", true)];
    let threads = stops.map(|(path, before)| thread::spawn(move || stop_at(path, before)));
    for thread in threads {
        thread.join().unwrap();
    }
}

/// The process of the test above.
#[tokio::test]
async fn the_process_that_is_stopped() {
    let Ok(issuer) = env::var(ISSUER) else { return };
    let builder = Client::builder().issuer(issuer).client_id("app").client_secret("secret");
    let client = builder.deadline(Duration::from_secs(6)).build().unwrap();
    let source = client.machine(API).build().unwrap();
    let (one, two) = tokio::join!(source.token(), source.token());
    for result in [one, two] {
        let kind = result.as_ref().err().map(auth0_client::Error::kind);
        assert_eq!(kind, None::<ErrorKind>, "{result:?}");
    }
}
