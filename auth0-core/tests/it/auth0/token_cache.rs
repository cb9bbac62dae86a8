//! A token that was verified before is taken from the cache, and is as good as it was then: not a moment
//! longer, not for another verifier, and not for a requirement.
use crate::common::{MINUTE, pass};
use Outcome::{Cached, Refused, Verified};
use auth0_core::policy::scope;
use auth0_core::{Algorithm, Auth0, ErrorCode, VerifiedToken};
use auth0_testing::{Failure, SigningKey, Tenant};
use std::{cell::RefCell, collections::BTreeSet, sync::Arc, time::Duration};

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Verified,
    Cached,
    Refused(ErrorCode),
}

thread_local! {
    /// Every token that was accepted in this test, kept alive so that its address is its own.
    static ACCEPTED: RefCell<Vec<VerifiedToken>> = const { RefCell::new(Vec::new()) };
}

/// Verifies a token. One from the cache has an address that was seen before, a new one has another.
async fn outcome(auth: &Auth0, token: &str) -> Outcome {
    let verified = match auth.verify(token).await {
        Ok(verified) => verified,
        Err(error) => return Refused(error.code()),
    };
    ACCEPTED.with_borrow_mut(|accepted| {
        let address = |token: &VerifiedToken| token.issuer().as_ptr();
        let is_known = accepted.iter().any(|known| address(known) == address(&verified));
        accepted.push(verified);
        if is_known { Cached } else { Verified }
    })
}

#[tokio::test]
async fn a_token_is_verified_once_and_then_cached() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let one = tenant.token().subject("auth0|ann").mint();
    let other = tenant.token().subject("auth0|bob").mint();
    assert_eq!(outcome(&auth, &one).await, Verified);
    assert_eq!(outcome(&auth, &one).await, Cached);
    assert_eq!(outcome(&auth, &other).await, Verified);
    assert_eq!(outcome(&auth, &one).await, Cached);
    assert_eq!(auth.verify(&one).await.unwrap().subject(), "auth0|ann");
    assert_eq!(auth.verify(&other).await.unwrap().subject(), "auth0|bob");
}

#[tokio::test]
async fn without_a_cache_every_token_is_verified() {
    let tenant = Tenant::new();
    let auth = tenant.builder().token_cache(0).build().unwrap();
    let token = tenant.token().mint();
    for _ in 0..3 {
        assert_eq!(outcome(&auth, &token).await, Verified);
    }
}

/// The key that it means depends on the other keys of the set.
#[tokio::test]
async fn a_token_without_a_kid_is_verified_every_time() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().without_header("kid").mint();
    assert_eq!(outcome(&auth, &token).await, Verified);
    assert_eq!(outcome(&auth, &token).await, Verified);
    tenant.add_key(SigningKey::generate(Algorithm::RS256).unwrap());
    pass(&tenant, 8 * MINUTE).await;
    assert_eq!(outcome(&auth, &token).await, Refused(ErrorCode::KeyUnknown), "one of two");
}

#[test]
fn a_cache_that_is_too_large_is_refused_at_build() {
    for tokens in [1_000_001, usize::MAX] {
        let error = Tenant::new().builder().token_cache(tokens).build().unwrap_err().to_string();
        assert!(error.contains("at most 1000000"), "{error}");
    }
}

