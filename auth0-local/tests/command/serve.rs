//! `auth0-local serve` in a container.
use crate::kit::{Server, failure, parts};
use std::{mem, net::TcpListener};

/// The variables of a container, and the name of the container as the issuer.
#[tokio::test]
async fn an_issuer_with_the_name_of_a_container() {
    let arguments = ["--issuer", "http://auth0.localtest:4400/"];
    let mut server = Server::start_with(&arguments, &[("HOST", "127.0.0.1"), ("PORT", "0")]);
    let greeting = server.greeting.clone();
    assert!(greeting.contains("\nAUTH0_ISSUER=http://auth0.localtest:4400/\n"), "{greeting}");
    assert!(greeting.contains("\nAUTH0_ALLOW_HTTP_HOSTS=auth0.localtest\n"), "{greeting}");

    // The commands reach it over loopback, and its tokens have the issuer.
    let (_, target) = greeting.split_once("auth0-local token --issuer ").unwrap();
    let target = target.split(' ').next().unwrap().to_owned();
    assert!(target.starts_with("http://127.0.0.1:") && !target.ends_with(":4400/"), "{target}");
    let issuer = mem::replace(&mut server.issuer, target);
    let (_, payload, _) = parts(&server.token(&[]));
    assert_eq!(payload["iss"], issuer);
}

#[test]
fn an_empty_variable_is_not_set() {
    let server = Server::start_with(&["--port", "0"], &[("HOST", ""), ("PORT", "")]);
    assert!(server.greeting.contains("any process on this machine"), "{}", server.greeting);
}

#[test]
fn the_port_is_that_of_the_issuer() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (_, text) = failure(&["serve", "--issuer", &format!("http://auth0:{port}/")]);
    assert!(text.contains(&format!("port {port} of 127.0.0.1 is in use")), "{text}");
}
