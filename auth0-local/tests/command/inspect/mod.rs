//! `auth0-local inspect`.
mod access_tokens;
mod input;
mod issued;
mod output;
mod proofs;

use serde_json::Value;

/// Returns the names of the checks with this result.
fn with_result<'a>(report: &'a Value, result: &str) -> Vec<&'a str> {
    let checks = report["checks"].as_array().unwrap().iter();
    let of_result = checks.filter(|check| check["result"] == result);
    of_result.map(|check| check["check"].as_str().unwrap()).collect()
}

/// Returns a reason without the digits in it: seconds pass between two verifications.
fn undated(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_ascii_digit()).collect()
}
