//! Mistakes in the configuration.
use auth0_client::Client;
use auth0_core::Revocations;
use auth0_events::{Event, EventSubscriber, EventSubscriberBuilder};
use std::convert::Infallible;

type Change = fn(EventSubscriberBuilder) -> EventSubscriberBuilder;

async fn ignore(_: Event) -> Result<(), Infallible> {
    Ok(())
}

fn complete() -> EventSubscriberBuilder {
    let builder = EventSubscriber::builder().domain("acme.eu.auth0.com").token("abc");
    builder.revocations(&Revocations::in_memory())
}

#[test]
fn what_is_missing_or_wrong() {
    let empty = EventSubscriber::builder;
    let cases: [(EventSubscriberBuilder, &str); 4] = [
        (empty(), "has no tenant"),
        (empty().domain("acme.eu.auth0.com"), "does nothing"),
        (empty().domain("acme.eu.auth0.com").on_event(["user.created"], ignore), "has no token"),
        (empty().domain("acme").on_every_event(ignore), "not a full domain name"),
    ];
    for (builder, expected) in cases {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let changes: [(Change, &str); 15] = [
        (|it| it.issuer("https://other.eu.auth0.com/"), "Set only one"),
        (|it| it.issuers(["YOUR_DOMAIN"]), "placeholder"),
        (|it| it.issuers(["http://login.acme.com/"]), "plain http"),
        (|it| it.token(""), "is empty"),
        (|it| it.token("abc def"), "has a space"),
        (|it| it.url("api/v2/events"), "is not a URL"),
        (|it| it.url("http://acme.com/events"), "plain http"),
        (|it| it.url("ftp://acme.com/events"), "is not https"),
        (|it| it.url("https://user:secret@acme.com/events"), "user information"),
        (|it| it.url("https://acme.com/events?from=x"), "a query"),
        (|it| it.allow_http_hosts(["*"]), "wildcard"),
        (|it| it.on_event(["user.created\n"], ignore), "is not the type"),
        (|it| it.on_event(["User.Created"], ignore), "is not the type"),
        (|it| it.on_event([""; 1], ignore), "is not the type"),
        (|it| it.on_event([""; 0], ignore), "on_every_event"),
    ];
    for (change, expected) in changes {
        let error = change(complete()).build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("secret") && !error.contains("abc"), "{error}");
    }
}

#[test]
fn what_is_right() {
    let changes: [Change; 5] = [
        |it| it,
        |it| it.issuer("https://acme.eu.auth0.com/"),
        |it| it.url("http://127.0.0.1:4400/api/v2/events"),
        |it| it.allow_http_hosts(["auth0"]).url("http://auth0:4400/api/v2/events"),
        |it| {
            it.issuers(["login.acme.com", "https://acme.eu.auth0.com"])
                .on_event(["user.created"], ignore)
        },
    ];
    for change in changes {
        let _ = change(complete()).build().unwrap();
    }
}

#[test]
fn a_client_brings_the_tenant() {
    let client = |builder: auth0_client::ClientBuilder| {
        builder.client_id("events").client_secret("hidden-secret").build().unwrap()
    };
    for client in [
        client(Client::builder().domain("acme.eu.auth0.com")),
        client(Client::builder().issuer("http://auth0:4400/").allow_http_hosts(["auth0"])),
    ] {
        let builder = EventSubscriber::builder().client(&client).on_every_event(ignore);
        let both = builder.clone().token("abc").build().unwrap_err().to_string();
        assert!(both.contains("a client and a token"), "{both}");
        let text = format!("{:?}", builder.build().unwrap());
        assert!(text.contains(&format!("{}api/v2/events", client.issuer())), "{text}");
        assert!(!text.contains("hidden"), "{text}");
    }
    let public =
        Client::builder().domain("acme.eu.auth0.com").client_id("spa").public().build().unwrap();
    let error = EventSubscriber::builder().client(&public).on_every_event(ignore).build();
    assert!(error.unwrap_err().to_string().contains("public client"));
}

#[test]
fn nothing_prints_the_token() {
    let builder = complete().token("the-hidden-token");
    let subscriber = builder.clone().build().unwrap();
    for text in [format!("{builder:?}"), format!("{subscriber:?}"), format!("{subscriber:#?}")] {
        assert!(!text.contains("hidden"), "{text}");
    }
}
