//! Tokens that are refused although they have not expired.
mod clock;
mod logout;
mod process;
mod store;

use crate::common::{MINUTE, Request, SECOND, pass, settle, until};
use auth0_core::{
    Auth0, BackchannelLogout, BoxFuture, Dpop, ErrorCode, Revocations, TrustedIssuer,
    VerifiedToken,
    dpop::{Insertion, ReplayEntry, ReplayStore, ReplayStoreError},
    revocation::{Revocation, RevocationError},
};
use auth0_testing::{Tenant, TokenBuilder};
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::Notify;

const SID: &str = "https://acme.com/sid";

fn verifier(tenant: &Tenant, revocations: &Revocations) -> Auth0 {
    tenant.builder().revocations(revocations).session_claim([SID]).build().unwrap()
}

async fn code(auth: &Auth0, token: &str) -> Result<VerifiedToken, ErrorCode> {
    auth.verify(token).await.map_err(|error| error.code())
}

async fn is_revoked(auth: &Auth0, token: &TokenBuilder) -> bool {
    match code(auth, &token.mint()).await {
        Ok(_) => false,
        Err(ErrorCode::TokenRevoked) => true,
        Err(other) => panic!("{other}"),
    }
}

fn at(tenant: &Tenant, seconds: i64) -> SystemTime {
    let now = auth0_core::time::Clock::unix_time(tenant.clock()).as_secs();
    UNIX_EPOCH + Duration::from_secs(now.saturating_add_signed(seconds))
}

/// Creates a token that a revocation names.
type Named = fn(&Tenant) -> TokenBuilder;

#[tokio::test]
async fn each_kind_of_revocation() {
    let tenant = Tenant::new();
    let issuer = tenant.issuer();
    let ann = || tenant.token().subject("auth0|ann").client("web").claim("jti", "t1");
    let member = || ann().organization("org_1", "acme");
    let in_session = || ann().claim(SID, "s1");
    let revoked: [(Revocation, Named); 6] = [
        (Revocation::subject(issuer, "auth0|ann"), |t| t.token().subject("auth0|ann")),
        (Revocation::organization_member(issuer, "org_1", "auth0|ann"), |t| {
            t.token().subject("auth0|ann").organization("org_1", "acme")
        }),
        (Revocation::organization(issuer, "org_1"), |t| t.token().organization("org_1", "acme")),
        (Revocation::client(issuer, "web"), |t| t.token().client("web")),
        (Revocation::token(issuer, "t1"), |t| t.token().claim("jti", "t1")),
        (Revocation::session(issuer, "s1"), |t| t.token().claim(SID, "s1")),
    ];
    for (revocation, token) in revoked {
        let revocations = Revocations::in_memory();
        let auth = verifier(&tenant, &revocations);
        let shown = format!("{revocation:?}");
        assert!(!is_revoked(&auth, &token(&tenant)).await, "{shown}");
        revocations.revoke(revocation.clone()).await.unwrap();
        assert!(is_revoked(&auth, &token(&tenant)).await, "{shown}");
        assert!(is_revoked(&auth, &token(&tenant).without("iat")).await, "{shown}");
        // Others go on: another subject, organization, client, id, session.
        let other = tenant.token().subject("auth0|bob").client("app").claim("jti", "t2");
        let other = other.organization("org_2", "other").claim(SID, "s2");
        assert!(!is_revoked(&auth, &other).await, "{shown}");
    }
    // Each only where it is named.
    let revocations = Revocations::in_memory();
    let auth = verifier(&tenant, &revocations);
    revocations
        .revoke(Revocation::organization_member(issuer, "org_1", "auth0|ann"))
        .await
        .unwrap();
    assert!(is_revoked(&auth, &member()).await);
    assert!(!is_revoked(&auth, &ann()).await, "outside the organization");
    assert!(!is_revoked(&auth, &member().subject("auth0|bob")).await, "another member");
    assert!(!is_revoked(&auth, &in_session()).await);
}