#[tokio::test]
async fn a_cached_token_has_all_its_claims() {
    #[derive(serde::Deserialize, Debug, PartialEq)]
    struct Claims {
        #[serde(rename = "https://acme.com/roles")]
        roles: Vec<String>,
    }
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant
        .token()
        .subject("auth0|\"ann\"\n\u{1f600}")
        .scope("read:messages \"quoted\"")
        .permissions(["a\\b", "c", "\u{e4}"])
        .organization("org_1", "acme")
        .claim("aud", ["https://other.test", tenant.audience()])
        .claim("amr", ["pwd", "mfa"])
        .claim("acr", "urn:x")
        .claim("auth_time", 1_767_225_000)
        .claim("sid", "s\t1")
        .claim("https://acme.com/roles", ["admin", "\"x\""])
        .mint();
    let (first, second) = (auth.verify(&token).await.unwrap(), auth.verify(&token).await.unwrap());
    for token in [&first, &second] {
        assert_eq!(token.subject(), "auth0|\"ann\"\n\u{1f600}");
        assert_eq!(token.issuer(), tenant.issuer());
        assert!(token.audiences().eq(["https://other.test", tenant.audience()]));
        assert!(token.scopes().eq(["read:messages", "\"quoted\""]));
        assert!(token.permissions().eq(["a\\b", "c", "\u{e4}"]));
        assert!(token.authentication().amr().eq(["pwd", "mfa"]));
        assert_eq!(token.authentication().acr(), Some("urn:x"));
        assert_eq!(token.session_id(), Some("s\t1"));
        let organization = token.organization().unwrap();
        assert_eq!((organization.id(), organization.name()), ("org_1", Some("acme")));
        assert_eq!(token.authentication().auth_time(), first.authentication().auth_time());
        assert_eq!(token.expires_at(), first.expires_at());
        assert_eq!(token.issued_at(), first.issued_at());
        assert_eq!(token.client_id(), first.client_id());
        let roles = token.with_claims::<Claims>().unwrap();
        assert_eq!(roles.claims().roles, ["admin", "\"x\""]);
    }
}

#[tokio::test]
async fn a_cached_token_expires() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().expires_in(MINUTE).mint();
    assert_eq!(outcome(&auth, &token).await, Verified);
    tenant.clock().advance(MINUTE + Duration::from_millis(4_999));
    assert_eq!(outcome(&auth, &token).await, Cached, "within the leeway");
    tenant.clock().advance(Duration::from_millis(1));
    assert_eq!(outcome(&auth, &token).await, Refused(ErrorCode::TokenExpired));
}

#[tokio::test]
async fn a_cached_token_follows_a_clock_that_is_set_back() {
    for claim in ["nbf", "iat"] {
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        let token = tenant.token().claim(claim, 1_767_225_600).mint();
        assert_eq!(outcome(&auth, &token).await, Verified);
        tenant.clock().set_back(Duration::from_secs(5));
        assert_eq!(outcome(&auth, &token).await, Cached, "within the leeway");
        tenant.clock().set_back(Duration::from_secs(1));
        assert_eq!(outcome(&auth, &token).await, Refused(ErrorCode::TokenNotYetValid), "{claim}");
        tenant.clock().advance(Duration::from_secs(6));
        assert_eq!(outcome(&auth, &token).await, Cached, "as before");
    }
}

#[tokio::test]
async fn a_withdrawn_key_removes_its_tokens() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let old = tenant.token().mint();
    assert_eq!(outcome(&auth, &old).await, Verified);
    tenant.rotate_keys();
    let new = tenant.token().mint();
    assert_eq!(outcome(&auth, &new).await, Verified, "a key that is new");
    assert_eq!(outcome(&auth, &old).await, Cached, "a rotation withdraws nothing");
    tenant.withdraw_old_keys();
    assert_eq!(outcome(&auth, &old).await, Cached, "nothing has been fetched yet");
    pass(&tenant, 8 * MINUTE).await;
    assert_eq!(outcome(&auth, &old).await, Refused(ErrorCode::KeyUnknown));
    assert_eq!(outcome(&auth, &new).await, Verified, "verified again");
    assert_eq!(outcome(&auth, &new).await, Cached);
}

#[tokio::test]
async fn refreshes_without_a_change_keep_the_cache() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    assert_eq!(outcome(&auth, &token).await, Verified);
    for _ in 0..4 {
        let before = tenant.fetches().key_set;
        pass(&tenant, 8 * MINUTE).await;
        assert!(tenant.fetches().key_set > before);
        assert_eq!(outcome(&auth, &token).await, Cached);
    }
}

#[tokio::test]
async fn another_key_under_the_same_id_removes_the_tokens_of_the_first() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let id = tenant.signing_key().id().to_owned();
    let token = tenant.token().mint();
    assert_eq!(outcome(&auth, &token).await, Verified);
    let other = SigningKey::generate(Algorithm::RS256).unwrap().with_id(id);
    tenant.add_key(other);
    tenant.withdraw_old_keys();
    pass(&tenant, 8 * MINUTE).await;
    assert_eq!(outcome(&auth, &token).await, Refused(ErrorCode::SignatureInvalid));
}

