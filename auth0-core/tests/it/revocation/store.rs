//! Revocations that several instances share.
use super::{code, is_revoked};
use crate::common::{HOUR, MINUTE, SECOND, block_on, test_in_a_process};
use auth0_core::{
    Auth0, BoxFuture, ErrorCode, Revocations,
    revocation::{
        Changes, OnUnavailable, Revocation, RevocationEntry, RevocationError, RevocationStore,
        RevocationStoreError, UsedId,
    },
    time::Clock,
};
use auth0_testing::Tenant;
use std::{
    collections::HashSet,
    future::pending,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant, UNIX_EPOCH},
};
use tokio::sync::Notify;

/// A table in a database, which can fail.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(Arc<Database>);

#[derive(Debug, Default)]
struct Database {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    rows: Vec<RevocationEntry>,
    epoch: usize,
    used: HashSet<[u8; 32]>,
    mode: Mode,
    /// That of additions, if they differ.
    mode_of_writes: Option<Mode>,
    reads: usize,
    writes: usize,
    is_blocked: bool,
    /// Whether what is added is read before its caller learns that it was added.
    is_read_first: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Mode {
    #[default]
    Works,
    Fails,
    Hangs,
    Panics,
    /// Blocks the thread.
    Blocks,
}

impl Mode {
    async fn check(self) -> Result<(), RevocationStoreError> {
        match self {
            Self::Works => Ok(()),
            Self::Fails => Err(RevocationStoreError::new("connection refused")),
            Self::Hangs => pending().await,
            Self::Panics => panic!("a mistake of the store"),
            Self::Blocks => loop {
                std::thread::park();
            },
        }
    }
}

/// The rows of a part.
const PAGE: usize = 10;

impl Table {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    pub(super) fn set(&self, mode: Mode) {
        self.state().mode = mode;
        self.0.changed.notify_waiters();
    }

    fn set_writes(&self, mode: Mode) {
        self.state().mode_of_writes = Some(mode);
    }

    fn lose(&self) {
        let mut state = self.state();
        state.rows.clear();
        state.epoch += 1;
    }

    async fn check(&self) -> Result<(), RevocationStoreError> {
        let mode = {
            let mut state = self.state();
            state.is_blocked |= state.mode == Mode::Blocks;
            state.mode
        };
        mode.check().await
    }

    fn read(&self, since: Option<&str>) -> Changes {
        let mut state = self.state();
        state.reads += 1;
        let (epoch, row) = since.and_then(|since| since.split_once(':')).unwrap_or(("", ""));
        let has_lost = since.is_some() && epoch != state.epoch.to_string();
        let first = if has_lost { 0 } else { row.parse().unwrap_or(0) };
        let rows: Vec<_> = state.rows.iter().skip(first).take(PAGE).copied().collect();
        let next = first + rows.len();
        let mut changes = Changes::new(rows, format!("{}:{next}", state.epoch));
        changes.has_more = next < state.rows.len();
        changes.has_lost = has_lost;
        changes
    }
}

impl RevocationStore for Table {
    fn append(
        &self,
        entries: Vec<RevocationEntry>,
    ) -> BoxFuture<'_, Result<(), RevocationStoreError>> {
        Box::pin(async move {
            let mode = {
                let mut state = self.state();
                state.writes += 1;
                state.mode_of_writes.unwrap_or(state.mode)
            };
            mode.check().await?;
            self.state().rows.extend(entries);
            let reads = self.state().reads;
            self.0.changed.notify_waiters();
            while self.state().is_read_first && self.state().reads < reads + 2 {
                tokio::task::yield_now().await;
            }
            Ok(())
        })
    }

    fn changes<'a>(
        &'a self,
        since: Option<&'a str>,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Changes, RevocationStoreError>> {
        Box::pin(async move {
            let changed = self.0.changed.notified();
            self.check().await?;
            let changes = self.read(since);
            if !changes.entries.is_empty() || changes.has_lost {
                return Ok(changes);
            }
            let _ = tokio::time::timeout(wait, changed).await;
            self.check().await?;
            Ok(self.read(since))
        })
    }

    fn use_once(&self, used: UsedId) -> BoxFuture<'_, Result<bool, RevocationStoreError>> {
        Box::pin(async move {
            self.check().await?;
            Ok(self.state().used.insert(used.id))
        })
    }
}

struct Instance {
    auth: Auth0,
    revocations: Revocations,
}

fn instance(tenant: &Tenant, table: &Table) -> Instance {
    let revocations = Revocations::with_store(table.clone());
    let auth = tenant.builder().revocations(&revocations).build().unwrap();
    Instance { auth, revocations }
}