#[tokio::test]
async fn tokens_up_to_the_time_are_refused() {
    let tenant = Tenant::new();
    let revocations = Revocations::in_memory();
    let auth = verifier(&tenant, &revocations);
    let issued = |ago: i64| {
        let iat = at(&tenant, -ago).duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        tenant.token().subject("auth0|ann").claim("iat", iat)
    };
    let subject = || Revocation::subject(tenant.issuer(), "auth0|ann");
    revocations.revoke(subject().at(at(&tenant, -100))).await.unwrap();
    for (ago, expected) in [(200, true), (101, true), (100, true), (99, false), (0, false)] {
        assert_eq!(is_revoked(&auth, &issued(ago)).await, expected, "{ago}");
    }
    let in_that_second = at(&tenant, -100).duration_since(UNIX_EPOCH).unwrap().as_secs_f64() + 0.9;
    assert!(is_revoked(&auth, &issued(0).claim("iat", in_that_second)).await);
    // An older one that arrives late lowers nothing.
    revocations.revoke(subject().at(at(&tenant, -1000))).await.unwrap();
    assert!(is_revoked(&auth, &issued(100)).await);
    revocations.revoke(subject().at(at(&tenant, -50))).await.unwrap();
    assert!(is_revoked(&auth, &issued(50)).await && !is_revoked(&auth, &issued(49)).await);
    // Since now, and a later login is accepted.
    revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
    assert!(is_revoked(&auth, &issued(0)).await);
    tenant.clock().advance(Duration::from_secs(1));
    assert!(!is_revoked(&auth, &issued(0)).await);
    assert_eq!(revocations.count(), 1);
}

#[tokio::test]
async fn a_cached_token_is_refused_too() {
    let tenant = Tenant::new();
    let revocations = Revocations::in_memory();
    let auth = verifier(&tenant, &revocations);
    let (ann, bob) =
        (tenant.token().subject("auth0|ann").mint(), tenant.token().subject("auth0|bob").mint());
    for _ in 0..3 {
        assert!(code(&auth, &ann).await.is_ok() && code(&auth, &bob).await.is_ok());
    }
    revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
    for _ in 0..3 {
        assert_eq!(code(&auth, &ann).await.unwrap_err(), ErrorCode::TokenRevoked);
        assert!(code(&auth, &bob).await.is_ok());
    }
}

/// A cached token has the keys of the kinds that there were, and is found under those that come later.
#[tokio::test]
async fn a_kind_that_is_new_concerns_cached_tokens() {
    let tenant = Tenant::new();
    let issuer = tenant.issuer();
    let revocations = Revocations::in_memory();
    let auth = verifier(&tenant, &revocations);
    let ann = tenant.token().subject("auth0|ann").client("web").organization("org_1", "acme");
    let ann = ann.claim("jti", "t1").claim(SID, "s1");
    let kinds = [
        Revocation::subject(issuer, "auth0|ann"),
        Revocation::client(issuer, "web"),
        Revocation::organization_member(issuer, "org_1", "auth0|ann"),
        Revocation::organization(issuer, "org_1"),
        Revocation::token(issuer, "t1"),
        Revocation::session(issuer, "s1"),
    ];
    let others = [
        Revocation::subject(issuer, "auth0|eve"),
        Revocation::client(issuer, "other"),
        Revocation::organization_member(issuer, "org_1", "auth0|eve"),
        Revocation::organization(issuer, "org_2"),
        Revocation::token(issuer, "t2"),
        Revocation::session(issuer, "s2"),
    ];
    let mut held = Vec::new();
    for other in others {
        for _ in 0..2 {
            held.push(code(&auth, &ann.mint()).await.unwrap());
        }
        revocations.revoke(other).await.unwrap();
        assert!(held.iter().all(|token| !token.is_revoked()));
    }
    assert!(!is_revoked(&auth, &ann).await);
    for last in kinds {
        let revocations = Revocations::in_memory();
        let auth = verifier(&tenant, &revocations);
        revocations.revoke(Revocation::subject(issuer, "auth0|eve")).await.unwrap();
        let held = code(&auth, &ann.mint()).await.unwrap();
        assert!(code(&auth, &ann.mint()).await.is_ok());
        revocations.revoke(last.clone()).await.unwrap();
        assert!(held.is_revoked() && is_revoked(&auth, &ann).await, "{last:?}");
        held.ended().await;
    }
}

