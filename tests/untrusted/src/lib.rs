//! What holds for any input of a client or an issuer. Each target is a function that takes bytes, drives the
//! verifier through its public API, and panics if a rule is broken: an accepted token was signed and meets the
//! rules, a refusal has one of the documented codes and gives nothing away, a verdict is repeated.
//!
//! `tests/properties.rs` runs the targets on generated input. The packages in `fuzz/` run them under libFuzzer.
mod certificates;
mod credentials;
mod exchange;
mod forwarded;
mod htu;
pub mod json;
mod jws;
mod key_set;
mod mcp;
mod metadata;
mod proof;
mod refusal;
mod signer;
mod world;

use auth0_core::ErrorCode;

/// The verdict of a target, from which a test sees how deep an input has reached.
pub type Verdict = Result<(), ErrorCode>;

/// A function for any input, and what its inputs are made of.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name, as in `fuzz/fuzz_targets`.
    pub name: &'static str,
    /// Takes any bytes, and panics if a rule is broken.
    pub run: fn(&[u8]) -> Verdict,
    /// Returns inputs that reach deep: good ones, and those that nearly are.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// The pieces that the parsers look for.
    pub pieces: &'static [&'static str],
}

/// Every target.
pub const TARGETS: [Target; 9] = [
    credentials::TARGET,
    jws::TARGET,
    key_set::TARGET,
    metadata::TARGET,
    proof::TARGET,
    htu::TARGET,
    forwarded::TARGET,
    certificates::TARGET,
    mcp::TARGET,
];

/// Runs the target of this name.
///
/// # Panics
/// There is no such target, or the input breaks a rule.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a known name");
    let _ = (target.run)(input);
}

/// Splits an input into parts. A separator of `\n` is for header lines, which cannot contain it; one of `\0`
/// is for JSON.
fn parts(input: &[u8], separator: u8) -> Vec<&[u8]> {
    input.split(|byte| *byte == separator).collect()
}
