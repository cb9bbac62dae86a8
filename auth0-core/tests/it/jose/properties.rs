//! What holds for every input: nothing panics, and no altered token is accepted.
use crate::common::{ED25519, P256, cases, runtime};
use auth0_core::{Algorithm, Auth0, Error, adapter::RequestView};
use auth0_testing::{Profile, SigningKey, Tenant};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use std::cell::LazyCell;
use tokio::runtime::Runtime;

struct Kit {
    runtime: Runtime,
    tenant: Tenant,
    auth: Auth0,
}

impl Kit {
    /// Returns a tenant with one key of each kind, and a verifier that has fetched them.
    fn new() -> Self {
        let runtime = runtime();
        let tenant = Tenant::new();
        tenant.add_key(SigningKey::from_pkcs8(Algorithm::ES256, P256).unwrap());
        tenant.add_key(SigningKey::from_pkcs8(Algorithm::EdDSA, ED25519).unwrap());
        let auth = tenant.builder().algorithms(Algorithm::ALL).build().unwrap();
        runtime.block_on(auth.warm_up()).unwrap();
        Self { runtime, tenant, auth }
    }

    fn authenticate(&self, lines: &[impl AsRef<[u8]>]) -> Result<(), Error> {
        let request = RequestView::new().authorization(lines.iter().map(AsRef::as_ref));
        self.runtime.block_on(self.auth.authenticate(&request)).map(drop)
    }

    fn verify(&self, token: &[u8]) -> Result<(), Error> {
        self.authenticate(&[[b"Bearer ", token].concat()])
    }
}

thread_local! {
    static KIT: LazyCell<Kit> = LazyCell::new(Kit::new);
}

#[test]
fn every_change_of_one_byte_is_refused() {
    KIT.with(|kit| {
        for token in good_tokens(kit) {
            for position in 0..token.len() {
                let good = token[position];
                for other in (0..=u8::MAX).filter(|other| *other != good) {
                    let mut altered = token.clone();
                    altered[position] = other;
                    assert!(
                        kit.verify(&altered).is_err(),
                        "{other:#04x} at {position} of {}",
                        String::from_utf8_lossy(&token)
                    );
                }
            }
        }
    });
}

#[test]
fn every_insertion_and_removal_of_one_byte_is_refused() {
    KIT.with(|kit| {
        let token = good_tokens(kit).swap_remove(0);
        for position in 0..=token.len() {
            for byte in *b"A.=_ \t" {
                // More spaces after the scheme belong to the scheme (RFC 9110 §11.4), not to the token.
                if (position, byte) != (0, b' ') {
                    let mut longer = token.clone();
                    longer.insert(position, byte);
                    assert!(kit.verify(&longer).is_err(), "{byte:#04x} at {position}");
                }
            }
        }
        for position in 0..token.len() {
            let mut shorter = token.clone();
            shorter.remove(position);
            assert!(kit.verify(&shorter).is_err(), "without {position}");
        }
    });
}

#[test]
fn every_shorter_token_is_refused() {
    KIT.with(|kit| {
        for token in good_tokens(kit) {
            for length in 0..token.len() {
                assert!(kit.verify(&token[..length]).is_err(), "the first {length}");
                assert!(kit.verify(&token[length + 1..]).is_err(), "without {length}");
            }
        }
    });
}

#[test]
fn parts_of_two_good_tokens_do_not_fit_together() {
    KIT.with(|kit| {
        let tenant = Tenant::new();
        let one = tenant.token().subject("auth0|ann").mint();
        let two = tenant.token().profile(Profile::Rfc9068).subject("auth0|bob").mint();
        let (one, two): (Vec<_>, Vec<_>) = (one.split('.').collect(), two.split('.').collect());
        for choice in 0..8_usize {
            let parts: Vec<&str> =
                (0..3).map(|i| if choice >> i & 1 == 0 { one[i] } else { two[i] }).collect();
            let verdict = kit.verify(parts.join(".").as_bytes());
            assert_eq!(verdict.is_ok(), choice == 0 || choice == 7, "{choice:03b}: {verdict:?}");
        }
    });
}