#[tokio::test]
async fn the_issuer_is_a_part_of_it() {
    let (acme, other) = (Tenant::new(), Tenant::named("other.test"));
    let revocations = Revocations::in_memory();
    let both = acme.builder_with([&other]).issuers([acme.issuer(), other.issuer()]);
    let auth = both.revocations(&revocations).build().unwrap();
    let token = |tenant: &Tenant| tenant.token().audience(acme.audience()).subject("auth0|ann");
    revocations.revoke_subject(other.issuer().trim_end_matches('/'), "auth0|ann").await.unwrap();
    assert!(!is_revoked(&auth, &token(&acme)).await);
    assert!(is_revoked(&auth, &token(&other)).await, "a slash makes no difference");
    let domain = acme.issuer().trim_start_matches("https://").trim_end_matches('/');
    revocations.revoke_subject(domain, "auth0|ann").await.unwrap();
    assert!(is_revoked(&auth, &token(&acme)).await, "a domain is an issuer");
}

/// As an issuer of the configuration: the case is corrected, and any name that a verifier trusts is one.
#[tokio::test]
async fn the_issuer_is_written_as_in_the_configuration() {
    let tenant = Tenant::new();
    let (upper, domain) = (tenant.issuer().to_uppercase().replace("HTTPS", "https"), "TENANT.test");
    for issuer in [&*upper, domain] {
        let revocations = Revocations::in_memory();
        let auth = verifier(&tenant, &revocations);
        revocations.revoke_subject(issuer, "auth0|ann").await.unwrap();
        assert!(is_revoked(&auth, &tenant.token().subject("auth0|ann")).await, "{issuer}");
    }
    let revocations = Revocations::in_memory();
    let local = TrustedIssuer::new("internal").key_set_url("https://keys.test/jwks.json");
    let _auth = tenant.builder().issuer(local).revocations(&revocations).build().unwrap();
    revocations.revoke_subject("internal", "auth0|ann").await.unwrap();
    revocations.revoke_subject("http://127.0.0.1:4400/", "auth0|ann").await.unwrap();
    assert!(revocations.revoke_subject("external", "auth0|ann").await.is_err());
}

#[tokio::test]
async fn what_cannot_be_revoked_is_an_error() {
    let issuer = "https://acme.eu.auth0.com/";
    for revocation in [
        Revocation::subject("", "auth0|ann"),
        Revocation::subject(issuer, ""),
        Revocation::subject(issuer, " "),
        Revocation::organization_member(issuer, "org_1", ""),
        Revocation::organization_member(issuer, "", "auth0|ann"),
        // An issuer that is none, and one that no token can have.
        Revocation::subject("http://acme.eu.auth0.com/", "auth0|ann"),
        Revocation::subject(" acme.eu.auth0.com", "auth0|ann"),
        Revocation::subject("https://acme.eu.auth0.com/ ", "auth0|ann"),
        Revocation::subject("localhost:4000", "auth0|ann"),
        Revocation::subject("ftp://acme.eu.auth0.com/", "auth0|ann"),
        Revocation::subject("https://acme.eu.auth0.com/?a=b", "auth0|ann"),
        Revocation::subject("auth0|ann", issuer),
        Revocation::session("YOUR_DOMAIN", "s1"),
    ] {
        let revocations = Revocations::in_memory();
        let error = revocations.revoke(revocation).await.unwrap_err();
        assert!(matches!(error, RevocationError::Invalid(_)), "{error}");
        assert_eq!(revocations.count(), 0);
    }
}

