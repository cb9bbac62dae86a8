//! Bodies and queries of clients.
use super::{body::object, refusal::Refusal};
use axum::http::{HeaderMap, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

/// Reads a body in JSON or as a form. `wanted` names the parameters in the refusal of another body.
pub(super) fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
    wanted: &str,
) -> Result<T, Refusal> {
    let media_type = media_type(headers);
    let parsed = if media_type.eq_ignore_ascii_case("application/json") {
        object(body)
    } else if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        serde_json::from_value(Value::Object(form(body)?))
    } else {
        return Err(Refusal::invalid_request(
            "the body must be application/json or application/x-www-form-urlencoded. Send \
             its type in Content-Type",
        ));
    };
    parsed.map_err(|error| {
        Refusal::invalid_request(format!(
            "the body cannot be read: {error}. Send {wanted}, each once and as text"
        ))
    })
}

/// Returns the media type of a body, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

/// Parses a form into an object whose values are text.
fn form(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        if members.insert(name.clone().into_owned(), value.into()).is_some() {
            return Err(Refusal::invalid_request(format!("{name} is sent twice. Send it once")));
        }
    }
    Ok(members)
}

/// Treats a parameter without a value as omitted (RFC 6749 §3.2).
pub(super) fn non_empty(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}

/// The parameters of a browser's request, which may be repeated by mistake.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(super) fn of(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    pub(super) fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Sets a parameter, in the place of all values that it has.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// Returns the first value of a parameter that is not empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// Returns a parameter that has more than one value, if any.
    pub(super) fn repeated<'a>(&'a self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().copied().find(|name| self.values(name).nth(1).is_some())
    }

    /// Returns the values of a parameter that are not empty.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let is_value = move |(n, value): &&(String, String)| n == name && !value.is_empty();
        self.0.iter().filter(is_value).map(|(_, value)| value.as_str())
    }
}
