//! A token that was verified before is recognised, and is as good as it was then: not a moment
//! longer, not for another verifier, and not for a requirement.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::indexing_slicing
)]
use auth0_core::{
    AccessToken, Auth0, ErrorCode,
    policy::scope,
    testing::{Failure, SigningKey, Tenant},
};
use std::{cell::RefCell, collections::BTreeSet, sync::Arc, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Verified,
    Recognised,
    Refused(ErrorCode),
}
use Outcome::{Recognised, Refused, Verified};

thread_local! {
    /// Every token that was accepted in this test, alive, so that its place stays its own.
    static ACCEPTED: RefCell<Vec<AccessToken>> = const { RefCell::new(Vec::new()) };
}

/// What is recognised is where it was; what is verified anew is somewhere else.
async fn judge(auth: &Auth0, token: &str) -> Outcome {
    let verified = match auth.verify(token).await {
        Ok(verified) => verified,
        Err(error) => return Refused(error.code()),
    };
    ACCEPTED.with_borrow_mut(|accepted| {
        let place = |token: &AccessToken| token.issuer().as_ptr();
        let is_known = accepted.iter().any(|known| place(known) == place(&verified));
        accepted.push(verified);
        if is_known { Recognised } else { Verified }
    })
}

/// Lets a fetch in the background come to its end.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_token_is_verified_once_and_then_recognised() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let one = tenant.token().subject("auth0|ann").mint();
    let other = tenant.token().subject("auth0|bob").mint();
    assert_eq!(judge(&auth, &one).await, Verified);
    assert_eq!(judge(&auth, &one).await, Recognised);
    assert_eq!(judge(&auth, &other).await, Verified);
    assert_eq!(judge(&auth, &one).await, Recognised);
    assert_eq!(auth.verify(&one).await.unwrap().subject(), "auth0|ann");
    assert_eq!(auth.verify(&other).await.unwrap().subject(), "auth0|bob");
}

#[tokio::test]
async fn with_no_room_every_token_is_verified() {
    let tenant = Tenant::new();
    let auth = tenant.builder().token_cache(0).build().unwrap();
    let token = tenant.token().mint();
    for _ in 0..3 {
        assert_eq!(judge(&auth, &token).await, Verified);
    }
}

/// Which key it means depends on the others in the set.
#[tokio::test]
async fn a_token_without_a_kid_is_verified_every_time() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().without_header("kid").mint();
    assert_eq!(judge(&auth, &token).await, Verified);
    assert_eq!(judge(&auth, &token).await, Verified);
    tenant.add_key(SigningKey::generate(auth0_core::Algorithm::RS256).unwrap());
    tenant.clock().advance(8 * MINUTE);
    settle().await;
    assert_eq!(judge(&auth, &token).await, Refused(ErrorCode::KeyUnknown), "one of two");
}

#[test]
fn a_cache_that_cannot_work_is_refused_at_start() {
    for tokens in [1_000_001, usize::MAX] {
        let error = Tenant::new().builder().token_cache(tokens).build().unwrap_err().to_string();
        assert!(error.contains("at the most 1000000"), "{error}");
    }
}

#[tokio::test]
async fn what_is_recognised_says_all_that_it_said() {
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
        assert!(token.amr().eq(["pwd", "mfa"]));
        assert_eq!(token.acr(), Some("urn:x"));
        assert_eq!(token.session_id(), Some("s\t1"));
        assert_eq!(token.organization_id(), Some("org_1"));
        assert_eq!(token.organization_name(), Some("acme"));
        assert_eq!(token.auth_time(), first.auth_time());
        assert_eq!(token.expires_at(), first.expires_at());
        assert_eq!(token.issued_at(), first.issued_at());
        assert_eq!(token.client_id(), first.client_id());
        let roles = token.with_claims::<Claims>().unwrap();
        assert_eq!(roles.claims().roles, ["admin", "\"x\""]);
    }
}

#[tokio::test]
async fn it_expires_while_it_is_remembered() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().expires_in(MINUTE).mint();
    assert_eq!(judge(&auth, &token).await, Verified);
    tenant.clock().advance(MINUTE + Duration::from_millis(4_999));
    assert_eq!(judge(&auth, &token).await, Recognised, "within the leeway");
    tenant.clock().advance(Duration::from_millis(1));
    assert_eq!(judge(&auth, &token).await, Refused(ErrorCode::TokenExpired));
}