/// Waits until a condition holds, which another thread brings about.
pub(super) async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < MINUTE, "the condition was never met");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_one_instance_revokes_all_refuse() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let [one, two] = [instance(&tenant, &table), instance(&tenant, &table)];
    let ann = tenant.token().subject("auth0|ann");
    let bob = tenant.token().subject("auth0|bob");
    assert!(!is_revoked(&one.auth, &ann).await && !is_revoked(&two.auth, &ann).await);
    one.revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
    assert!(is_revoked(&one.auth, &ann).await);
    until(|| is_revoked(&two.auth, &ann)).await;
    assert!(!is_revoked(&one.auth, &bob).await && !is_revoked(&two.auth, &bob).await);
    // An instance that starts afterwards knows it with its first request.
    let three = instance(&tenant, &table);
    assert!(is_revoked(&three.auth, &ann).await);
}

#[tokio::test]
async fn a_revocation_is_added_once() {
    let (tenant, table) = (Tenant::new(), Table::default());
    table.state().is_read_first = true;
    let one = instance(&tenant, &table);
    for number in 0..10 {
        one.revocations.revoke_subject(tenant.issuer(), format!("auth0|{number}")).await.unwrap();
    }
    for number in 0..10 {
        one.revocations.revoke_subject(tenant.issuer(), format!("auth0|{number}")).await.unwrap();
    }
    assert_eq!(table.state().rows.len(), 10);
}

/// The caller goes away while the store does not answer: what it has revoked reaches the others nevertheless.
#[tokio::test]
async fn a_caller_that_goes_away_has_revoked() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let [one, two] = [instance(&tenant, &table), instance(&tenant, &table)];
    let ann = tenant.token().subject("auth0|ann");
    assert!(!is_revoked(&two.auth, &ann).await);
    table.set(Mode::Hangs);
    let mut revoking = Box::pin(one.revocations.revoke_subject(tenant.issuer(), "auth0|ann"));
    std::future::poll_fn(|context| {
        assert!(revoking.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(revoking);
    assert!(one.revocations.count() == 1 && table.state().rows.is_empty());
    table.set(Mode::Works);
    until(|| async { table.state().rows.len() == 1 }).await;
    until(|| async {
        code(&two.auth, &ann.mint()).await.is_err_and(|code| code == ErrorCode::TokenRevoked)
    })
    .await;
}

#[tokio::test]
async fn the_first_request_waits_for_all_of_many() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let one = instance(&tenant, &table);
    for number in 0..PAGE * 7 + 3 {
        one.revocations.revoke_subject(tenant.issuer(), format!("auth0|{number}")).await.unwrap();
    }
    let two = instance(&tenant, &table);
    let last = tenant.token().subject(&format!("auth0|{}", PAGE * 7 + 2));
    assert!(is_revoked(&two.auth, &last).await);
    assert_eq!(two.revocations.count(), PAGE * 7 + 3);
}

#[tokio::test]
async fn an_instance_that_is_warm_has_all_revocations() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let one = instance(&tenant, &table);
    for number in 0..PAGE * 3 {
        one.revocations.revoke_subject(tenant.issuer(), format!("auth0|{number}")).await.unwrap();
    }
    let two = instance(&tenant, &table);
    two.auth.warm_up().await.unwrap();
    assert_eq!(two.revocations.count(), PAGE * 3);

    table.set(Mode::Fails);
    let three = instance(&tenant, &table);
    let error = three.auth.warm_up().await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RevocationsUnavailable);
    let accepting = Revocations::with_store(table.clone()).on_unavailable(OnUnavailable::Accept);
    let auth = tenant.builder().revocations(&accepting).build().unwrap();
    auth.warm_up().await.unwrap();
    table.set(Mode::Works);
    until(|| async { three.auth.warm_up().await.is_ok() }).await;
}

#[tokio::test]
async fn requests_without_a_valid_token_do_not_wait() {
    let (tenant, table) = (Tenant::new(), Table::default());
    table.set(Mode::Hangs);
    let one = instance(&tenant, &table);
    let expired = tenant.token().expired().mint();
    assert_eq!(code(&one.auth, &expired).await.unwrap_err(), ErrorCode::TokenExpired);
    assert_eq!(code(&one.auth, "x").await.unwrap_err(), ErrorCode::TokenMalformed);
}

