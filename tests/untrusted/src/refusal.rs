//! What every refusal must be: of a code that this input may lead to, the same for each input of that code, and
//! fit for the wire.
use auth0_core::{Error, ErrorCode};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex},
};

/// The bodies that were seen: one for each code, because a body quotes nothing of a request.
static BODIES: LazyLock<Mutex<HashMap<ErrorCode, Vec<u8>>>> = LazyLock::new(Mutex::default);

/// Checks a refusal, and returns its code.
pub(crate) fn check(error: &Error, expected: &[ErrorCode]) -> ErrorCode {
    let code = error.code();
    assert!(expected.contains(&code), "{error:?}");
    let challenge = error.challenge();
    assert_eq!(challenge.status(), code.status());
    for (name, value) in challenge.headers() {
        assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}: {value:?}");
    }
    let body: Value = serde_json::from_slice(challenge.body()).expect("the body is JSON");
    assert_eq!(body["error_code"], code.as_str());
    let mut bodies = BODIES.lock().unwrap();
    let known = bodies.entry(code).or_insert_with(|| challenge.body().to_vec());
    assert_eq!(known, challenge.body(), "{code:?}");
    code
}
