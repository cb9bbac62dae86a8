//! A JWS whose parts can be read. Nothing is verified.
use super::{moment, shown};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use std::time::Duration;

/// A compact JWS, split and decoded as far as that is possible.
pub(super) struct Decoded<'a> {
    /// As it was pasted.
    pub(super) text: &'a str,
    pub(super) header: Map<String, Value>,
    /// The JSON of the payload, if it is text.
    pub(super) payload: Option<String>,
    /// The claims, if the payload is a JSON object.
    pub(super) claims: Option<Map<String, Value>>,
}

impl<'a> Decoded<'a> {
    /// Decodes a text of three parts, of which the first is a JSON object. `None` for other texts.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.split('.');
        let (header, payload) = (parts.next()?, parts.next()?);
        let is_jws = parts.next().is_some() && parts.next().is_none();
        let header = is_jws.then(|| decode(header)).flatten()?;
        let payload = decode(payload);
        let claims = payload.as_deref().and_then(|json| serde_json::from_str(json).ok());
        Some(Self { text, header: serde_json::from_str(&header).ok()?, payload, claims })
    }

    /// Returns a member of the header that is text.
    pub(super) fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.get(name).filter(|value| !value.is_null())
    }

    /// Returns a claim that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.claim(name).and_then(Value::as_str)
    }

    /// Returns the texts of a claim that is one text or an array of them.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        match self.claim(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Describes a claim in a sentence.
    pub(super) fn described_claim(&self, name: &str) -> String {
        described(name, self.claim(name))
    }

    /// Describes a member of the header in a sentence.
    pub(super) fn described_header(&self, name: &str) -> String {
        described(name, self.header.get(name))
    }

    /// Describes a claim that is a time, with its distance from now.
    pub(super) fn described_time(&self, name: &str, now: Duration) -> String {
        match self.claim(name).and_then(|value| moment::of(value, now)) {
            Some(time) => format!("{name} is {time}"),
            None => self.described_claim(name),
        }
    }
}

fn described(name: &str, value: Option<&Value>) -> String {
    match value {
        Some(value) => format!("{name} is {}", shown::value(value)),
        None => format!("there is no {name}"),
    }
}

fn decode(part: &str) -> Option<String> {
    URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}