#[tokio::test]
async fn a_store_that_fails_is_503_and_comes_back() {
    for mode in [Mode::Fails, Mode::Hangs, Mode::Panics] {
        let (tenant, table) = (Tenant::new(), Table::default());
        let one = instance(&tenant, &table);
        let two = instance(&tenant, &table);
        let (ann, bob) = (tenant.token().subject("auth0|ann"), tenant.token().subject("auth0|bob"));
        one.revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
        until(|| is_revoked(&two.auth, &ann)).await;
        table.set(mode);
        // On the clock of the tenant, the last answer is older than a second now.
        tenant.clock().advance(Duration::from_millis(1500));
        let refused = one.auth.verify(&bob.mint()).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RevocationsUnavailable, "{mode:?}");
        assert_eq!(refused.challenge().status(), 503);
        assert_eq!(code(&one.auth, &ann.mint()).await.unwrap_err(), ErrorCode::TokenRevoked);
        if mode != Mode::Panics {
            let error = one.revocations.revoke_subject(tenant.issuer(), "auth0|bob");
            let error = tokio::join!(error, async {
                tokio::task::yield_now().await;
                tenant.clock().advance(Duration::from_secs(3));
            });
            assert!(matches!(error.0, Err(RevocationError::Unavailable(_))), "{mode:?}");
            assert_eq!(code(&one.auth, &bob.mint()).await.unwrap_err(), ErrorCode::TokenRevoked);
        }
        table.set(Mode::Works);
        let carol = tenant.token().subject("auth0|carol").mint();
        until(|| async { code(&one.auth, &carol).await.is_ok() }).await;
        until(|| async { code(&two.auth, &carol).await.is_ok() }).await;
    }
}

/// What cannot be written disturbs neither reading nor requests, and is written when it can be.
#[tokio::test]
async fn a_store_that_can_only_be_read() {
    for mode in [Mode::Fails, Mode::Hangs, Mode::Panics] {
        let (tenant, table) = (Tenant::new(), Table::default());
        let [one, two] = [instance(&tenant, &table), instance(&tenant, &table)];
        let bob = tenant.token().subject("auth0|bob").expires_in(HOUR).mint();
        assert!(code(&one.auth, &bob).await.is_ok());
        table.set_writes(Mode::Fails);
        let error = one.revocations.revoke_subject(tenant.issuer(), "auth0|ann").await;
        assert!(matches!(error, Err(RevocationError::Unavailable(_))), "{mode:?}");
        table.set_writes(mode);
        let writes = table.state().writes;
        until(|| async { table.state().writes > writes }).await;
        let reads = table.state().reads;
        let writes = table.state().writes;
        until(|| async { table.state().reads > reads + 10 }).await;
        assert!(code(&one.auth, &bob).await.is_ok(), "{mode:?}");
        let writes = table.state().writes - writes;
        assert!(mode != Mode::Hangs || writes < 5, "{writes}: reads wait for writes");
        table.set_writes(Mode::Works);
        let ann = tenant.token().subject("auth0|ann");
        until(|| async {
            tenant.clock().advance(Duration::from_millis(100));
            code(&two.auth, &ann.mint()).await.err() == Some(ErrorCode::TokenRevoked)
        })
        .await;
    }
}

#[tokio::test]
async fn a_service_can_go_on_without_the_store() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let choice = OnUnavailable::Accept;
    let revocations = Revocations::with_store(table.clone()).on_unavailable(choice);
    let auth = tenant.builder().revocations(&revocations).build().unwrap();
    revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
    let ann = tenant.token().subject("auth0|ann");
    table.set(Mode::Fails);
    tenant.clock().advance(Duration::from_millis(1500));
    assert!(!is_revoked(&auth, &tenant.token().subject("auth0|bob")).await);
    assert!(is_revoked(&auth, &ann).await, "it is known");
}

/// In a process of its own, because a store that blocks its thread does so for all others.
#[test]
fn a_service_can_go_on_without_a_store_that_blocks() {
    let mut test = test_in_a_process(module_path!(), "the_process_of_a_store_that_blocks");
    assert!(test.env(IS_CHILD, "yes").status().unwrap().success());
}

const IS_CHILD: &str = "TEST_STORE_THAT_BLOCKS";

#[test]
fn the_process_of_a_store_that_blocks() {
    if std::env::var(IS_CHILD).is_err() {
        return;
    }
    let done = std::thread::spawn(|| {
        let (tenant, table) = (Tenant::new(), Table::default());
        let accepting =
            Revocations::with_store(table.clone()).on_unavailable(OnUnavailable::Accept);
        let accepts = tenant.builder().revocations(&accepting).build().unwrap();
        let refuses = instance(&tenant, &table).auth;
        let token = tenant.token().mint();
        assert!(block_on(code(&accepts, &token)).is_ok());
        assert!(block_on(code(&refuses, &token)).is_ok());
        table.set(Mode::Blocks);
        while !table.state().is_blocked {
            std::thread::yield_now();
        }
        tenant.clock().advance(2 * SECOND);
        for _ in 0..3 {
            assert!(block_on(code(&accepts, &token)).is_ok());
            let refused = block_on(code(&refuses, &token)).unwrap_err();
            assert_eq!(refused, ErrorCode::RevocationsUnavailable);
        }
    });
    let began = Instant::now();
    while !done.is_finished() {
        assert!(began.elapsed() < 20 * SECOND, "a request waits without end");
        std::thread::yield_now();
    }
    done.join().unwrap();
}

