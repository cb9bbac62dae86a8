//! The targets on generated input: their seeds, seeds that are altered in a few places, pieces in any order, and
//! any bytes. Each run makes the same inputs.
use auth0_core::ErrorCode::*;
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use untrusted_input::{TARGETS, Target, Verdict};

/// Far more than any input needs. Work that grows with the square of the size needs more.
const LIMIT: Duration = Duration::from_secs(5);
const LONG: usize = 32 * 1024;

/// Runs a target, and checks that the inputs have led to each of these verdicts.
fn check(name: &str, cases: u32, expected: &[Verdict]) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut count = |verdict: Verdict| *seen.entry(format!("{verdict:?}")).or_default() += 1;
    for seed in (target.seeds)() {
        count((target.run)(&seed));
    }
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    for _ in 0..cases {
        let input = input(target).new_tree(&mut runner).unwrap().current();
        count((target.run)(&input));
    }
    for verdict in expected {
        assert!(seen.contains_key(&format!("{verdict:?}")), "{verdict:?} is not reached: {seen:?}");
    }
    long(target);
}

/// Runs a target on long inputs, one for each piece.
fn long(target: &Target) {
    for piece in target.pieces {
        let began = Instant::now();
        let _ = (target.run)(piece.repeat(LONG / piece.len()).as_bytes());
        assert!(began.elapsed() < LIMIT, "{piece:?} took {:?}", began.elapsed());
    }
}

fn input(target: &Target) -> impl Strategy<Value = Vec<u8>> + use<> {
    prop_oneof![
        10 => altered(target),
        2 => vec(select(target.pieces), 0..24).prop_map(|pieces| pieces.concat().into_bytes()),
        1 => vec(any::<u8>(), 0..96),
    ]
}

/// A change at a place, which is a fraction of the length.
#[derive(Clone, Debug)]
enum Change {
    Byte(f64, u8),
    Insert(f64, Vec<u8>),
    Remove(f64, usize),
    /// Replaces a word: a quoted text, or letters and digits.
    Word(f64, Vec<u8>),
    /// Continues as another seed from its middle.
    Join(f64, Vec<u8>),
}

fn altered(target: &Target) -> impl Strategy<Value = Vec<u8>> + use<> {
    let seeds = (target.seeds)();
    let place = 0.0..1.0_f64;
    let change = prop_oneof![
        4 => (place.clone(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        4 => (place.clone(), select(target.pieces))
            .prop_map(|(at, piece)| Change::Insert(at, piece.as_bytes().to_vec())),
        2 => (place.clone(), 1..24_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        16 => (place.clone(), select(target.pieces))
            .prop_map(|(at, piece)| Change::Word(at, piece.as_bytes().to_vec())),
        1 => (place, select(seeds.clone())).prop_map(|(at, seed)| Change::Join(at, seed)),
    ];
    (select(seeds), vec(change, 1..3)).prop_map(|(mut input, changes)| {
        for change in changes {
            apply(&mut input, change);
        }
        input
    })
}

fn apply(input: &mut Vec<u8>, change: Change) {
    let place = |at: f64| (at * input.len() as f64) as usize;
    match change {
        Change::Byte(at, byte) => {
            let place = place(at);
            if let Some(old) = input.get_mut(place) {
                *old = byte;
            }
        }
        Change::Insert(at, piece) => {
            let place = place(at);
            drop(input.splice(place..place, piece));
        }
        Change::Remove(at, length) => {
            let place = place(at);
            let end = input.len().min(place + length);
            drop(input.drain(place..end));
        }
        Change::Word(at, piece) => {
            let words = words(input);
            if let Some((begin, end)) = words.get((at * words.len() as f64) as usize) {
                drop(input.splice(*begin..*end, piece));
            }
        }
        Change::Join(at, seed) => {
            input.truncate(place(at));
            input.extend_from_slice(&seed[seed.len() / 2..]);
        }
    }
}

/// Returns where the words of an input are.
fn words(input: &[u8]) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut begin = 0;
    while begin < input.len() {
        let rest = &input[begin..];
        let quoted = rest.strip_prefix(b"\"").and_then(|rest| rest.iter().position(|b| *b == b'"'));
        let plain = rest.iter().position(|b| !b.is_ascii_alphanumeric() && !b"-_.+".contains(b));
        let length = match (quoted, plain) {
            (Some(end), _) => end + 2,
            (None, Some(end)) => end,
            (None, None) => rest.len(),
        };
        if length > 0 {
            words.push((begin, begin + length));
        }
        begin += length.max(1);
    }
    words
}

#[test]
fn credentials() {
    check(
        "credentials",
        1200,
        &[
            Ok(()),
            Err(TokenMissing),
            Err(SchemeUnsupported),
            Err(RequestMalformed),
            Err(TokenMalformed),
            Err(TokenOpaque),
            Err(AlgorithmUnsupported),
            Err(KeyUnknown),
            Err(SignatureInvalid),
            Err(TokenExpired),
            Err(DpopProofMissing),
        ],
    );
}

#[test]
fn jws() {
    check(
        "jws",
        3000,
        &[
            Ok(()),
            Err(TokenMalformed),
            Err(TokenOpaque),
            Err(AlgorithmUnsupported),
            Err(KeyUnknown),
            Err(SignatureInvalid),
            Err(IssuerMismatch),
            Err(AudienceMismatch),
            Err(TokenExpired),
            Err(TokenNotYetValid),
            Err(ClaimsInvalid),
            Err(TokenTypeInvalid),
            Err(TokenBindingMismatch),
        ],
    );
}

#[test]
fn key_set() {
    check("key_set", 800, &[Ok(()), Err(KeysUnavailable), Err(KeyUnknown)]);
}

#[test]
fn metadata() {
    check("metadata", 1000, &[Ok(()), Err(KeysUnavailable)]);
}

#[test]
fn proof() {
    check("proof", 1200, &[Ok(()), Err(DpopProofInvalid), Err(TokenBindingMismatch)]);
}

#[test]
fn htu() {
    check("htu", 1500, &[Ok(()), Err(DpopProofInvalid)]);
}

#[test]
fn forwarded() {
    check("forwarded", 500, &[Ok(()), Err(DpopProofInvalid)]);
}

#[test]
fn certificates() {
    check("certificates", 1500, &[Ok(()), Err(TokenBindingMismatch)]);
}

#[test]
fn mcp() {
    check("mcp", 6000, &[Ok(()), Err(InsufficientScope), Err(McpHeaderMismatch)]);
}
