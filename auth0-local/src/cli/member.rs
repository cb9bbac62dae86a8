use serde_json::Value;

/// A member of a payload or a header: `NAME=JSON`.
pub(super) fn member(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, json)) if !name.is_empty() => {
            let value = serde_json::from_str(json).map_err(|_| {
                format!("{json} is not JSON. Text stands in quotes: '{name}=\"…\"'")
            })?;
            Ok((name.into(), value))
        }
        _ => Err("there is no name in it. Write NAME=JSON, for example plan='\"pro\"'".into()),
    }
}
