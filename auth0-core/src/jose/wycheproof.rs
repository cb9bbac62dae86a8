//! The vectors of Wycheproof, by the code that verifies tokens: keys are read from a JWK, as those of an issuer.
//!
//! The vectors sign messages that are not the text of a JWS, so they enter below its parser: with the message and
//! the decoded signature.
use super::{Algorithm, AlgorithmSet, Message, VerifyingKey, jwk::JwkOrigin};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wycheproof::{
    EllipticCurve, HashFunction, Mgf, TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify,
};

/// What has become of the vectors.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    accepted: usize,
    refused: usize,
    /// Vectors that are not used, by the reason.
    excluded: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// Verifies a vector.
    fn check(
        &mut self,
        key: &Result<VerifyingKey, &'static str>,
        algorithm: Algorithm,
        (message, signature): (&[u8], &[u8]),
        expected: bool,
        name: &str,
    ) {
        let key = match key {
            Ok(key) => key.for_algorithm(algorithm).expect("a key for the algorithm"),
            Err(why) => return self.exclude(why, 1),
        };
        // With and without the hash of the whole token, as the pipeline asks for it.
        let [one, two] = [false, true].map(|has_token_hash| {
            key.verifies(&Message::new(message, algorithm, has_token_hash), signature)
        });
        assert_eq!(one, two, "{name}");
        assert_eq!(one, expected, "{name}");
        *(if one { &mut self.accepted } else { &mut self.refused }) += 1;
    }

    fn exclude(&mut self, why: &'static str, vectors: usize) {
        *self.excluded.entry(why).or_default() += vectors;
    }

    #[track_caller]
    fn is(&self, accepted: usize, refused: usize, excluded: &[(&'static str, usize)]) {
        let expected = Self { accepted, refused, excluded: excluded.iter().copied().collect() };
        assert_eq!(*self, expected);
    }
}

fn key(jwk: &Value, algorithm: Algorithm) -> Result<VerifyingKey, &'static str> {
    let allowed = AlgorithmSet::from_iter([algorithm]);
    VerifyingKey::from_jwk(&jwk.to_string(), allowed, JwkOrigin::Configured)
        .map_err(|why| why.reason)
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns whether a signature is good. Those that Wycheproof calls acceptable are not: their encoding differs
/// from that of the standard.
const fn must_verify(result: TestResult) -> bool {
    matches!(result, TestResult::Valid)
}

const OTHER_HASH: &str = "JOSE has no algorithm with this hash";

#[test]
fn rsa_pkcs1() {
    let mut tally = Tally::default();
    for set in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => Algorithm::RS256,
                HashFunction::Sha2_384 => Algorithm::RS384,
                HashFunction::Sha2_512 => Algorithm::RS512,
                _ => {
                    tally.exclude(OTHER_HASH, group.tests.len());
                    continue;
                }
            };
            let (n, e) = (base64(&group.key.n), base64(&group.key.e));
            let key = key(&json!({ "kty": "RSA", "n": n, "e": e }), algorithm);
            for test in group.tests {
                let name = format!("{set:?} {}: {}", test.tc_id, test.comment);
                let vector = (&test.msg[..], &test.sig[..]);
                tally.check(&key, algorithm, vector, must_verify(test.result), &name);
            }
        }
    }
    tally.is(89, 3017, &[(OTHER_HASH, 3096)]);
}

#[test]
fn rsa_pss() {
    let mut tally = Tally::default();
    for set in rsa_pss_verify::TestName::all() {
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let (algorithm, salt) = match group.hash {
                HashFunction::Sha2_256 => (Algorithm::PS256, 32),
                HashFunction::Sha2_384 => (Algorithm::PS384, 48),
                HashFunction::Sha2_512 => (Algorithm::PS512, 64),
                _ => {
                    tally.exclude(OTHER_HASH, group.tests.len());
                    continue;
                }
            };
            // RFC 7518 §3.5: MGF1 with the hash of the signature, and a salt as long as the hash. Good
            // signatures with others must be refused.
            let is_mgf = group.mgf == Mgf::Mgf1 && group.mgf_hash == Some(group.hash);
            let right_salt = format!("s_len changed to {salt}");
            let (n, e) = (base64(&group.key.n), base64(&group.key.e));
            let key = key(&json!({ "kty": "RSA", "n": n, "e": e }), algorithm);
            for test in group.tests {
                let name = format!("{set:?} {}: {}", test.tc_id, test.comment);
                let expected = match (is_mgf, group.salt_size == salt) {
                    (true, true) => must_verify(test.result),
                    // Bad for the group, and good here.
                    (true, false) => test.comment == right_salt,
                    (false, _) => false,
                };
                tally.check(&key, algorithm, (&test.msg, &test.sig), expected, &name);
            }
        }
    }
    tally.is(777, 1429, &[(OTHER_HASH, 1291)]);
}

#[test]
fn ecdsa_p1363() {
    let mut tally = Tally::default();
    for set in ecdsa::TestName::all() {
        let is_fixed = format!("{set:?}").ends_with("P1363");
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let (algorithm, name) = match (is_fixed, group.key.curve, group.hash) {
                (false, ..) => {
                    tally.exclude("JOSE has no signatures in DER", group.tests.len());
                    continue;
                }
                (true, EllipticCurve::Secp256r1, HashFunction::Sha2_256) => {
                    (Algorithm::ES256, "P-256")
                }
                (true, EllipticCurve::Secp384r1, HashFunction::Sha2_384) => {
                    (Algorithm::ES384, "P-384")
                }
                (true, EllipticCurve::Secp521r1, HashFunction::Sha2_512) => {
                    tally.exclude("ES512 is not supported", group.tests.len());
                    continue;
                }
                _ => {
                    tally.exclude(
                        "JOSE has no algorithm with this curve and hash",
                        group.tests.len(),
                    );
                    continue;
                }
            };
            let (x, y) = group.key.key[1..].split_at((group.key.key.len() - 1) / 2);
            let jwk = json!({ "kty": "EC", "crv": name, "x": base64(x), "y": base64(y) });
            let key = key(&jwk, algorithm);
            for test in group.tests {
                let name = format!("{set:?} {}: {}", test.tc_id, test.comment);
                let vector = (&test.msg[..], &test.sig[..]);
                tally.check(&key, algorithm, vector, must_verify(test.result), &name);
            }
        }
    }
    tally.is(
        366,
        176,
        &[
            ("ES512 is not supported", 318),
            ("JOSE has no algorithm with this curve and hash", 6688),
            ("JOSE has no signatures in DER", 22_355),
        ],
    );
}

#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for set in eddsa::TestName::all() {
        for group in eddsa::TestSet::load(set).unwrap().test_groups {
            if !matches!(set, eddsa::TestName::Ed25519) {
                tally.exclude("Ed448 is not supported", group.tests.len());
                continue;
            }
            let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(&group.key.pk) });
            let key = key(&jwk, Algorithm::EdDSA);
            for test in group.tests {
                let name = format!("{}: {}", test.tc_id, test.comment);
                let vector = (&test.msg[..], &test.sig[..]);
                tally.check(&key, Algorithm::EdDSA, vector, must_verify(test.result), &name);
            }
        }
    }
    tally.is(88, 63, &[("Ed448 is not supported", 87)]);
}