#[tokio::test]
async fn an_explicit_refresh_empties_the_cache() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    assert_eq!(outcome(&auth, &token).await, Verified);
    auth.refresh().await.unwrap();
    assert_eq!(outcome(&auth, &token).await, Verified);
    assert_eq!(outcome(&auth, &token).await, Cached);
    tenant.fail(Failure::Unreachable);
    auth.refresh().await.unwrap_err();
    assert_eq!(outcome(&auth, &token).await, Verified, "also if the issuer fails");

    tenant.recover();
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    auth.refresh().await.unwrap();
    assert_eq!(outcome(&auth, &token).await, Refused(ErrorCode::KeyUnknown), "from then on");
}

/// Keys that are too old to serve verify nothing, and their cached tokens are not served either.
#[tokio::test]
async fn a_cached_token_does_not_outlive_its_keys() {
    let tenant = Tenant::new();
    let auth = tenant.builder().serve_stale_keys_for(Duration::ZERO).build().unwrap();
    let token = tenant.token().mint();
    assert_eq!(outcome(&auth, &token).await, Verified);
    tenant.fail(Failure::Unreachable);
    pass(&tenant, 11 * MINUTE).await;
    assert_eq!(outcome(&auth, &token).await, Refused(ErrorCode::KeysUnavailable));
}

#[tokio::test]
async fn audiences_never_mix() {
    let tenant = Tenant::new();
    let ours = tenant.auth0();
    let others = tenant.builder().audience("https://other.test").build().unwrap();
    let strict = tenant.builder().rfc9068_only(true).build().unwrap();
    let token = tenant.token().audience("https://other.test").mint();
    assert_eq!(outcome(&others, &token).await, Verified);
    assert_eq!(outcome(&others.clone(), &token).await, Cached, "a clone is the same verifier");
    assert_eq!(outcome(&ours, &token).await, Refused(ErrorCode::AudienceMismatch));
    assert_eq!(outcome(&strict, &token).await, Refused(ErrorCode::TokenTypeInvalid));
}

#[tokio::test]
async fn issuers_never_mix() {
    let (one, other) = (Tenant::named("one"), Tenant::named("other"));
    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    let same_id = SigningKey::generate(Algorithm::RS256).unwrap().with_id(key.id());
    one.add_key(key.clone());
    other.add_key(same_id);
    let token = one.token().audience(other.audience()).mint();
    let verifier_of = |tenant: &Tenant| tenant.builder().audience(other.audience()).build();
    let (ours, theirs) = (verifier_of(&one).unwrap(), verifier_of(&other).unwrap());
    assert_eq!(outcome(&ours, &token).await, Verified);
    assert_eq!(outcome(&theirs, &token).await, Refused(ErrorCode::IssuerMismatch));
    let forged = one.token().issuer(other.issuer()).audience(other.audience()).mint();
    assert_eq!(outcome(&theirs, &forged).await, Refused(ErrorCode::SignatureInvalid));
    assert_eq!(outcome(&ours, &token).await, Cached);
}

/// The end of a token decides where its entry may be. The whole token decides whether it is the one.
#[tokio::test]
async fn a_changed_token_is_not_taken_from_the_cache() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    assert_eq!(outcome(&auth, &token).await, Verified);
    let verdicts: BTreeSet<&str> = BTreeSet::from_iter(["key_unknown", "token_malformed"]);
    let mut seen = BTreeSet::new();
    for position in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let code = auth.verify(&changed).await.unwrap_err().code();
        seen.insert(code.as_str());
        if position % 97 == 0 {
            assert_eq!(outcome(&auth, &token).await, Cached, "and the good one stays");
        }
    }
    assert!(seen.is_superset(&verdicts) && seen.contains("signature_invalid"), "{seen:?}");

    // The beginning and the end of good tokens, and something else between.
    let parts: Vec<&str> = token.split('.').collect();
    let other = tenant.token().subject("auth0|eve").mint();
    let payload = other.split('.').nth(1).unwrap();
    let forged = format!("{}.{payload}.{}", parts[0], parts[2]);
    assert_eq!(outcome(&auth, &forged).await, Refused(ErrorCode::SignatureInvalid));
    for forged in [format!("{token}."), format!(".{token}"), format!("{token}="), token.repeat(2)] {
        assert!(auth.verify(&forged).await.is_err());
    }
}

