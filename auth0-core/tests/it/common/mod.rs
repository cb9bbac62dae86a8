//! Helpers that several rooms share. Each stands once.
mod background;
mod challenge;
pub(crate) mod client_certificate;
mod documents;
mod process;
mod property;
mod request;
mod signing_keys;
mod token_table;
mod verdict;

pub(crate) use background::{pass, settle, until};
pub(crate) use challenge::{header, retry_after, www_authenticate};
pub(crate) use documents::Documents;
pub(crate) use process::{is_alone, test_in_a_process};
pub(crate) use property::{cases, runtime};
pub(crate) use request::Request;
pub(crate) use signing_keys::{ED25519, P256, P384, RSA_1, RSA_2};
pub(crate) use token_table::{
    ACCEPTED, AUDIENCE, EXPIRY, Expected, ISSUER, Row, check, check_with, header_with, payload_with,
};
pub(crate) use verdict::{
    block_on, fetches, long_lived, poll_once, spawn_verdict, verdict, verdict_at_once,
    with_unknown_key,
};

use std::time::Duration;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);

/// The time at which the clock of a test tenant starts: 2026-01-01T00:00:00Z.
pub(crate) const NOW: u64 = 1_767_225_600;
