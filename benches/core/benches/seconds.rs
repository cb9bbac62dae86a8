//! Seconds, by hand: `cargo bench -p core-benches --bench seconds`. On one thread and on two, because
//! what threads contend for shows only there. Compare within one run only.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]
mod common;

use auth0_core::Auth0;
use common::{Bound, Fixture, Forged, Signing, authenticate, refuse};
use divan::{Bencher, black_box};
use std::sync::atomic::{AtomicUsize, Ordering};

fn main() {
    divan::main();
}

#[divan::bench(args = Signing::ALL)]
fn floor(bencher: Bencher<'_, '_>, signing: Signing) {
    let floor = Fixture::new(signing).floor(0);
    bencher.bench_local(|| floor.verify());
}

#[divan::bench(args = Signing::ALL)]
fn cold(bencher: Bencher<'_, '_>, signing: Signing) {
    let fixture = Fixture::new(signing);
    let (auth, header) = (fixture.verifier(0), fixture.header(0, 0));
    bencher.bench_local(|| authenticate(&auth, &header));
}

/// Tokens that nothing has signed, whose content makes work.
#[divan::bench(args = Forged::ALL)]
fn forged(bencher: Bencher<'_, '_>, forged: Forged) {
    let fixture = Fixture::new(Signing::Rs256);
    let (auth, header) = (fixture.verifier_with_fixed_keys(), fixture.forged(forged));
    bencher.bench_local(|| refuse(&auth, &header));
}

#[divan::bench(args = Signing::ALL)]
fn hot(bencher: Bencher<'_, '_>, signing: Signing) {
    let fixture = Fixture::new(signing);
    let (auth, header) = (fixture.verifier(10_000), fixture.header(0, 0));
    authenticate(&auth, &header);
    bencher.bench_local(|| authenticate(&auth, &header));
}

/// A token that names all that can be revoked, and revocations of others: none, or 100,000 of subjects and one of each
/// other kind. The token is verified each time, or remembered.
#[divan::bench(args = [(0, 0), (0, 100_000), (10_000, 0), (10_000, 100_000)])]
fn revocable(bencher: Bencher<'_, '_>, (token_cache, revocations): (usize, usize)) {
    let fixture = Fixture::new(Signing::Rs256);
    let auth = fixture.verifier_with_all_kinds(token_cache, revocations);
    let header = fixture.header_with_all_names();
    authenticate(&auth, &header);
    bencher.bench_local(|| authenticate(&auth, &header));
}

/// The check of such a token alone. What a request pays for revocations is the difference to none.
#[divan::bench(args = [(0, 0), (0, 100_000), (10_000, 0), (10_000, 100_000)])]
fn revocation_check(bencher: Bencher<'_, '_>, (token_cache, revocations): (usize, usize)) {
    let fixture = Fixture::new(Signing::Rs256);
    let auth = fixture.verifier_with_all_kinds(token_cache, revocations);
    let token = fixture.verified(&auth, &fixture.header_with_all_names());
    assert!(!token.is_revoked());
    bencher.bench_local(|| black_box(&token).is_revoked());
}

/// The signature checks of a token and of its proof.
#[divan::bench(sample_count = 200, sample_size = 100)]
fn dpop_floor_both(bencher: Bencher<'_, '_>) {
    let (token, proof) = Bound::new(0).floors();
    bencher.bench_local(|| {
        token.verify();
        proof.verify();
    });
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn dpop_floor_proof(bencher: Bencher<'_, '_>) {
    let (_, proof) = Bound::new(0).floors();
    bencher.bench_local(|| proof.verify());
}

/// Each proof is a new one. The token is verified each time, or remembered.
#[divan::bench(sample_count = 200, sample_size = 100, args = [0, 10_000])]
fn dpop(bencher: Bencher<'_, '_>, token_cache: usize) {
    let bound = Bound::new(token_cache);
    let proofs: Vec<Vec<u8>> = (0..20_100).map(|_| bound.proof()).collect();
    let mut proofs = proofs.iter();
    bencher.bench_local(|| bound.authenticate(proofs.next().unwrap()));
}

/// Each token comes again after all others.
#[divan::bench]
fn hot_2048_in_rotation(bencher: Bencher<'_, '_>) {
    let fixture = Fixture::new(Signing::Rs256);
    let auth = fixture.verifier(10_000);
    let headers: Vec<Vec<u8>> = (0..2048).map(|number| fixture.header(number, 0)).collect();
    headers.iter().for_each(|header| authenticate(&auth, header));
    let mut headers = headers.iter().cycle();
    bencher.bench_local(|| authenticate(&auth, headers.next().unwrap()));
}

/// Tokens that come for the first time: to a cache that is full, and to one so small that it stays
/// in the processor's, which shows what the memory costs.
#[divan::bench(sample_count = 20, sample_size = 1000, args = [0, 100, 10_000])]
fn new_by_cache(bencher: Bencher<'_, '_>, token_cache: usize) {
    let fixture = Fixture::new(Signing::Rs256);
    let auth = fixture.verifier(token_cache);
    let headers: Vec<Vec<u8>> = (0..32_000).map(|number| fixture.header(number, 0)).collect();
    let mut headers = headers.iter().cycle();
    for _ in 0..12_000 {
        authenticate(&auth, headers.next().unwrap());
    }
    bencher.bench_local(|| authenticate(&auth, headers.next().unwrap()));
}

#[divan::bench(args = [1, 10, 100])]
fn cold_by_keys(bencher: Bencher<'_, '_>, keys: usize) {
    let fixture = Fixture::with_keys(Signing::Rs256, keys);
    let (auth, header) = (fixture.verifier(0), fixture.header(0, 0));
    bencher.bench_local(|| authenticate(&auth, &header));
}

#[divan::bench(threads = [1, 2])]
fn floor_by_threads(bencher: Bencher<'_, '_>) {
    let floor = Fixture::new(Signing::Rs256).floor(0);
    bencher.bench(|| floor.verify());
}

/// What threads that share a verifier pay for it, and what they pay for the machine: those with
/// verifiers of their own share nothing else.
#[divan::bench(threads = [1, 2], args = [Sharing::Nothing, Sharing::Verifier, Sharing::Token])]
fn cold_by_threads(bencher: Bencher<'_, '_>, sharing: Sharing) {
    by_threads(bencher, sharing, 0);
}

#[divan::bench(threads = [1, 2], args = [Sharing::Nothing, Sharing::Verifier, Sharing::Token])]
fn hot_by_threads(bencher: Bencher<'_, '_>, sharing: Sharing) {
    by_threads(bencher, sharing, 10_000);
}

#[derive(Clone, Copy, Debug)]
enum Sharing {
    Nothing,
    Verifier,
    /// As the threads do that serve one busy client.
    Token,
}

fn by_threads(bencher: Bencher<'_, '_>, sharing: Sharing, token_cache: usize) {
    let fixture = Fixture::new(Signing::Rs256);
    let workers: Vec<(Auth0, Vec<u8>)> = (0..2)
        .map(|worker| {
            let number = if matches!(sharing, Sharing::Token) { 0 } else { worker };
            (fixture.verifier(token_cache), fixture.header(number, 0))
        })
        .collect();
    // Which worker a thread takes is decided once, outside of what is measured.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static LANE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % 2);
    for (auth, _) in &workers {
        workers.iter().for_each(|(_, header)| authenticate(auth, header));
    }
    bencher.bench(|| {
        let worker = LANE.with(|worker| *worker);
        let auth = if matches!(sharing, Sharing::Nothing) { worker } else { 0 };
        authenticate(&workers[auth].0, &workers[worker].1);
    });
}
