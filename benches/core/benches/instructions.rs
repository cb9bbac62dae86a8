//! Instructions and allocations of one verification, counted by valgrind: they repeat, seconds do not.
//! `.ci/instructions` runs this and checks what each path may cost beyond the floor.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]
mod common;

use auth0_core::Auth0;
use common::{Bound, Fixture, Floor, Forged, Signing, authenticate, authenticate_sent, refuse};
use gungraun::{
    Callgrind, Dhat, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};

/// Given back by every benchmark, so that nothing is dropped while it is measured.
type Prepared = (Auth0, Vec<u8>);

/// Where allocations have a limit. To count them takes longer than to count instructions.
fn counting_allocations() -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    // The stack of each allocation, up to the benchmark. A shorter one would leave out allocations, depending on what
    // the compiler inlines.
    config.tool(Dhat::with_args(["--num-callers=100"]));
    config
}

fn floor_of(signing: Signing, more: usize) -> Floor {
    Fixture::new(signing).floor(more)
}

/// A token that was not seen before, and a verifier that remembers none.
fn cold_of(signing: Signing, keys: usize, more: usize) -> Prepared {
    let fixture = Fixture::with_keys(signing, keys);
    (fixture.verifier(0), fixture.header(0, more))
}

/// The same, of one of many issuers.
fn cold_among(issuers: usize) -> Prepared {
    let fixture = Fixture::new(Signing::Rs256);
    (fixture.verifier_with_issuers(0, issuers), fixture.header(0, 0))
}

/// A token that was verified before, of one of many issuers.
fn hot_among(issuers: usize) -> Prepared {
    let fixture = Fixture::new(Signing::Rs256);
    let prepared = (fixture.verifier_with_issuers(10_000, issuers), fixture.header(0, 0));
    authenticate(&prepared.0, &prepared.1);
    prepared
}

/// A token of an issuer that a resolver found, and the answers for so many hosts.
fn resolved_of(token_cache: usize, hosts: usize) -> Prepared {
    let fixture = Fixture::new(Signing::Rs256);
    let prepared = (fixture.verifier_with_resolver(token_cache, hosts), fixture.header(0, 0));
    if token_cache > 0 {
        authenticate_sent(&prepared.0, &prepared.1);
    }
    prepared
}

/// A token that was not seen before, and a verifier that will remember it.
fn new_of(signing: Signing) -> Prepared {
    let fixture = Fixture::new(signing);
    (fixture.verifier(10_000), fixture.header(0, 0))
}

/// A token that was verified before.
fn hot_of(signing: Signing, keys: usize, more: usize) -> Prepared {
    let fixture = Fixture::with_keys(signing, keys);
    let prepared = (fixture.verifier(10_000), fixture.header(0, more));
    authenticate(&prepared.0, &prepared.1);
    prepared
}

/// A token, and a verifier with so many revocations of others.
fn revocable_of(token_cache: usize, revocations: usize) -> Prepared {
    let fixture = Fixture::new(Signing::Rs256);
    let auth = fixture.verifier_with_revocations(token_cache, revocations);
    let prepared = (auth, fixture.header(0, 0));
    if token_cache > 0 {
        authenticate(&prepared.0, &prepared.1);
    }
    prepared
}

/// A token that names all that can be revoked, and a verifier with so many revocations of others, of all kinds.
fn revocable_of_all_kinds(token_cache: usize, revocations: usize) -> Prepared {
    let fixture = Fixture::new(Signing::Rs256);
    let auth = fixture.verifier_with_all_kinds(token_cache, revocations);
    let prepared = (auth, fixture.header_with_all_names());
    if token_cache > 0 {
        authenticate(&prepared.0, &prepared.1);
    }
    prepared
}

/// A forged token, and a verifier that remembers none.
fn forged_of(forged: Forged) -> Prepared {
    let fixture = Fixture::new(Signing::Rs256);
    (fixture.verifier_with_fixed_keys(), fixture.forged(forged))
}

/// A client whose token is bound to its key, and a proof that was not used before.
fn bound_of(token_cache: usize) -> (Bound, Vec<u8>) {
    let bound = Bound::new(token_cache);
    let proof = bound.fixed_proof();
    (bound, proof)
}

/// The signature checks of a token and of a proof.
fn floors_of() -> (Floor, Floor) {
    Bound::new(0).floors()
}

#[library_benchmark]
#[bench::rs256(args = (floor_of(Signing::Rs256, 0)), config = counting_allocations())]
#[bench::rs256_more(floor_of(Signing::Rs256, 4096))]
#[bench::rs256_most(floor_of(Signing::Rs256, 8192))]
#[bench::rs256_4096(floor_of(Signing::Rs256With4096Bits, 0))]
#[bench::ps256(floor_of(Signing::Ps256, 0))]
#[bench::es256(floor_of(Signing::Es256, 0))]
#[bench::eddsa(floor_of(Signing::EdDsa, 0))]
fn floor(floor: Floor) -> Floor {
    floor.verify();
    floor
}

