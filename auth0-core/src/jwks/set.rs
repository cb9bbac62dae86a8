//! A key set (RFC 7517 §5), indexed by key id.
use super::VerifyingKey;
use crate::crypto::{Algorithm, AlgorithmSet};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The usable keys of one answer of the issuer.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<VerifyingKey>,
    by_id: HashMap<Box<str>, Vec<usize>>,
}

/// What a set says of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Valid,
    Invalid,
    /// The key is there, and is for another algorithm, or cannot be used at all.
    OtherAlgorithm,
    /// No such key. The issuer may have rotated.
    UnknownKey,
    /// The token names no key, and it is not certain which one is meant.
    AmbiguousKey,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// An entry that cannot be used may have a name all the same.
#[derive(Deserialize)]
struct Named {
    kid: Option<Box<str>>,
}

impl KeySet {
    /// Reads a set. Entries that cannot be used are skipped: a key for encryption or of a new kind
    /// must not take the others down. `None` if the document is not a key set at all.
    pub(crate) fn parse(json: &[u8], allowed: AlgorithmSet) -> Option<Self> {
        let document: Document<'_> = serde_json::from_slice(json).ok()?;
        let mut set = Self { keys: Vec::new(), by_id: HashMap::new() };
        for (position, entry) in document.keys.iter().enumerate() {
            match VerifyingKey::from_jwk(entry.get(), allowed) {
                Ok(key) => set.push(key),
                Err(reason) => {
                    // A token that names it is refused for that, and not looked for at the issuer.
                    if let Ok(Named { kid: Some(id) }) = serde_json::from_str(entry.get()) {
                        set.by_id.entry(id).or_default();
                    }
                    tracing::debug!(target: "auth0", position, reason, "skipped an entry of the key set");
                }
            }
        }
        Some(set)
    }

    fn push(&mut self, key: VerifyingKey) {
        if let Some(id) = &key.id {
            self.by_id.entry(id.clone()).or_default().push(self.keys.len());
        }
        self.keys.push(key);
    }

    /// Whether no token can be verified with it.
    pub(crate) fn is_unusable(&self) -> bool {
        !self.keys.iter().any(VerifyingKey::is_usable)
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    pub(crate) const fn len(&self) -> usize {
        self.keys.len()
    }

    /// The ids of all keys, for comparing two sets.
    pub(crate) fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.keys.iter().filter_map(|key| key.id.as_deref()).collect();
        ids.sort_unstable();
        ids
    }

    /// Checks a signature with the key that the token names. Never with the first key for want of
    /// a match: Auth0 prepends custom signing keys.
    pub(crate) fn verify(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Verdict {
        let verdict = |valid| if valid { Verdict::Valid } else { Verdict::Invalid };
        let Some(id) = id else {
            let mut fitting = self.keys.iter().filter_map(|key| key.for_algorithm(algorithm));
            return match (fitting.next(), fitting.next()) {
                (Some(only), None) => verdict(only.verifies(message, signature)),
                _ => Verdict::AmbiguousKey,
            };
        };
        let Some(places) = self.by_id.get(id) else { return Verdict::UnknownKey };
        // More than one only where the issuer gave several keys the same id.
        let mut keys = places
            .iter()
            .filter_map(|place| self.keys.get(*place)?.for_algorithm(algorithm))
            .peekable();
        if keys.peek().is_none() {
            return Verdict::OtherAlgorithm;
        }
        verdict(keys.any(|key| key.verifies(message, signature)))
    }
}