#[tokio::test]
async fn there_is_room_for_as_many_as_configured() {
    let tenant = Tenant::new();
    let revocations =
        Revocations::in_memory().capacity(100).max_token_lifetime(Duration::from_secs(3600));
    let auth = verifier(&tenant, &revocations);
    let revoke =
        |number: usize| revocations.revoke_subject(tenant.issuer(), format!("auth0|{number}"));
    for number in 0..100 {
        revoke(number).await.unwrap();
    }
    assert!(matches!(revoke(100).await.unwrap_err(), RevocationError::Full));
    assert!(revoke(7).await.is_ok(), "it is there");
    assert!(is_revoked(&auth, &tenant.token().subject("auth0|0")).await);
    // After the life of the last token that they concern, they make room.
    tenant.clock().advance(Duration::from_secs(3600 + 61));
    assert!(revoke(100).await.is_ok());
    assert_eq!(revocations.count(), 1, "the others have made room");
}

/// Many share a mark with one that is revoked, and are told apart by their keys: also when they are cached.
#[tokio::test]
async fn subjects_that_share_a_mark_are_told_apart() {
    let tenant = Tenant::new();
    let revocations = Revocations::in_memory();
    let auth = verifier(&tenant, &revocations);
    let token = |number: usize| tenant.token().subject(&format!("auth0|{number}")).mint();
    // Of 32,768 marks in a table of this size, 2,000 are in use.
    for number in 0..2000 {
        revocations.revoke_subject(tenant.issuer(), format!("auth0|{number}")).await.unwrap();
    }
    for number in 1800..2200 {
        let token = token(number);
        for _ in 0..2 {
            let is_accepted = code(&auth, &token).await.is_ok();
            assert_eq!(is_accepted, number >= 2000, "{number}");
        }
    }
}

/// A life of tokens that is too short by mistake would remove what is needed.
#[tokio::test]
async fn a_revocation_is_kept_for_a_minute_at_least() {
    let tenant = Tenant::new();
    let revocations = Revocations::in_memory().capacity(1).max_token_lifetime(Duration::ZERO);
    let auth = verifier(&tenant, &revocations);
    revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
    tenant.clock().advance(Duration::from_secs(119));
    let other = || revocations.revoke_subject(tenant.issuer(), "auth0|bob");
    assert!(matches!(other().await, Err(RevocationError::Full)));
    assert!(is_revoked(&auth, &tenant.token().subject("auth0|ann").claim("iat", 1)).await);
    tenant.clock().advance(SECOND);
    other().await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_used_already_ends() {
    let tenant = Tenant::new();
    let revocations = Revocations::in_memory();
    let auth = verifier(&tenant, &revocations);
    let ann = verified_token(&auth, &tenant, "auth0|ann").await;
    let bob = verified_token(&auth, &tenant, "auth0|bob").await;
    let (ann_ends, bob_ends) = (tokio::spawn(ann.ended()), tokio::spawn(bob.ended()));
    tokio::task::yield_now().await;
    let stream = ann.until_ended(Ticks);
    let lease = auth.lease(&ann);
    assert!(!ann.has_ended() && !lease.has_ended());

    revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
    assert!(ann.is_revoked() && ann.has_ended() && lease.has_ended() && !bob.has_ended());
    ann_ends.await.unwrap();
    lease.ended().await;
    assert_eq!(count(stream).await, 0);
    assert!(!bob_ends.is_finished());
    revocations.revoke_subject(tenant.issuer(), "auth0|bob").await.unwrap();
    bob_ends.await.unwrap();
    // A token that is kept does not keep the revocations.
    drop((auth, lease, revocations));
    assert!(!ann.is_revoked());
}

/// What waits for the end of a lease follows its renewals: the token that counts is the newest.
#[tokio::test]
async fn a_renewed_lease_ends_with_its_newer_token() {
    type Named = fn(&str, String) -> Revocation;
    let kinds: [Named; 2] =
        [|issuer, id| Revocation::token(issuer, id), |issuer, id| Revocation::session(issuer, id)];
    let tenant = Tenant::new();
    let revocations = Revocations::in_memory();
    let auth = verifier(&tenant, &revocations);
    for (number, revocation) in kinds.into_iter().enumerate() {
        let token = |name: &str, minutes| {
            let token = tenant.token().claim("jti", name).claim(SID, name);
            token.expires_in(minutes * MINUTE).mint()
        };
        let (old, new) = (format!("{number} old"), format!("{number} new"));
        let lease = auth.lease(&auth.verify(&token(&old, 60)).await.unwrap());
        let waits = tokio::spawn(lease.ended());
        settle().await;
        lease.renew(&token(&new, 120)).await.unwrap();
        settle().await;
        let waits_since_renewal = tokio::spawn(lease.ended());
        revocations.revoke(revocation(tenant.issuer(), old.clone())).await.unwrap();
        pass(&tenant, SECOND).await;
        assert!(!waits.is_finished() && !lease.has_ended(), "the old token ends nothing");

        // A lease for which nothing has happened since its renewal.
        let next = format!("{number} next");
        let other = auth.lease(&auth.verify(&token(&next, 60)).await.unwrap());
        let other_waits = tokio::spawn(other.ended());
        settle().await;
        other.renew(&token(&new, 120)).await.unwrap();
        settle().await;
        revocations.revoke(revocation(tenant.issuer(), new)).await.unwrap();
        let all = [waits, waits_since_renewal, other_waits];
        until(|| all.iter().all(tokio::task::JoinHandle::is_finished)).await;
        assert!(lease.has_ended() && other.has_ended());
    }
}

/// A store of used proofs that answers when it is let.
#[derive(Clone, Debug, Default)]
struct SlowStore(Arc<(Notify, Notify)>);

impl ReplayStore for SlowStore {
    fn insert(&self, _: ReplayEntry) -> BoxFuture<'_, Result<Insertion, ReplayStoreError>> {
        Box::pin(async {
            self.0.0.notify_one();
            self.0.1.notified().await;
            Ok(Insertion::New)
        })
    }
}