#[tokio::test]
async fn what_the_store_loses_instances_know_and_write_back() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let [one, two] = [instance(&tenant, &table), instance(&tenant, &table)];
    let users: Vec<_> = (0..25).map(|number| format!("auth0|{number}")).collect();
    for user in &users {
        one.revocations.revoke_subject(tenant.issuer(), user).await.unwrap();
    }
    let last = || tenant.token().subject(users.last().unwrap());
    let first = last();
    until(|| is_revoked(&two.auth, &first)).await;
    table.lose();
    assert!(is_revoked(&one.auth, &first).await && is_revoked(&two.auth, &first).await);
    until(|| async { table.state().rows.len() >= users.len() }).await;
    let three = instance(&tenant, &table);
    for user in &users {
        assert!(is_revoked(&three.auth, &tenant.token().subject(user)).await, "{user}");
    }
    assert!(is_revoked(&two.auth, &last()).await);
}

#[tokio::test]
async fn an_instance_without_room_refuses_all() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let one = instance(&tenant, &table);
    let small = Revocations::with_store(table.clone()).capacity(3);
    let auth = tenant.builder().revocations(&small).build().unwrap();
    for number in 0..5 {
        one.revocations.revoke_subject(tenant.issuer(), format!("auth0|{number}")).await.unwrap();
    }
    let token = tenant.token().subject("auth0|9").mint();
    let is_unavailable = || async {
        code(&auth, &token).await.is_err_and(|code| code == ErrorCode::RevocationsUnavailable)
    };
    until(is_unavailable).await;
}

#[tokio::test]
async fn the_store_is_read_while_there_is_a_verifier_and_no_longer() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let one = instance(&tenant, &table);
    let token = code(&one.auth, &tenant.token().mint()).await.unwrap();
    let reads = table.state().reads;
    until(|| async { table.state().reads > reads }).await;
    drop(one);
    // A token that an application keeps does not keep the store being read.
    until(|| async { Arc::strong_count(&table.0) == 1 }).await;
    assert!(!token.is_revoked());
}

#[tokio::test]
async fn a_revocation_may_end_before_the_last_token() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let one = instance(&tenant, &table);
    let token = tenant.token().claim("jti", "t1").expires_in(Duration::from_secs(60)).mint();
    let verified = code(&one.auth, &token).await.unwrap();
    let revocation = Revocation::token(tenant.issuer(), "t1").until(verified.expires_at());
    one.revocations.revoke(revocation).await.unwrap();
    assert_eq!(code(&one.auth, &token).await.unwrap_err(), ErrorCode::TokenRevoked);
    let kept = table.state().rows.last().unwrap().expires_at;
    let end = verified.expires_at().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((end..end + 120).contains(&u64::from(kept)), "{kept} {end}");
}

/// Of two revocations of the same, the later end counts, at all instances.
#[tokio::test]
async fn a_later_end_reaches_the_store() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let one = instance(&tenant, &table);
    let now = UNIX_EPOCH + tenant.clock().unix_time();
    let ends = |until: &[Duration]| {
        let kept: Vec<_> = table.state().rows.iter().map(|row| row.expires_at).collect();
        let expected = until.iter().map(|life| tenant.clock().unix_time() + *life + MINUTE);
        let expected: Vec<_> = expected.map(|end| u32::try_from(end.as_secs()).unwrap()).collect();
        assert_eq!(kept, expected);
    };
    let revoke = |id: &str, life: Duration| {
        one.revocations.revoke(Revocation::token(tenant.issuer(), id).until(now + life))
    };
    for life in [MINUTE, HOUR, MINUTE] {
        revoke("t1", life).await.unwrap();
    }
    ends(&[MINUTE, HOUR]);
    // The same while the store cannot be written.
    table.set_writes(Mode::Fails);
    for life in [HOUR, MINUTE] {
        assert!(revoke("t2", life).await.is_err());
    }
    table.set_writes(Mode::Works);
    until(|| async { table.state().rows.len() > 2 }).await;
    ends(&[MINUTE, HOUR, HOUR]);
}
