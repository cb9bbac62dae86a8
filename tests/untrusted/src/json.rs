//! JSON as other readers see it: `serde_json` decides about the grammar.
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Returns whether an object at any depth has a member twice.
#[must_use]
pub fn has_duplicates(text: &str) -> bool {
    serde_json::from_str::<Unique>(text)
        .is_err_and(|error| error.to_string().starts_with(DUPLICATE))
}

/// Returns the scopes of a claim: a text, or a list of texts. Another value has none.
#[must_use]
pub fn scopes(claim: &Value) -> Vec<String> {
    let names: Vec<&str> = match claim {
        Value::String(text) => text.split(' ').collect(),
        Value::Array(all) => {
            all.iter().map(Value::as_str).collect::<Option<_>>().unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let is_one = |name: &&str| !name.is_empty() && !name.contains(' ');
    names.into_iter().filter(is_one).map(Into::into).collect()
}

/// Returns a document without the byte order mark that may be before it.
pub(crate) fn without_mark(document: &[u8]) -> &[u8] {
    document.strip_prefix("\u{feff}".as_bytes()).unwrap_or(document)
}

/// The members of an object, of which each is read by itself: a number beyond `f64` in another member does
/// not matter.
pub(crate) struct Object(BTreeMap<String, Box<RawValue>>);

impl Object {
    /// Reads an object. `None` if it is not JSON, not an object, or has a member twice.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        if has_duplicates(text) {
            return None;
        }
        serde_json::from_str(text).ok().map(Self)
    }

    /// Returns a member; null if it is absent.
    pub(crate) fn member(&self, name: &str) -> Value {
        let member = self.0.get(name);
        member.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns a string; empty if it is absent or of another type.
    pub(crate) fn text(&self, name: &str) -> String {
        self.member(name).as_str().unwrap_or_default().to_owned()
    }

    /// Returns a number, which may be infinite.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        let raw = self.0.get(name)?.get();
        raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then(|| raw.parse().ok())?
    }
}

/// Reads the members of an object that are used, also if another one occurs twice or is not UTF-8. `None` if one of
/// `used` occurs twice, or is no value.
pub(crate) fn members_used(bytes: &[u8], used: &[&str]) -> Option<Map<String, Value>> {
    let text = String::from_utf8_lossy(bytes);
    let is_spoilt = |part: &str| matches!(text, Cow::Owned(_)) && part.contains('\u{fffd}');
    let Members(all) = serde_json::from_str(&text).ok()?;
    let mut members = Map::new();
    for (name, raw) in all {
        if is_spoilt(&name) || (used.contains(&name.as_str()) && is_spoilt(raw.get())) {
            return None;
        }
        if used.contains(&name.as_str()) {
            let value = serde_json::from_str(raw.get()).ok()?;
            if members.insert(name, value).is_some() {
                return None;
            }
        }
    }
    Some(members)
}

/// The members of an object in order, repeated ones included.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

const DUPLICATE: &str = "duplicate member";

/// Any JSON in which no object has a member twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self, A::Error> {
        let mut names = BTreeSet::new();
        while let Some((name, _)) = object.next_entry::<String, Self>()? {
            if !names.insert(name) {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(self)
    }
}
