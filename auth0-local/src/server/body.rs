//! JSON bodies of requests.
use serde::de::{DeserializeOwned, Error as _};

/// Parses a value from a JSON object. Rejects an array, whose elements serde would accept as the
/// members in order.
pub(super) fn object<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    if json.trim_ascii_start().first().is_some_and(|byte| *byte != b'{') {
        return Err(serde_json::Error::custom("it is not an object"));
    }
    serde_json::from_slice(json)
}
