//! Connected accounts, and tokens of Token Vault.
use crate::world::{World, in_cookies_and_store, location};
use serde_json::json;

const VAULT: &str = "/session?vault=github";

#[tokio::test]
async fn an_account_is_connected_and_disconnected() {
    in_cookies_and_store(|login| login, connect_and_disconnect).await;
    // An issuer may be written without a slash at its end.
    in_cookies_and_store(|login| login.issuer("https://acme.test"), connect_and_disconnect).await;
}

async fn connect_and_disconnect(world: &mut World) {
    assert_eq!(world.fetch("/connect").await.status, 401);
    world.log_in("auth0|ann").await;
    let answer = world.open("/connect").await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let issuer = world.provider.tenant().issuer().to_owned();
    assert_eq!(location(&answer), format!("{issuer}connect?ticket=t1"));
    let asked = world.provider.forms("POST connect").remove(0);
    assert_eq!(asked["connection"], "github");
    assert_eq!(asked["redirect_uri"], "https://app.example/auth/callback");
    assert_eq!(asked["scopes"], "[\"repo\"]");
    let state = asked["state"].clone();
    // A token of before is that of another account.
    let first = world.fetch(VAULT).await.body;
    assert_eq!(world.fetch(VAULT).await.body, first, "it is kept");

    let answer = world.open(&format!("/auth/callback?connect_code=c1&state={state}")).await;
    assert_eq!((answer.status, location(&answer)), (303, "/accounts"), "{answer:?}");
    let completed = world.provider.forms("POST complete").remove(0);
    assert_eq!(completed["auth_session"], "session-of-the-connection");
    assert_eq!((completed["connect_code"].as_str(), completed["code_verifier"].len()), ("c1", 43));
    let second = world.fetch(VAULT).await.body;
    assert_ne!(second, first);
    assert_eq!(world.user().await, "auth0|ann");

    assert_eq!(world.fetch("/session?accounts=1").await.body, "cac_1 github, cac_2 google-oauth2");
    assert_eq!(world.fetch("/session?disconnect=1").await.body, "disconnected");
    assert_ne!(world.fetch(VAULT).await.body, second, "its tokens are gone");
}

#[tokio::test]
async fn connections_that_are_refused() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            let begin = async |world: &mut crate::world::World| {
                assert_eq!(world.open("/connect").await.status, 303);
                world.provider.forms("POST connect").pop().unwrap()["state"].clone()
            };
            // Another state is that of no login.
            begin(world).await;
            let answer = world.open("/auth/callback?connect_code=c1&state=other").await;
            assert_eq!((answer.status, location(&answer)), (303, "/"));
            // Another user is logged in meanwhile.
            let state = begin(world).await;
            world.log_in("auth0|bob").await;
            let answer = world.open(&format!("/auth/callback?connect_code=c1&state={state}")).await;
            assert_eq!(answer.status, 403);
            assert!(world.provider.forms("POST complete").is_empty());
            assert_eq!(world.user().await, "auth0|bob");
            // The person, or the provider, does not agree.
            let state = begin(world).await;
            let answer =
                world.open(&format!("/auth/callback?error=access_denied&state={state}")).await;
            assert_eq!(answer.status, 403);
            for (status, expected) in [(409, 409), (400, 403), (503, 503)] {
                let state = begin(world).await;
                world.provider.refuse(Some((status, json!({ "title": "x" }))));
                let answer =
                    world.open(&format!("/auth/callback?connect_code=c1&state={state}")).await;
                assert_eq!(answer.status, expected, "{answer:?}");
                assert_eq!(world.user().await, "auth0|bob");
                world.provider.refuse(None);
            }
            // Without the code.
            let state = begin(world).await;
            assert_eq!(world.open(&format!("/auth/callback?state={state}")).await.status, 400);
        },
    )
    .await;
}
