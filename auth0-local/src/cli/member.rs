//! Arguments of the form `NAME=JSON`.
use serde_json::Value;

/// Parses a member of a payload or a JOSE header: `NAME=JSON`.
pub(super) fn member(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, json)) if !name.is_empty() => {
            let value = serde_json::from_str(json)
                .map_err(|_| format!("{json} is not JSON. Put text in quotes: '{name}=\"…\"'"))?;
            Ok((name.into(), value))
        }
        _ => Err("the name is missing. Write NAME=JSON, for example plan='\"pro\"'".into()),
    }
}