/// Returns a good token of each kind of key.
fn good_tokens(kit: &Kit) -> Vec<Vec<u8>> {
    let mut tokens = Vec::new();
    for algorithm in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256] {
        let tenant = Tenant::new();
        if algorithm != Algorithm::RS256 {
            let der = if algorithm == Algorithm::EdDSA { ED25519 } else { P256 };
            tenant.add_key(SigningKey::from_pkcs8(algorithm, der).unwrap());
        }
        let token = tenant.token().mint().into_bytes();
        assert!(kit.verify(&token).is_ok(), "{algorithm}");
        tokens.push(token);
    }
    tokens
}

proptest! {
    #![proptest_config(cases(1500))]

    /// Every refusal has a challenge that can be sent.
    #[test]
    fn no_bytes_in_the_header_panic(
        lines in prop::collection::vec(
            prop_oneof![resembling(), prop::collection::vec(any::<u8>(), 0..64)], 0..3,
        ),
    ) {
        let error = KIT.with(|kit| kit.authenticate(&lines)).unwrap_err();
        let challenge = error.challenge();
        prop_assert!(matches!(challenge.status(), 400 | 401), "{error:?}");
        for (_, value) in challenge.headers() {
            prop_assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{value:?}");
        }
    }

    #[test]
    fn no_header_or_payload_panics(
        header in header(), payload in json(), signature in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let token = [encode(header.as_bytes()), encode(payload.as_bytes()), encode(&signature)];
        prop_assert!(KIT.with(|kit| kit.verify(token.join(".").as_bytes())).is_err());
    }

    /// With a good signature, every claim is read.
    #[test]
    fn no_signed_payload_panics(members in json()) {
        KIT.with(|kit| {
            let good = r#""iss":"https://tenant.test/","aud":"https://api.tenant.test","sub":"a","#;
            let rest = members.trim_start_matches('{');
            let token = kit.tenant.token().raw_payload(format!("{{{good}{rest}")).mint();
            let _ = kit.verify(token.as_bytes());
            let token = kit.tenant.token().raw_payload(members).mint();
            prop_assert!(kit.verify(token.as_bytes()).is_err());
            Ok(())
        })?;
    }
}

/// Returns text that resembles a header with a token.
fn resembling() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[Bb]earer {1,2}[A-Za-z0-9_.=-]{0,80}",
        "Bearer ([A-Za-z0-9_-]{0,20}\\.){2}[A-Za-z0-9_-]{0,20}",
        "(Bearer|DPoP|Basic)?[ ,=\"\t]{0,3}.{0,40}",
        "Bearer .{0,40}",
    ]
    .prop_map(String::into_bytes)
}

/// Returns objects that resemble headers and payloads, and text that is no JSON.
fn json() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("{}".to_owned()),
        Just("[[]]".to_owned()),
        "-?[0-9]{1,25}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?",
        "\"[^\"\\\\]{0,12}\"",
        "\"(\\\\u[0-9a-fA-F]{4}){0,4}\"",
        "\"https://tenant\\.test/\"",
        "\"(RS256|ES256|EdDSA|dir|none|at\\+jwt|test-rs256-1)\"",
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "alg", "kid", "typ", "crit", "iss", "aud", "exp", "nbf", "iat", "sub", "cnf", "azp",
        ])
        .prop_map(str::to_owned),
        "[a-z\\\\u0]{0,6}",
    ];
    prop_oneof![
        4 => prop::collection::vec((name, value), 0..8).prop_map(|members| {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        }),
        1 => "[\\[\\]{}\":,0-9a\\\\]{0,30}",
    ]
}

/// Returns a header that leads to a key, so that the payload is read.
fn header() -> impl Strategy<Value = String> {
    prop_oneof![Just(r#"{"alg":"RS256","kid":"test-rs256-1"}"#.to_owned()), json()]
}
