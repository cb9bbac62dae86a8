//! Token Vault: accounts of users at other providers.
use crate::kit::{SECOND, acme, advance, builder, client, key_pair, token_of};
use auth0_client::{Client, ErrorKind, Token};
use auth0_local::{Builder, Client as Registered, ClientKey, ConnectedAccount, LocalTenant};
use std::time::Duration;

const GOOGLE: &str = "google-oauth2";

async fn start(builder: Builder) -> LocalTenant {
    let tenant = builder.start().await.unwrap();
    for (user, hint) in [
        ("auth0|ann", "work@ann.test"),
        ("auth0|ann", "home@ann.test"),
        ("auth0|bob", "work@bob.test"),
        ("auth0|bob", "home@bob.test"),
    ] {
        let account = ConnectedAccount::new(GOOGLE, hint).scopes(["mail", "calendar"]);
        let account = account.expires_in(Duration::from_secs(1377));
        tenant.connect_account(user, account).unwrap();
    }
    tenant
}

/// Returns whose token it is.
fn account(tenant: &LocalTenant, token: &Token) -> (String, String) {
    let account = tenant.vault_account_of(token.encoded()).expect("a token of the vault");
    (account.user, account.login_hint)
}

#[tokio::test]
async fn two_users_with_two_accounts_each() {
    let tenant = start(acme()).await;
    let client = client(&tenant, "api");
    let callers = ["auth0|ann", "auth0|bob"].map(|user| (user, token_of(&tenant, user)));
    let of = |hint: Option<&str>, caller: &str| match hint {
        Some(hint) => client.connection(GOOGLE).login_hint(hint).for_caller(caller),
        None => client.connection(GOOGLE).for_caller(caller),
    };
    for round in 0..3 {
        for (user, caller) in &callers {
            let name = user.trim_start_matches("auth0|");
            for place in ["work", "home"] {
                let hint = format!("{place}@{name}.test");
                let token = of(Some(&hint), caller).token().await.unwrap();
                assert_eq!(account(&tenant, &token), ((*user).to_owned(), hint), "round {round}");
                assert!(token.has_scope("mail") && !token.is_dpop());
            }
            // Without a hint, the tenant chooses.
            let token = of(None, caller).token().await.unwrap();
            assert_eq!(account(&tenant, &token).0, *user);
        }
        // A hint of another user's account, with the token of the first.
        let error = of(Some("work@bob.test"), &callers[0].1).token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccountNotConnected, "{error}");
        assert_eq!(error.reply().status(), 403);
    }
    // Three tokens for each user; what is refused is not kept.
    assert_eq!(tenant.token_requests().total(), 6 + 3);
    for request in tenant.token_requests().last() {
        assert_eq!((&request.audience, &request.scope), (&None, &None));
    }
}

#[tokio::test]
async fn an_account_that_is_disconnected() {
    let tenant = start(acme()).await;
    let client = client(&tenant, "api");
    let caller = token_of(&tenant, "auth0|ann");
    let source = client.connection(GOOGLE).login_hint("work@ann.test").for_caller(&caller);
    let token = source.token().await.unwrap();
    tenant.disconnect_account("auth0|ann", GOOGLE, Some("work@ann.test")).unwrap();
    // The token in memory is still valid at the provider.
    assert_eq!(source.token().await.unwrap().encoded(), token.encoded());
    // The provider refuses it: the application learns that the account is gone.
    assert!(source.forget(&token));
    let error = source.token().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::AccountNotConnected, Some(401)));
    assert_eq!(source.refused(401, None).kind(), ErrorKind::AccountNotConnected);
    let other = client.connection(GOOGLE).login_hint("home@ann.test").for_caller(&caller);
    other.token().await.unwrap();
    // It is connected again.
    let account = ConnectedAccount::new(GOOGLE, "work@ann.test");
    tenant.connect_account("auth0|ann", account).unwrap();
    source.token().await.unwrap();
    // Without any request, a token ends on the clock.
    advance(&tenant, Duration::from_secs(3601));
    let before = tenant.token_requests().total();
    source.token().await.unwrap();
    assert_eq!(tenant.token_requests().total(), before + 1);
}