#[tokio::test]
async fn a_token_is_refused_that_is_revoked_while_its_proof_is_recorded() {
    let tenant = Tenant::new();
    let (revocations, store) = (Revocations::in_memory(), SlowStore::default());
    let dpop = Dpop::allowed().replay_store(store.clone());
    let auth = tenant.builder().revocations(&revocations).dpop(dpop).build().unwrap();
    let token = tenant.token().subject("auth0|ann").bound_to(&tenant.client_key()).mint();
    let proof = tenant.proof("GET", "http://api.test/me").for_token(&token).mint();
    let request = Request::to("api.test").path("/me").authorized("DPoP", &token);
    let request = request.with("dpop", proof);
    let (outcome, ()) = tokio::join!(request.authenticate(&auth), async {
        store.0.0.notified().await;
        revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
        store.0.1.notify_one();
    });
    assert_eq!(outcome.unwrap_err().code(), ErrorCode::TokenRevoked);
}

async fn verified_token(auth: &Auth0, tenant: &Tenant, subject: &str) -> VerifiedToken {
    auth.verify(&tenant.token().subject(subject).mint()).await.unwrap()
}

struct Ticks;

impl futures_core::Stream for Ticks {
    type Item = ();

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<()>> {
        std::task::Poll::Ready(Some(()))
    }
}

async fn count(stream: impl futures_core::Stream) -> usize {
    let (mut stream, mut count) = (std::pin::pin!(stream), 0);
    while std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await.is_some() {
        count += 1;
    }
    count
}

#[tokio::test]
async fn nothing_of_a_user_is_printed() {
    let tenant = Tenant::new();
    let revocations = Revocations::in_memory();
    let auth = verifier(&tenant, &revocations);
    let revocation = Revocation::organization_member(tenant.issuer(), "org_1", "auth0|ann");
    let logout = BackchannelLogout::new(&auth, ["web"]).unwrap();
    for shown in [format!("{revocation:?}"), format!("{revocations:?}"), format!("{logout:?}")] {
        assert!(!shown.contains("auth0|ann") && !shown.contains("org_1"), "{shown}");
    }
}
