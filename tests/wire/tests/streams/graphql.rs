//! The close codes of `graphql-transport-ws`, and the token in `connection_init`.
use super::sockets::{Client, start_both};
use auth0_axum::testing::{Failure, Tenant};
use std::time::Duration;

const LIFE: Duration = Duration::from_secs(60);
const LEEWAY: Duration = Duration::from_secs(5);

fn init(token: &str) -> String {
    format!(r#"{{"type":"connection_init","payload":{{"authorization":"Bearer {token}"}}}}"#)
}

#[tokio::test]
async fn first_messages_that_are_refused() {
    let tenant = Tenant::new();
    let good = tenant.token().scope("a").mint();
    let two = format!(
        r#"{{"type":"connection_init","payload":{{"authorization":"Bearer {good}","Authorization":"Bearer {good}"}}}}"#
    );
    let twice = format!(
        r#"{{"type":"connection_init","payload":{{"authorization":"Bearer x","authorization":"Bearer {good}"}}}}"#
    );
    let subscribe = r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}"#;
    let long =
        format!(r#"{{"type":"connection_init","payload":{{"a":"{}"}}}}"#, "a".repeat(40_000));
    let cases = [
        (4401, init(&tenant.token().expired().scope("a").mint())),
        (4401, init("abc")),
        (4401, init("")),
        (4401, init(&format!("{good} {good}"))),
        (4403, init(&tenant.token().mint())),
        (4401, init(&tenant.token().scope("a").bound_to(&tenant.client_key()).mint())),
        (4401, r#"{"type":"connection_init"}"#.to_owned()),
        (4401, r#"{"type":"connection_init","payload":null}"#.to_owned()),
        (4401, r#"{"type":"connection_init","payload":{}}"#.to_owned()),
        (4401, r#"{"type":"connection_init","payload":{"authorization":null}}"#.to_owned()),
        (4401, r#"{"type":"connection_init","payload":{"authorization":7}}"#.to_owned()),
        (4401, two),
        (4400, twice),
        (4400, r#"{"type":"connection_init","payload":[]}"#.to_owned()),
        (4400, r#"{"type":"start"}"#.to_owned()),
        (4400, format!("\"{}\"", "a".repeat(400_000))),
        (4400, "[]".to_owned()),
        (4400, "not JSON".to_owned()),
        (4400, long),
        (4401, subscribe.to_owned()),
    ];
    for (name, server) in start_both(tenant.auth0()).await {
        for (code, message) in &cases {
            let mut client = Client::graphql(server).await;
            let Err(Some((seen, reason))) = client.ask(message).await else {
                panic!("{name}: {message}")
            };
            assert_eq!(seen, *code, "{name}: {message}: {reason}");
            assert!(!reason.contains("eyJ"), "no part of a token: {reason}");
        }
    }
}

#[tokio::test]
async fn a_good_token_opens_the_connection_until_its_end() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        for spelling in ["authorization", "Authorization", "AUTHORIZATION"] {
            let token = tenant.token().scope("a").expires_in(LIFE).mint();
            let mut client = Client::graphql(server).await;
            assert_eq!(client.ask(r#"{"type":"ping"}"#).await.unwrap(), r#"{"type":"pong"}"#);
            client.send(r#"{"type":"pong"}"#).await;
            let ack = client.ask(&init(&token).replace("authorization", spelling)).await;
            assert_eq!(ack.unwrap(), r#"{"type":"connection_ack"}"#, "{name}");
            assert_eq!(client.ask("subscribe").await.unwrap(), "subscribe", "{name}");
            tenant.clock().advance(LIFE + LEEWAY);
            assert!(matches!(client.next().await, Err(Some((4401, _)))), "{name}");
        }
    }
}

#[tokio::test]
async fn a_silent_client_is_closed() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        let mut client = Client::graphql(server).await;
        // The server waits once it answers.
        assert!(client.ask(r#"{"type":"ping"}"#).await.is_ok());
        tenant.clock().advance(Duration::from_secs(3));
        let ending = client.next().await;
        assert!(matches!(ending, Err(Some((4408, _)))), "{name}: {ending:?}");
    }
}

/// The limit holds although the server is always busy with pings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_only_sends_pings_is_closed() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        let mut client = Client::graphql(server).await;
        assert!(client.ask(r#"{"type":"ping"}"#).await.is_ok());
        let (read, mut write) = client.0.into_inner().into_split();
        // Masked pings without content.
        let pings = [0x89, 0x80, 0, 0, 0, 0].repeat(10_000);
        let writer = tokio::spawn(async move {
            while tokio::io::AsyncWriteExt::write_all(&mut write, &pings).await.is_ok() {}
        });
        // The pongs are not read. The first advance may come before the timer.
        while !writer.is_finished() {
            tenant.clock().advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
        drop(read);
        assert!(writer.await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn a_connection_without_the_subprotocol_is_closed() {
    let tenant = Tenant::new();
    for (name, server) in start_both(tenant.auth0()).await {
        let mut client = Client::connect(server, "/graphql", ("x-any", "1")).await;
        let ending = client.next().await;
        assert!(matches!(ending, Err(Some((4406, _)))), "{name}: {ending:?}");
    }
}

#[tokio::test]
async fn an_outage_asks_to_come_later() {
    let tenant = Tenant::new();
    tenant.fail(Failure::Unreachable);
    let token = tenant.token().scope("a").mint();
    for (name, server) in start_both(tenant.auth0()).await {
        let mut client = Client::graphql(server).await;
        let ending = client.ask(&init(&token)).await;
        assert!(matches!(ending, Err(Some((1013, _)))), "{name}: {ending:?}");
    }
}

/// While the token is verified, the connection is not acknowledged.
#[tokio::test]
async fn messages_during_the_verification() {
    let tenant = Tenant::new();
    tenant.hold();
    let token = tenant.token().scope("a").mint();
    let subscribe = r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}"#.to_owned();
    for (name, server) in start_both(tenant.auth0()).await {
        for (code, second) in [(4401, subscribe.clone()), (4429, init(&token))] {
            let mut client = Client::graphql(server).await;
            client.send(&init(&token)).await;
            assert_eq!(client.ask(r#"{"type":"ping"}"#).await.unwrap(), r#"{"type":"pong"}"#);
            let Err(Some((seen, _))) = client.ask(&second).await else { panic!("{name}") };
            assert_eq!(seen, code, "{name}");
        }
    }
    tenant.release();
}
