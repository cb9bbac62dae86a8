//! An outage of one issuer is an outage of one.
use super::{all, code, tenants, token, total_fetches};
use crate::common::{SECOND, block_on, is_alone, settle};
use auth0_core::{Algorithm, ErrorCode, Health};
use auth0_testing::{Failure, SigningKey, Tenant};
use std::time::Duration;

#[tokio::test]
async fn an_outage_of_one_issuer_affects_no_other() {
    let tenants = tenants(3);
    let auth = all(&tenants);
    tenants[1].fail(Failure::Unreachable);
    assert_eq!(code(&auth, &token(&tenants[1])).await, ErrorCode::KeysUnavailable);
    for tenant in [&tenants[0], &tenants[2]] {
        auth.verify(&token(tenant).mint()).await.unwrap();
    }
    assert!(matches!(auth.health(), Health::Unavailable { .. }), "that of the worst");
    let health = |tenant: &Tenant| auth.health_of(tenant.issuer()).unwrap();
    assert!(matches!(health(&tenants[0]), Health::Ready { .. }));
    assert!(!health(&tenants[1]).is_available());
    assert!(auth.health_of("https://unknown.test/").is_none());
    assert_eq!(auth.warm_up().await.unwrap_err().code(), ErrorCode::KeysUnavailable);

    tenants[1].recover();
    tenants[0].clock().advance(Duration::from_secs(60));
    auth.warm_up().await.unwrap();
    assert!(matches!(auth.health(), Health::Ready { .. }));

    // A withdrawn key is forgotten for its own issuer alone.
    let before: Vec<_> = tenants.iter().map(|tenant| token(tenant).mint()).collect();
    for text in &before {
        auth.verify(text).await.unwrap();
    }
    tenants[2].add_key(SigningKey::generate(Algorithm::ES256).unwrap());
    tenants[2].withdraw_old_keys();
    auth.refresh().await.unwrap();
    assert!(auth.verify(&before[0]).await.is_ok() && auth.verify(&before[1]).await.is_ok());
    assert_eq!(auth.verify(&before[2]).await.unwrap_err().code(), ErrorCode::KeyUnknown);
}

/// However many issuers hang, one that answers is asked at once.
#[tokio::test]
async fn hanging_issuers_do_not_delay_others() {
    if !is_alone(module_path!(), "hanging_issuers_do_not_delay_others") {
        return;
    }
    let tenants = tenants(101);
    let (good, hanging) = tenants.split_first().unwrap();
    let auth = all(&tenants);
    for tenant in hanging {
        tenant.fail(Failure::Hang);
    }
    // Twice: at first they are new, and then known to fail.
    for _ in 0..2 {
        let asked: Vec<_> = hanging
            .iter()
            .map(|tenant| {
                let (auth, text) = (auth.clone(), token(tenant).mint());
                tokio::spawn(async move { auth.verify(&text).await.unwrap_err().code() })
            })
            .collect();
        settle().await;
        // Those that wait for a place to fetch have the same deadline.
        tenants[0].clock().advance(Duration::from_secs(5));
        for asked in asked {
            assert_eq!(asked.await.unwrap(), ErrorCode::KeysUnavailable);
        }
        tenants[0].clock().advance(Duration::from_secs(60));
    }
    let again = {
        let (auth, hanging) = (auth.clone(), hanging.to_vec());
        tokio::spawn(async move {
            let texts: Vec<_> = hanging.iter().map(|tenant| token(tenant).mint()).collect();
            let asked = texts.into_iter().map(|text| {
                let auth = auth.clone();
                tokio::spawn(async move { auth.verify(&text).await.is_err() })
            });
            for asked in asked.collect::<Vec<_>>() {
                assert!(asked.await.unwrap());
            }
        })
    };
    settle().await;
    // No time passes: it does not wait for a deadline of the others.
    auth.verify(&token(good).mint()).await.unwrap();
    assert!(!again.is_finished());
    tenants[0].clock().advance(Duration::from_secs(5));
    again.await.unwrap();
}

/// More hanging issuers than there are fetches at once, asked for the first time before one that answers: that one had no
/// turn, or none for half of its time, which is no failure of its own.
#[tokio::test]
async fn an_issuer_that_had_no_turn_is_asked_next() {
    if !is_alone(module_path!(), "an_issuer_that_had_no_turn_is_asked_next") {
        return;
    }
    // The seconds after the others at which it is asked. At the fifth, the others end.
    for (later, is_its_failure) in [(0, false), (1, false), (2, false), (3, true), (4, true)] {
        let tenants = tenants(61);
        let (good, hanging) = tenants.split_first().unwrap();
        let auth = all(&tenants);
        for tenant in &tenants {
            tenant.fail(Failure::Hang);
        }
        let ask = |tenant: &Tenant| {
            let (auth, text) = (auth.clone(), token(tenant).mint());
            tokio::spawn(async move { auth.verify(&text).await })
        };
        let asked: Vec<_> = hanging.iter().map(&ask).collect();
        settle().await;
        let pass = async |seconds| {
            good.clock().advance(seconds * SECOND);
            settle().await;
        };
        pass(later).await;
        let had_none = ask(good);
        settle().await;
        pass(5 - later).await;
        pass(later).await;
        let refused = had_none.await.unwrap().unwrap_err();
        assert_eq!(refused.code(), ErrorCode::KeysUnavailable);
        let cause = refused.cause().unwrap();
        assert_eq!(!is_its_failure, cause.contains("it had no turn"), "{later}: {cause}");
        for asked in asked {
            assert_eq!(asked.await.unwrap().unwrap_err().code(), ErrorCode::KeysUnavailable);
        }
        good.recover();
        // At once, without a pause.
        assert_eq!(ask(good).await.unwrap().is_err(), is_its_failure, "{later}");
    }
}

/// Keys are fetched on a thread of their own: no runtime is needed.
#[test]
fn keys_are_fetched_without_a_runtime() {
    for count in [1, 3] {
        let tenants = tenants(count);
        let auth = all(&tenants);
        block_on(auth.warm_up()).unwrap();
        block_on(auth.refresh()).unwrap();
        assert_eq!(total_fetches(&tenants), 4 * count);
    }
}

#[tokio::test]
async fn refresh_asks_only_issuers_that_are_in_use() {
    let tenants = tenants(5);
    let auth = all(&tenants);
    auth.verify(&token(&tenants[3]).mint()).await.unwrap();
    auth.refresh().await.unwrap();
    let asked = tenants.iter().filter(|tenant| tenant.fetches().metadata > 0).count();
    assert_eq!((asked, tenants[3].fetches().metadata), (1, 2));
    assert!(matches!(auth.health(), Health::Ready { .. }));
}
