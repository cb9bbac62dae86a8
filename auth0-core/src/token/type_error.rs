//! The refusal of claims that do not have the application's type. serde's errors may quote the token, so only
//! the claim's name and the expected type are taken from them.
use super::payload_text::invalid;
use crate::{error::Error, jose::json, telemetry::Escaped};

/// Returns the refusal. `claim` is the name of the claim that was read; `None` for the whole payload.
pub(super) fn type_error<T>(why: &serde_json::Error, json: &str, claim: Option<&str>) -> Error {
    let type_name = std::any::type_name::<T>();
    let text = why.to_string();
    let claim = claim.map(str::to_owned).or_else(|| claim_at(offset(why, json), json));
    if let Some(field) = missing_field(&text) {
        let seen = match claim {
            None => format!("the token has no claim {field:?}"),
            Some(claim) => format!("the claim {} has no member {field:?}", Escaped(&claim)),
        };
        return invalid(seen).expecting(format!("it, for the type {type_name}")).advising(format!(
            "Let an Action or the provider write it into access tokens, or mark the field {field} with \
             #[serde(default)] or as Option"
        ));
    }
    let seen = match claim {
        Some(claim) => format!("the claim {} has another type", Escaped(&claim)),
        None => "the claims have another type".to_owned(),
    };
    let expected = match expected_type(&text) {
        Some(expected) => format!("{} for the type {type_name}", cut(expected)),
        None => format!("what the type {type_name} reads"),
    };
    invalid(seen).expecting(expected).advising(
        "Let the Action or the provider write the claim in this type, or change the type of the field",
    )
}

/// Returns the field of the application's type that the claims lack.
fn missing_field(text: &str) -> Option<&str> {
    text.strip_prefix("missing field `")?.split('`').next()
}

/// Returns the type that serde expected. It is the last part of the text; the part before it quotes the value.
fn expected_type(text: &str) -> Option<&str> {
    let is_standard = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    if !is_standard.iter().any(|start| text.starts_with(start)) {
        return None;
    }
    let (_, expected) = text.rsplit_once(", expected ")?;
    Some(expected.rsplit_once(" at line ").map_or(expected, |(expected, _)| expected))
}

/// Returns the claim whose value is at an offset.
fn claim_at(offset: usize, payload: &str) -> Option<String> {
    let mut found = None;
    json::check_object(payload, |name, value| {
        let value = value.raw();
        let start = (value.as_ptr() as usize).wrapping_sub(payload.as_ptr() as usize);
        if start <= offset && offset <= start.saturating_add(value.len()) {
            found = Some(name.to_owned());
        }
    })
    .ok()?;
    found
}

/// Returns the number of bytes before the error. serde counts lines, and the columns of a line, from one.
fn offset(why: &serde_json::Error, json: &str) -> usize {
    let lines = json.split_inclusive('\n').take(why.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>().saturating_add(why.column())
}

fn cut(text: &str) -> String {
    let escaped = Escaped(text).to_string();
    // The text comes from the application's type, so quotation marks would only be in the way.
    escaped.trim_matches('"').to_owned()
}
