//! Failures: invalid command lines, no tenant, a port in use.
use crate::kit::{Server, failure, failure_with};
use tokio::net::TcpSocket;

#[test]
fn invalid_command_lines() {
    for (arguments, sentence) in [
        (&["--issuer", "https://acme.eu.auth0.com/"][..], "not on your own machine"),
        (&["--issuer", "http://192.168.0.1:4400/"], "not on your own machine"),
        (&["--issuer", "http://127.0.0.1.evil.test/"], "not on your own machine"),
        (&["--issuer", "http://localhost@evil.test/"], "not on your own machine"),
        (&["--issuer", "https://127.0.0.1:4400/"], "not the issuer of a local tenant"),
        (&["--issuer", "http://127.0.0.1:4400/tenant"], "not the issuer of a local tenant"),
        (&["--issuer", "localhost"], "not a URL"),
        (&["--org", "acme"], "Write it as org_abc"),
        (&["--claim", "plan=pro"], "Put text in quotes"),
        (&["--claim", "plan"], "Write NAME=JSON"),
        (&["--expired", "--expires-in", "5"], "cannot be used with"),
        (&["--profile", "saml"], "auth0, rfc9068"),
    ] {
        let (status, text) = failure(&[&["token"], arguments].concat());
        assert_eq!(status, 2, "{arguments:?}: {text}");
        assert!(text.contains(sentence), "{arguments:?}: {text}");
    }
    for (arguments, sentence) in [
        (&["fault"][..], "required"),
        (&["fault", "jwks"], "Write jwks=FAULT or metadata=FAULT"),
        (&["fault", "keys=500"], "Write jwks=FAULT or metadata=FAULT"),
        (&["fault", "jwks=200"], "200 is not the status of an error"),
        (&["fault", "jwks=500", "metadata=lazy"], "Write a status from 400 to 599"),
        (&["fault", "jwks=500", "--clear"], "cannot be used with"),
        (&["serve", "--fault", "jwks=lazy"], "Write a status from 400 to 599"),
        (&["stats", "--issuer", "https://acme.eu.auth0.com/"], "not on your own machine"),
        (&["revoke", "a", "b"], "unexpected argument"),
        (&["proof", "--url", "http://a/"], "--dpop-key"),
        (&["proof", "--dpop-key", "k"], "--url"),
        (&["proof", "--dpop-key", "k", "--url", "/a"], "Write the whole URL"),
        (&["proof", "--dpop-key", "k", "--url", "localhost:3000/a"], "Write the whole URL"),
        (&["proof", "--dpop-key", "k", "--url", "http://a/", "--claim", "a"], "Write NAME=JSON"),
        (&["proof", "--dpop-key", "k", "--url", "http://a/", "--header", "a=b"], "in quotes"),
        (&["proof", "--expired", "--age", "5"], "cannot be used with"),
        (&["proof", "--unsigned", "--broken-signature"], "cannot be used with"),
    ] {
        let (status, text) = failure(arguments);
        assert_eq!(status, 2, "{arguments:?}: {text}");
        assert!(text.contains(sentence), "{arguments:?}: {text}");
    }
}

#[test]
fn no_tenant_runs() {
    // Bound, so that no other process uses the port, and without a listener.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let free = socket.local_addr().unwrap();
    let advice = format!("auth0-local serve --port {}", free.port());
    for command in [&["token"][..], &["rotate"], &["revoke"], &["fault", "jwks=500"], &["stats"]] {
        let issuer = ["--issuer", &format!("http://{free}/")];
        let (status, sentence) = failure(&[command, &issuer].concat());
        assert_eq!(status, 1);
        assert!(sentence.contains("no tenant runs at") && sentence.contains(&advice), "{sentence}");
    }
}

#[test]
fn the_port_is_in_use() {
    let server = Server::start(&[]);
    let port = server.issuer.trim_end_matches('/').rsplit(':').next().unwrap();
    let (status, sentence) = failure(&["serve", "--port", port]);
    assert_eq!(status, 1);
    assert!(sentence.contains(&format!("port {port} of 127.0.0.1 is in use")), "{sentence}");
}

#[test]
fn a_value_that_cannot_be_listened_on() {
    for (arguments, variables, what) in [
        (&["serve"][..], &[("HOST", "my-machine")][..], "HOST=\"my-machine\" is not an address"),
        (&["serve"], &[("HOST", "10.0.0.0/8")], "Write 127.0.0.1"),
        (&["serve"], &[("PORT", "http")], "PORT=\"http\" is not a port"),
        (&["serve"], &[("PORT", "65536")], "Write a number from 1 to 65535"),
        (&["serve", "--host", "auth0"], &[], "is not an address to listen on"),
        (&["serve", "--port", "65536"], &[], "is not a port"),
        // An address for documentation, which no machine has (RFC 5737).
        (&["serve", "--host", "192.0.2.1"], &[], "not an address of this machine"),
        (&["serve", "--port", "0", "--issuer", "https://auth0:4400/"], &[], "http://auth0:4400/"),
    ] {
        let (_, text) = failure_with(arguments, variables);
        assert!(text.contains(what), "{arguments:?} {variables:?}: {text}");
    }
}

#[test]
fn a_mistyped_word_is_corrected() {
    for (arguments, similar) in [
        (&["tokn"][..], "'token'"),
        (&["serv"], "'serve'"),
        (&["serve", "--isuer", "http://auth0:4400/"], "'--issuer'"),
        (&["token", "--scop", "read:messages"], "'--scope'"),
    ] {
        let (status, text) = failure(arguments);
        assert_eq!(status, 2, "{text}");
        assert!(text.contains("tip: a similar") && text.contains(similar), "{text}");
    }
}
