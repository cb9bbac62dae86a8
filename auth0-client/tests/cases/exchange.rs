//! Custom token exchange.
use crate::{
    delegation::token_of,
    kit::{API, Answer, Seen, Server, run},
};
use auth0_client::{Client, ErrorKind, Exchange};
use std::time::Duration;

fn exchange(client: &Client, subject: &str) -> Exchange {
    client.exchange("urn:acme:legacy", subject).audience(API).scopes(["read:x"])
}

fn for_subject(seen: &Seen, number: usize) -> Answer {
    Answer::token(&format!("{}-{number}", seen.parameter("subject_token").unwrap()))
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before() {
    let server = Server::new();
    let client = server.client();
    let with = |name: &str| exchange(&client, "x").parameter(name, "y");
    for (request, sentence) in [
        (exchange(&client, " x"), "spaces around"),
        (exchange(&client, "Bearer x"), "begins with"),
        (exchange(&client, ""), "is empty"),
        (client.exchange("urn:ietf:params:oauth:token-type:jwt", "x"), "reserved"),
        (client.exchange("urn:auth0:x", "x"), "reserved"),
        (client.exchange("https://AUTH0.com/x", "x"), "reserved"),
        (client.exchange("http://okta.com/x", "x"), "reserved"),
        (client.exchange("URN:OKTA:x", "x"), "reserved"),
        (client.exchange("legacy", "x"), "not a URI"),
        (client.exchange("", "x"), "not a URI"),
        (client.exchange(" urn:acme:legacy", "x"), "not a URI"),
        (client.exchange("urn:acme:legacy\n", "x"), "not a URI"),
        (client.exchange("urn:acme:le gacy", "x"), "not a URI"),
        (client.exchange("https://auth0.com", "x"), "reserved"),
        (client.exchange("https://auth0.com:443/x", "x"), "reserved"),
        (with("grant_type"), "set by the client"),
        (with("client_id"), "set by the client"),
        (with("client_secret"), "set by the client"),
        (with("client_assertion"), "set by the client"),
        (with("subject_token"), "set by the client"),
        (with("audience"), "set by the client"),
        (with("scope"), "set by the client"),
        (with("actor_token"), "set by the client"),
        (with("refresh_token"), "set by the client"),
        (with(""), "no name"),
        ((0..21).fold(exchange(&client, "x"), |all, _| all.parameter("a", "b")), "too many values"),
        (exchange(&client, "x").actor("", "urn:acme:a"), "actor token is empty"),
        (exchange(&client, "x").actor("a", ""), "type of the actor token is empty"),
        (exchange(&client, "x").organization(" "), "organization is empty"),
        (exchange(&client, "x").scopes(["a\"b"]), "character"),
        (exchange(&client, "x").audience("YOUR_API"), "placeholder"),
    ] {
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{sentence}");
        assert!(error.to_string().contains(sentence), "{error}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn types_that_are_not_reserved() {
    let server = Server::new();
    for name in
        ["urn:ietfs:x", "urn:okta-legacy:x", "https://auth0.company.com/x", "urn:acme:auth0"]
    {
        let result = run(&server, server.client().exchange(name, "x").send()).await;
        assert!(result.is_ok(), "{name}: {result:?}");
    }
}

#[tokio::test]
async fn the_request() {
    let server = Server::new();
    let address = "203.0.113.7".parse().unwrap();
    let request = exchange(&server.client(), "legacy-1")
        .actor("actor-1", "urn:acme:actor")
        .organization("org_1")
        .requested_token_type("urn:ietf:params:oauth:token-type:access_token")
        .parameter("ext-reason", "a b")
        .forwarded_for(address);
    request.send().await.unwrap();
    let seen = server.last();
    let expected = [
        ("client_id", "app"),
        ("client_secret", "the-secret"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:acme:legacy"),
        ("subject_token", "legacy-1"),
        ("actor_token", "actor-1"),
        ("actor_token_type", "urn:acme:actor"),
        ("audience", API),
        ("scope", "read:x"),
        ("organization", "org_1"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("ext-reason", "a b"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(seen.form(), expected);
    assert_eq!(seen.header("auth0-forwarded-for"), "203.0.113.7");
}

#[tokio::test]
async fn it_is_kept_by_all_that_it_depends_on() {
    let server = Server::new();
    server.respond(for_subject);
    let client = server.client();
    let requests = || {
        [
            exchange(&client, "ann"),
            exchange(&client, "bob"),
            exchange(&client, "ann").organization("org_1"),
            exchange(&client, "ann").actor("a", "urn:acme:a"),
            exchange(&client, "ann").actor("b", "urn:acme:a"),
            exchange(&client, "ann").actor("a", "urn:acme:b"),
            exchange(&client, "ann").parameter("x", "1"),
            exchange(&client, "ann").scopes(["write:x"]),
            client.exchange("urn:acme:other", "ann").audience(API).scopes(["read:x"]),
            client.exchange("urn:acme:legacy", "ann").scopes(["read:x"]),
        ]
    };
    let mut tokens = Vec::new();
    for request in requests() {
        tokens.push(request.send().await.unwrap().access_token().encoded().to_owned());
    }
    for (request, token) in requests().into_iter().zip(&tokens) {
        assert_eq!(request.send().await.unwrap().access_token().encoded(), token);
    }
    assert_eq!(server.count(), 10);
}

#[tokio::test]
async fn a_refused_token_is_forgotten() {
    let server = Server::new();
    let client = server.client();
    let source = exchange(&client, "ann").source().unwrap();
    let token = source.token().await.unwrap();
    assert!(source.forget(&token));
    let next = exchange(&client, "ann").send().await.unwrap();
    assert_eq!(next.access_token().encoded(), "token-2");
    for request in [
        exchange(&client, "ann").scopes(["offline_access"]),
        exchange(&client, "ann").audience("urn:acme.eu.auth0.com:session_transfer"),
        exchange(&client, " "),
    ] {
        assert_eq!(request.source().unwrap_err().kind(), ErrorKind::Misconfigured);
    }
}

#[tokio::test]
async fn what_is_for_one_session_is_not_kept() {
    let server = Server::new();
    let client = server.client();
    let body = r#"{"access_token":"a","token_type":"N_A","expires_in":60,
        "issued_token_type":"urn:auth0:params:oauth:token-type:session_transfer_token"}"#;
    server.respond(move |_, _| Answer::json(200, body));
    for count in 1..=2 {
        let request = client
            .exchange("urn:acme:legacy", "ann")
            .audience("urn:acme.eu.auth0.com:session_transfer");
        request.send().await.unwrap();
        assert_eq!(server.count(), count);
    }
    let body = r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"refresh_token":"r"}"#;
    server.respond(move |_, _| Answer::json(200, body));
    for count in 3..=4 {
        let tokens = exchange(&client, "ann").scopes(["offline_access"]).send().await.unwrap();
        assert_eq!((tokens.refresh_token(), server.count()), (Some("r"), count));
    }
}

#[tokio::test]
async fn it_ends_with_its_subject_and_is_sent_once() {
    let server = Server::new();
    let client = server.client();
    let subject = token_of("ann", 30);
    exchange(&client, &subject).send().await.unwrap();
    server.clock.advance(Duration::from_secs(30));
    exchange(&client, &subject).send().await.unwrap();
    assert_eq!(server.count(), 2);
    for answer in [Answer::Lost, Answer::error(503, "x"), Answer::Hang] {
        let server = Server::new();
        server.respond(move |_, _| answer.clone());
        let client = server.client();
        run(&server, exchange(&client, "ann").send()).await.unwrap_err();
        assert_eq!(server.count(), 1);
    }
}