#[tokio::test]
async fn a_clock_that_is_set_back_is_believed() {
    for claim in ["nbf", "iat"] {
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        let token = tenant.token().claim(claim, 1_767_225_600).mint();
        assert_eq!(judge(&auth, &token).await, Verified);
        tenant.clock().set_back(Duration::from_secs(5));
        assert_eq!(judge(&auth, &token).await, Recognised, "within the leeway");
        tenant.clock().set_back(Duration::from_secs(1));
        assert_eq!(judge(&auth, &token).await, Refused(ErrorCode::TokenNotYetValid), "{claim}");
        tenant.clock().advance(Duration::from_secs(6));
        assert_eq!(judge(&auth, &token).await, Recognised, "as before");
    }
}

#[tokio::test]
async fn a_key_that_is_withdrawn_takes_its_tokens_along() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let old = tenant.token().mint();
    assert_eq!(judge(&auth, &old).await, Verified);
    tenant.rotate_keys();
    let new = tenant.token().mint();
    assert_eq!(judge(&auth, &new).await, Verified, "a key that is new");
    assert_eq!(judge(&auth, &old).await, Recognised, "a rotation withdraws nothing");
    tenant.withdraw_old_keys();
    assert_eq!(judge(&auth, &old).await, Recognised, "nobody knows yet");
    tenant.clock().advance(8 * MINUTE);
    settle().await;
    assert_eq!(judge(&auth, &old).await, Refused(ErrorCode::KeyUnknown));
    assert_eq!(judge(&auth, &new).await, Verified, "looked at again");
    assert_eq!(judge(&auth, &new).await, Recognised);
}

#[tokio::test]
async fn refreshes_that_change_nothing_forget_nothing() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    assert_eq!(judge(&auth, &token).await, Verified);
    for _ in 0..4 {
        let fetches = tenant.fetches().key_set;
        tenant.clock().advance(8 * MINUTE);
        settle().await;
        assert!(tenant.fetches().key_set > fetches);
        assert_eq!(judge(&auth, &token).await, Recognised);
    }
}

#[tokio::test]
async fn another_key_under_the_same_id_is_another_key() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let id = tenant.signing_key().id().to_owned();
    let token = tenant.token().mint();
    assert_eq!(judge(&auth, &token).await, Verified);
    let other = SigningKey::generate(auth0_core::Algorithm::RS256).unwrap().with_id(id);
    tenant.add_key(other);
    tenant.withdraw_old_keys();
    tenant.clock().advance(8 * MINUTE);
    settle().await;
    assert_eq!(judge(&auth, &token).await, Refused(ErrorCode::SignatureInvalid));
}

#[tokio::test]
async fn a_refresh_forgets_every_token() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    assert_eq!(judge(&auth, &token).await, Verified);
    auth.refresh().await.unwrap();
    assert_eq!(judge(&auth, &token).await, Verified);
    assert_eq!(judge(&auth, &token).await, Recognised);
    tenant.fail(Failure::Unreachable);
    auth.refresh().await.unwrap_err();
    assert_eq!(judge(&auth, &token).await, Verified, "also where the issuer fails");

    tenant.recover();
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    auth.refresh().await.unwrap();
    assert_eq!(judge(&auth, &token).await, Refused(ErrorCode::KeyUnknown), "from then on");
}

/// Keys that may not be served verify nothing, and what they verified is not served either.
#[tokio::test]
async fn it_does_not_outlive_the_keys() {
    let tenant = Tenant::new();
    let auth = tenant.builder().serve_stale_keys_for(Duration::ZERO).build().unwrap();
    let token = tenant.token().mint();
    assert_eq!(judge(&auth, &token).await, Verified);
    tenant.fail(Failure::Unreachable);
    tenant.clock().advance(11 * MINUTE);
    settle().await;
    assert_eq!(judge(&auth, &token).await, Refused(ErrorCode::KeysUnavailable));
}

#[tokio::test]
async fn audiences_never_mix() {
    let tenant = Tenant::new();
    let ours = tenant.auth0();
    let others = tenant.builder().audience("https://other.test").build().unwrap();
    let strict = tenant.builder().rfc9068_only(true).build().unwrap();
    let token = tenant.token().audience("https://other.test").mint();
    assert_eq!(judge(&others, &token).await, Verified);
    assert_eq!(judge(&others.clone(), &token).await, Recognised, "a clone is the same verifier");
    assert_eq!(judge(&ours, &token).await, Refused(ErrorCode::AudienceMismatch));
    assert_eq!(judge(&strict, &token).await, Refused(ErrorCode::TokenTypeInvalid));
}