#[tokio::test]
async fn other_refusals() {
    let tenant = start(acme()).await;
    let caller = token_of(&tenant, "auth0|ann");
    let of = |id: &str, connection: &str, caller: &str| {
        client(&tenant, id).connection(connection).for_caller(caller)
    };
    let gone = tenant.token().subject("auth0|gone").client("spa").mint();
    for (source, kind, status) in [
        (of("api", "github", &caller), ErrorKind::AccountNotConnected, 403),
        (of("api", GOOGLE, "opaque"), ErrorKind::InvalidGrant, 401),
        (of("api", GOOGLE, &gone), ErrorKind::InvalidGrant, 401),
        // Not the client of an API.
        (of("service", GOOGLE, &caller), ErrorKind::InvalidClient, 502),
        (of("api", " ", &caller), ErrorKind::Misconfigured, 502),
    ] {
        let error = source.token().await.unwrap_err();
        assert_eq!((error.kind(), error.reply().status()), (kind, status), "{error}");
    }
    let before = tenant.token_requests().total();
    let empty = client(&tenant, "api").connection(GOOGLE).login_hint("").for_caller(&caller);
    let error = empty.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccountNotConnected, "an empty hint is not no hint");
    assert_eq!(tenant.token_requests().total(), before);
    let wrong = builder(&tenant, "api").client_secret("wrong").build().unwrap();
    let error = wrong.connection(GOOGLE).for_caller(&caller).token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidClient, "not the fault of the user: {error}");
}

#[tokio::test]
async fn by_the_refresh_token_of_a_session() {
    let tenant = start(acme().without_refresh_token_rotation()).await;
    let web = client(&tenant, "web");
    let scope = "openid offline_access";
    let ann = crate::browser::log_in(&tenant, &web, "auth0|ann", scope).await;
    let bob = crate::browser::log_in(&tenant, &web, "auth0|bob", scope).await;
    let before = tenant.token_requests().total();
    for _ in 0..2 {
        for (tokens, user) in [(&ann, "auth0|ann"), (&bob, "auth0|bob")] {
            let source = web.connection(GOOGLE).for_refresh_token(tokens.refresh_token().unwrap());
            assert_eq!(account(&tenant, &source.token().await.unwrap()).0, user);
        }
    }
    assert_eq!(tenant.token_requests().total(), before + 2);
    // After a logout, there is no other one.
    let refresh = ann.refresh_token().unwrap();
    web.revoke(refresh).send().await.unwrap();
    advance(&tenant, 1500 * SECOND);
    let error = web.connection(GOOGLE).for_refresh_token(refresh).token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidGrant, "{error}");

    // With rotation, the tenant says that it is a setting.
    let tenant = start(acme()).await;
    let web = client(&tenant, "web");
    let ann = crate::browser::log_in(&tenant, &web, "auth0|ann", scope).await;
    let refresh = ann.refresh_token().unwrap();
    let error = web.connection(GOOGLE).for_refresh_token(refresh).token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured, "{error}");
    web.refresh(refresh).send().await.unwrap();
}

#[tokio::test]
async fn a_worker_without_the_user() {
    let (key, jwk) = key_pair(0);
    let worker = |id: &str| Registered::with_key(id, ClientKey::jwk(&jwk));
    let tenant = start(
        acme().client(worker("worker").privileged_access(GOOGLE, ["mail"])).client(worker("plain")),
    )
    .await;
    let client =
        |id: &str| -> Client { builder(&tenant, id).signing_key(key.clone()).build().unwrap() };
    let connection = client("worker").connection(GOOGLE).login_hint("work@bob.test");
    let first = connection.for_user("auth0|bob", "nightly sync").await.unwrap();
    assert_eq!(account(&tenant, &first), ("auth0|bob".into(), "work@bob.test".into()));
    assert_eq!(first.scopes().collect::<Vec<_>>(), ["mail"], "the grant's");
    let second = connection.for_user("auth0|bob", &"é".repeat(256)).await.unwrap();
    assert_ne!(first.encoded(), second.encoded(), "it is not kept");
    let member = client("worker").connection(GOOGLE).organization("org_acme");
    member.for_user("auth0|ann", "sync").await.unwrap();

    for (result, kind) in [
        (member.for_user("auth0|bob", "not a member").await, ErrorKind::InvalidGrant),
        (connection.for_user("auth0|ann", "of bob").await, ErrorKind::AccountNotConnected),
        (connection.for_user("auth0|gone", "sync").await, ErrorKind::InvalidGrant),
        (
            client("worker").connection("github").for_user("auth0|ann", "x").await,
            ErrorKind::InvalidClient,
        ),
        (
            client("plain").connection(GOOGLE).for_user("auth0|ann", "x").await,
            ErrorKind::InvalidClient,
        ),
        (connection.for_user(" ", "sync").await, ErrorKind::Misconfigured),
        (connection.for_user("auth0|bob", "").await, ErrorKind::Misconfigured),
        (connection.for_user("auth0|bob", &"é".repeat(257)).await, ErrorKind::Misconfigured),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    let secret = crate::kit::client(&tenant, "api").connection(GOOGLE);
    let error = secret.for_user("auth0|ann", "sync").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured, "no key: {error}");
}