#[library_benchmark]
#[bench::token(floor_of(Signing::Rs256, 0))]
fn tag(floor: Floor) -> Floor {
    floor.tag();
    floor
}

#[library_benchmark]
#[bench::rs256(args = (cold_of(Signing::Rs256, 1, 0)), config = counting_allocations())]
#[bench::rs256_100_keys(cold_of(Signing::Rs256, 100, 0))]
#[bench::rs256_more(cold_of(Signing::Rs256, 1, 4096))]
#[bench::rs256_most(cold_of(Signing::Rs256, 1, 8192))]
#[bench::rs256_4096(cold_of(Signing::Rs256With4096Bits, 1, 0))]
#[bench::ps256(cold_of(Signing::Ps256, 1, 0))]
#[bench::es256(cold_of(Signing::Es256, 1, 0))]
#[bench::eddsa(cold_of(Signing::EdDsa, 1, 0))]
#[bench::rs256_100_issuers(cold_among(100))]
#[bench::rs256_10000_issuers(cold_among(10_000))]
fn cold(prepared: Prepared) -> Prepared {
    authenticate(&prepared.0, &prepared.1);
    prepared
}

#[library_benchmark]
#[bench::rs256(args = (new_of(Signing::Rs256)), config = counting_allocations())]
fn new(prepared: Prepared) -> Prepared {
    authenticate(&prepared.0, &prepared.1);
    prepared
}

#[library_benchmark]
#[bench::rs256(args = (hot_of(Signing::Rs256, 1, 0)), config = counting_allocations())]
#[bench::rs256_100_keys(hot_of(Signing::Rs256, 100, 0))]
#[bench::rs256_most(hot_of(Signing::Rs256, 1, 8192))]
#[bench::rs256_100_issuers(hot_among(100))]
#[bench::rs256_10000_issuers(hot_among(10_000))]
fn hot(prepared: Prepared) -> Prepared {
    authenticate(&prepared.0, &prepared.1);
    prepared
}

#[library_benchmark]
#[bench::cold(args = (revocable_of(0, 100_000)), config = counting_allocations())]
#[bench::hot(args = (revocable_of(10_000, 100_000)), config = counting_allocations())]
#[bench::cold_without_any(revocable_of_all_kinds(0, 0))]
#[bench::cold_of_all_kinds(args = (revocable_of_all_kinds(0, 100_000)), config = counting_allocations())]
#[bench::hot_without_any(revocable_of_all_kinds(10_000, 0))]
#[bench::hot_of_all_kinds(args = (revocable_of_all_kinds(10_000, 100_000)), config = counting_allocations())]
fn revocable(prepared: Prepared) -> Prepared {
    authenticate(&prepared.0, &prepared.1);
    prepared
}

#[library_benchmark]
#[bench::cold(resolved_of(0, 1))]
#[bench::cold_100_issuers(resolved_of(0, 100))]
#[bench::cold_10000_issuers(resolved_of(0, 10_000))]
#[bench::hot(args = (resolved_of(10_000, 1)), config = counting_allocations())]
#[bench::hot_100_issuers(resolved_of(10_000, 100))]
#[bench::hot_10000_issuers(resolved_of(10_000, 10_000))]
fn resolved(prepared: Prepared) -> Prepared {
    authenticate_sent(&prepared.0, &prepared.1);
    prepared
}

#[library_benchmark]
#[bench::members(forged_of(Forged::Members))]
#[bench::fewer_members(forged_of(Forged::FewerMembers))]
#[bench::members_of_trusted_issuer(forged_of(Forged::MembersOfTrustedIssuer))]
#[bench::unknown_key(forged_of(Forged::UnknownKey))]
#[bench::other_algorithm(forged_of(Forged::OtherAlgorithm))]
#[bench::without_issuer(forged_of(Forged::WithoutIssuer))]
#[bench::escaped_members(forged_of(Forged::EscapedMembers))]
#[bench::objects(forged_of(Forged::Objects))]
#[bench::empty_objects(forged_of(Forged::EmptyObjects))]
#[bench::escaped_strings(forged_of(Forged::EscapedStrings))]
#[bench::numbers(forged_of(Forged::Numbers))]
fn forged(prepared: Prepared) -> Prepared {
    refuse(&prepared.0, &prepared.1);
    prepared
}

#[library_benchmark]
#[bench::proof(floors_of())]
fn floor_of_proof(floors: (Floor, Floor)) -> (Floor, Floor) {
    floors.1.verify();
    floors
}

#[library_benchmark]
#[bench::cold(args = (bound_of(0)), config = counting_allocations())]
#[bench::hot(args = (bound_of(10_000)), config = counting_allocations())]
fn dpop((bound, proof): (Bound, Vec<u8>)) -> (Bound, Vec<u8>) {
    bound.authenticate(&proof);
    (bound, proof)
}

library_benchmark_group!(
    name = verification,
    benchmarks = [floor, floor_of_proof, tag, cold, new, hot, resolved, revocable, forged, dpop]
);

main!(
    // Without its model of caches, which takes three times as long and changes no count of instructions.
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = verification
);