#[tokio::test]
async fn issuers_never_mix() {
    let (one, other) = (Tenant::named("one"), Tenant::named("other"));
    let key = SigningKey::generate(auth0_core::Algorithm::RS256).unwrap();
    let same_id = SigningKey::generate(auth0_core::Algorithm::RS256).unwrap().with_id(key.id());
    one.add_key(key.clone());
    other.add_key(same_id);
    let token = one.token().audience(other.audience()).mint();
    let verifier_of = |tenant: &Tenant| tenant.builder().audience(other.audience()).build();
    let (ours, theirs) = (verifier_of(&one).unwrap(), verifier_of(&other).unwrap());
    assert_eq!(judge(&ours, &token).await, Verified);
    assert_eq!(judge(&theirs, &token).await, Refused(ErrorCode::IssuerMismatch));
    let forged = one.token().issuer(other.issuer()).audience(other.audience()).mint();
    assert_eq!(judge(&theirs, &forged).await, Refused(ErrorCode::SignatureInvalid));
    assert_eq!(judge(&ours, &token).await, Recognised);
}

/// Where an entry may be is told by the end of a token. That it is the one, by all of it.
#[tokio::test]
async fn a_changed_token_is_another_token() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    assert_eq!(judge(&auth, &token).await, Verified);
    let verdicts: BTreeSet<&str> = BTreeSet::from_iter(["key_unknown", "token_malformed"]);
    let mut seen = BTreeSet::new();
    for place in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let code = auth.verify(&changed).await.unwrap_err().code();
        seen.insert(code.as_str());
        if place % 97 == 0 {
            assert_eq!(judge(&auth, &token).await, Recognised, "and it harms nobody");
        }
    }
    assert!(seen.is_superset(&verdicts) && seen.contains("signature_invalid"), "{seen:?}");

    // The beginning and the end of good tokens, and something else between.
    let parts: Vec<&str> = token.split('.').collect();
    let other = tenant.token().subject("auth0|eve").mint();
    let payload = other.split('.').nth(1).unwrap();
    let forged = format!("{}.{payload}.{}", parts[0], parts[2]);
    assert_eq!(judge(&auth, &forged).await, Refused(ErrorCode::SignatureInvalid));
    for forged in [format!("{token}."), format!(".{token}"), format!("{token}="), token.repeat(2)] {
        assert!(auth.verify(&forged).await.is_err());
    }
}

#[tokio::test]
async fn a_requirement_is_asked_of_it_anew() {
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
async fn a_flood_of_good_tokens_leaves_those_in_use() {
    let tenant = Tenant::new();
    let auth = tenant.builder().token_cache(64).build().unwrap();
    let used: Vec<String> =
        (0..4).map(|n| tenant.token().subject(&format!("auth0|{n}")).mint()).collect();
    for token in &used {
        assert_eq!(judge(&auth, token).await, Verified);
    }
    let flood: Vec<String> = (0..1000).map(|n| tenant.token().claim("n", n).mint()).collect();
    for (position, token) in flood.iter().enumerate() {
        assert_eq!(judge(&auth, token).await, Verified);
        if position % 8 == 0 {
            for token in &used {
                assert_eq!(judge(&auth, token).await, Recognised, "after {position}");
            }
        }
    }
    let mut remembered = 0;
    for token in flood.iter().rev().take(200) {
        remembered += usize::from(judge(&auth, token).await == Recognised);
    }
    assert!((1..=60).contains(&remembered), "{remembered}");
}

#[tokio::test]
async fn a_flood_of_bad_tokens_evicts_nothing() {
    let tenant = Tenant::new();
    let auth = tenant.builder().token_cache(8).build().unwrap();
    let used: Vec<String> =
        (0..8).map(|n| tenant.token().subject(&format!("auth0|{n}")).mint()).collect();
    for token in &used {
        assert_eq!(judge(&auth, token).await, Verified);
    }
    let (_, end) = used[0].rsplit_once('.').unwrap();
    for n in 0..500 {
        let stranger = tenant.token().claim("n", n).signed_by(&tenant.stranger()).mint();
        let expired = tenant.token().claim("n", n).expired().mint();
        let others = tenant.token().claim("n", n).audience("https://other.test").mint();
        let same_end = format!("{}.{end}", stranger.rsplit_once('.').unwrap().0);
        for token in [stranger, expired, others, same_end] {
            assert!(auth.verify(&token).await.is_err());
        }
    }
    for token in &used {
        assert_eq!(judge(&auth, token).await, Recognised);
    }
}

/// Threads that verify, recognise and forget at the same time: every good token is accepted with its
/// own content, every bad one refused.
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
async fn nothing_of_it_is_printed() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().subject("auth0|secret").mint();
    let verified = auth.verify(&token).await.unwrap();
    for text in [format!("{auth:?}"), format!("{:?}", tenant.builder())] {
        assert!(!text.contains("secret") && !text.contains(&token[..10]), "{text}");
    }
    assert!(!format!("{verified:?}").contains(&token[..10]));
}