#[tokio::test]
async fn a_requirement_is_evaluated_for_every_use() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().scope("read:messages").mint();
    for _ in 0..2 {
        let token = auth.verify(&token).await.unwrap();
        assert!(auth.authorize(&token, &scope("read:messages")).is_ok());
        let refused = auth.authorize(&token, &scope("write:messages")).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InsufficientScope);
    }
}

#[tokio::test]
async fn a_flood_of_good_tokens_does_not_evict_those_in_use() {
    let tenant = Tenant::new();
    let auth = tenant.builder().token_cache(64).build().unwrap();
    let used: Vec<String> =
        (0..4).map(|n| tenant.token().subject(&format!("auth0|{n}")).mint()).collect();
    for token in &used {
        assert_eq!(outcome(&auth, token).await, Verified);
    }
    let flood: Vec<String> = (0..1000).map(|n| tenant.token().claim("n", n).mint()).collect();
    for (number, token) in flood.iter().enumerate() {
        assert_eq!(outcome(&auth, token).await, Verified);
        if number % 8 == 0 {
            for token in &used {
                assert_eq!(outcome(&auth, token).await, Cached, "after {number}");
            }
        }
    }
    let mut cached = 0;
    for token in flood.iter().rev().take(200) {
        cached += usize::from(outcome(&auth, token).await == Cached);
    }
    assert!((1..=60).contains(&cached), "{cached}");
}

#[tokio::test]
async fn a_flood_of_bad_tokens_evicts_nothing() {
    let tenant = Tenant::new();
    let auth = tenant.builder().token_cache(8).build().unwrap();
    let used: Vec<String> =
        (0..8).map(|n| tenant.token().subject(&format!("auth0|{n}")).mint()).collect();
    for token in &used {
        assert_eq!(outcome(&auth, token).await, Verified);
    }
    let (_, end) = used[0].rsplit_once('.').unwrap();
    for n in 0..500 {
        let forged = tenant.token().claim("n", n).signed_by(&tenant.unknown_key()).mint();
        let expired = tenant.token().claim("n", n).expired().mint();
        let others = tenant.token().claim("n", n).audience("https://other.test").mint();
        let same_end = format!("{}.{end}", forged.rsplit_once('.').unwrap().0);
        for token in [forged, expired, others, same_end] {
            assert!(auth.verify(&token).await.is_err());
        }
    }
    for token in &used {
        assert_eq!(outcome(&auth, token).await, Cached);
    }
}

/// Threads verify, read and empty the cache at the same time: every good token is accepted with its own
/// content, and every bad one refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_do_not_mix_tokens_up() {
    let tenant = Tenant::new();
    let auth = tenant.builder().token_cache(16).build().unwrap();
    let tokens: Arc<Vec<(String, String)>> = Arc::new(
        (0..40)
            .map(|n| {
                let subject = format!("auth0|{n}");
                (tenant.token().subject(&subject).mint(), subject)
            })
            .collect(),
    );
    let tasks: Vec<_> = (0..4)
        .map(|lane| {
            let (auth, tokens) = (auth.clone(), Arc::clone(&tokens));
            tokio::spawn(async move {
                for round in 0..500 {
                    let (token, subject) = &tokens[(round * (lane + 1)) % tokens.len()];
                    assert_eq!(auth.verify(token).await.unwrap().subject(), subject);
                    let forged = token.replacen('.', ".e", 1);
                    assert!(auth.verify(&forged).await.is_err());
                    if lane == 0 && round % 50 == 0 {
                        auth.refresh().await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn the_cache_is_not_printed() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().subject("auth0|secret").mint();
    let verified = auth.verify(&token).await.unwrap();
    for text in [format!("{auth:?}"), format!("{:?}", tenant.builder())] {
        assert!(!text.contains("secret") && !text.contains(&token[..10]), "{text}");
    }
    assert!(!format!("{verified:?}").contains(&token[..10]));
}
