//! `authorization_details` (RFC 9396): what a user authorizes beyond scopes.
use serde_json::Value;

/// More than any request needs. They are kept with the tokens of the login.
const MAX_BYTES: usize = 8 * 1024;

/// Parses the parameter: a JSON array of objects with a type. The error says what is wrong.
pub(super) fn parsed(text: &str) -> Result<Value, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("authorization_details has more than {MAX_BYTES} bytes. Send less"));
    }
    let wanted = "Send a JSON array of objects, each with a type";
    let value: Value = serde_json::from_str(text)
        .map_err(|error| format!("authorization_details is not JSON: {error}. {wanted}"))?;
    let is_typed = |object: &Value| {
        object.get("type").and_then(Value::as_str).is_some_and(|it| !it.is_empty())
    };
    match value.as_array() {
        Some(objects) if !objects.is_empty() && objects.iter().all(is_typed) => Ok(value),
        _ => Err(format!("authorization_details is not such an array. {wanted}")),
    }
}
