//! Many callers at once.
use crate::kit::{
    API, DOWN, SECOND, SECRET, acme, acme_with_new_keys, advance, builder, claims, client, token_of,
};
use auth0_client::ErrorKind;
use auth0_local::{Endpoint, Fault, LocalTenant};
use std::{thread, time::Duration};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_tasks_cause_one_request() {
    let tenant = acme().start().await.unwrap();
    let client = client(&tenant, "service");
    let mut tasks = JoinSet::new();
    for number in 0..1000 {
        // Some share a source, others have one of their own.
        let source = client.machine(API).scopes(["a"]).build().unwrap();
        let sources = [source.clone(), source];
        tasks.spawn(async move { sources[number % 2].token().await.unwrap().encoded().to_owned() });
    }
    let tokens = tasks.join_all().await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!((tenant.token_requests().total(), tenant.stats().metadata.total()), (1, 1));
}

/// An error is shared as well, and the next call starts anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_tasks_share_a_failure() {
    let tenant = acme().start().await.unwrap();
    let source = client(&tenant, "service").machine(API).build().unwrap();
    tenant.set_fault(Endpoint::Token, Fault::garbage().times(1).unwrap());
    let hundred: JoinSet<_> =
        (0..100).map(|_| source.clone()).map(|it| async move { it.token().await }).collect();
    let results = hundred.join_all().await;
    let refused = results.iter().filter(|result| result.is_err()).count();
    assert!(refused >= 1);
    assert_eq!(tenant.token_requests().total(), if refused == 100 { 1 } else { 2 });
    source.token().await.unwrap();
}

#[tokio::test]
async fn two_users_on_four_runtimes() {
    let tenant = acme().start().await.unwrap();
    let down = client(&tenant, "api").delegation(DOWN).build().unwrap();
    let users = ["auth0|ann", "auth0|bob"].map(|user| (user, token_of(&tenant, user)));
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let (down, users, kit) = (down.clone(), users.clone(), tenant.tenant().clone());
            thread::spawn(move || {
                let mut builder = match number % 2 {
                    0 => tokio::runtime::Builder::new_current_thread(),
                    _ => tokio::runtime::Builder::new_multi_thread(),
                };
                // Without timers and without I/O: the work is done elsewhere.
                builder.build().unwrap().block_on(async {
                    for round in 0..50 {
                        let (user, caller) = &users[(round + number) % 2];
                        let token = down.on_behalf_of(caller).token().await.unwrap();
                        let payload = kit.signed_claims(token.encoded()).unwrap();
                        assert_eq!(payload["sub"], *user);
                    }
                });
            })
        })
        .collect();
    // The tenant runs on this thread's runtime.
    while threads.iter().any(|thread| !thread.is_finished()) {
        tokio::task::yield_now().await;
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(tenant.token_requests().total(), 2);
}

/// The caller that started a request goes away. The others get its token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_are_dropped() {
    let tenant = acme().start().await.unwrap();
    let source = client(&tenant, "service").machine(API).build().unwrap();
    tenant.set_fault(Endpoint::Token, Fault::slow(Duration::from_millis(100)).times(1).unwrap());
    let start = || {
        let source = source.clone();
        tokio::spawn(async move { source.token().await })
    };
    let first = start();
    while tenant.stats().token.total() == 0 {
        tokio::task::yield_now().await;
    }
    let (dropped, others): (Vec<_>, Vec<_>) =
        ((0..20).map(|_| start()).collect(), (0..20).map(|_| start()).collect());
    first.abort();
    dropped.iter().for_each(tokio::task::JoinHandle::abort);
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(tenant.token_requests().total(), 1);

    // All are dropped: the request goes on, and its token is there for the next.
    advance(&tenant, SECOND * 86_400 * 2);
    tenant.set_fault(Endpoint::Token, Fault::slow(Duration::from_millis(500)).times(1).unwrap());
    let only = start();
    while tenant.stats().token.total() == 1 {
        tokio::task::yield_now().await;
    }
    only.abort();
    assert!(only.await.unwrap_err().is_cancelled());
    source.token().await.unwrap();
    assert_eq!(tenant.token_requests().total(), 2);
}

/// The deadline is no part of what a token depends on, so a patient call may join the request of one that is not.
#[tokio::test]
async fn a_call_with_less_time_does_not_end_another() {
    let tenant = acme().start().await.unwrap();
    let client = client(&tenant, "service");
    // The metadata is known.
    client.machine(DOWN).build().unwrap().token().await.unwrap();
    tenant.set_fault(Endpoint::Token, Fault::slow(Duration::from_millis(150)));
    let short = client.machine(API).deadline(Duration::from_millis(60)).build().unwrap();
    let long = client.machine(API).build().unwrap();
    let (short, long) = tokio::join!(short.token(), long.token());
    assert_eq!(short.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    long.unwrap();
}

/// Starts a tenant at the address of one that has just stopped.
async fn restart(port: u16) -> LocalTenant {
    loop {
        if let Ok(tenant) = acme_with_new_keys().port(port).start().await {
            return tenant;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_restarts_with_other_keys() {
    let tenant = acme().start().await.unwrap();
    let port = tenant.address().port();
    let client = builder(&tenant, "api").client_secret(SECRET).build().unwrap();
    let machine = client.machine(API).build().unwrap();
    let down = client.delegation(DOWN).build().unwrap();
    let token = machine.token().await.unwrap();
    let caller = token_of(&tenant, "auth0|ann");
    down.on_behalf_of(&caller).token().await.unwrap();
    drop(tenant);

    // While it is away, tokens in memory serve, and others are unavailable.
    let other = client.machine(DOWN).build().unwrap();
    let error = loop {
        match other.token().await {
            Ok(_) => client.clear(),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(machine.token().await.unwrap().encoded(), token.encoded());

    let tenant = restart(port).await;
    other.token().await.unwrap();
    assert!(tenant.tenant().signed_claims(token.encoded()).is_none(), "an old key");
    // The API refuses the token, and the application says so.
    assert!(machine.forget(&token));
    let new = machine.token().await.unwrap();
    assert_eq!(claims(&tenant, new.encoded())["sub"], "api@clients");
    // The caller has an old token: it has to log in again, at once.
    client.clear();
    let error = down.on_behalf_of(&caller).token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidGrant, "{error}");
    let caller = token_of(&tenant, "auth0|ann");
    let token = down.on_behalf_of(&caller).token().await.unwrap();
    assert_eq!(claims(&tenant, token.encoded())["sub"], "auth0|ann");
}
