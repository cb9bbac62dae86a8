//! A key set (RFC 7517 §5), indexed by key id.
use super::header_cache::KnownHeaders;
use crate::jose::{Algorithm, AlgorithmSet, Message, VerifyingKey};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{collections::HashMap, sync::Arc};

/// Large providers publish ten. Parsed keys take memory, for each issuer.
const MAX_ENTRIES: usize = 128;

/// How many keys of one id are tried for a signature: an id names one key, or a few during a rotation.
const MAX_TRIED: usize = 4;

/// The keys of one answer of the issuer.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<Arc<VerifyingKey>>,
    by_id: HashMap<Box<str>, Vec<usize>>,
    pub(crate) known_headers: KnownHeaders,
}

/// The result of checking a signature with a key set.
#[derive(Clone, Debug)]
pub(crate) enum SignatureCheck {
    /// The signature is good. The key is included if the header of the token can refer to no other one.
    Valid(Option<Arc<VerifyingKey>>),
    Invalid,
    /// There is such a key, but it is for another algorithm, or cannot be used.
    OtherAlgorithm,
    /// There is no such key. The issuer may have rotated its keys.
    UnknownKey,
    /// The token names no key, and several keys or none fit it.
    AmbiguousKey,
}

#[derive(Deserialize)]
struct Jwks<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// The id of an entry that cannot be used.
#[derive(Deserialize)]
struct Named {
    kid: Option<Box<str>>,
}

impl KeySet {
    /// Reads a set. Entries that cannot be used are skipped: a key for encryption or of a new kind must not
    /// make the others unusable. `None` if the document is not a key set.
    pub(crate) fn parse(json: &[u8], allowed: AlgorithmSet) -> Option<Self> {
        let document: Jwks<'_> = serde_json::from_slice(json).ok()?;
        let mut set = Self {
            keys: Vec::new(),
            by_id: HashMap::new(),
            known_headers: KnownHeaders::default(),
        };
        if document.keys.len() > MAX_ENTRIES {
            tracing::warn!(
                target: "auth0", keys = document.keys.len(),
                "a key set is too long: the first {MAX_ENTRIES} entries are read"
            );
        }
        for (position, entry) in document.keys.iter().take(MAX_ENTRIES).enumerate() {
            match VerifyingKey::from_jwk(entry.get(), allowed) {
                Ok(key) => set.push(key),
                Err(reason) => {
                    // A token that names it is refused without a fetch.
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
        self.keys.push(Arc::new(key));
    }

    /// Returns whether no token can be verified with it.
    pub(crate) fn is_unusable(&self) -> bool {
        !self.keys.iter().any(|key| key.is_usable())
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    pub(crate) const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the ids of all keys, for comparing two sets.
    pub(crate) fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.keys.iter().filter_map(|key| key.id.as_deref()).collect();
        ids.sort_unstable();
        ids
    }

    /// Returns whether every key of `previous` is still here, unchanged.
    pub(crate) fn has_all_of(&self, previous: &Self) -> bool {
        previous.keys.iter().all(|key| self.keys.contains(key))
    }

    /// Checks a signature with the key that the token names. It never falls back to the first key: Auth0
    /// prepends custom signing keys.
    pub(crate) fn verify(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &Message<'_>,
        signature: &[u8],
    ) -> SignatureCheck {
        let fits = |key: &&Arc<VerifyingKey>| key.for_algorithm(algorithm).is_some();
        let mut keys: Vec<&Arc<VerifyingKey>> = match id {
            None => self.keys.iter().filter(fits).collect(),
            Some(id) => {
                let Some(places) = self.by_id.get(id) else { return SignatureCheck::UnknownKey };
                let keys = places.iter().filter_map(|place| self.keys.get(*place));
                keys.filter(fits).take(MAX_TRIED).collect()
            }
        };
        let is_only = keys.len() == 1;
        match id {
            None if !is_only => return SignatureCheck::AmbiguousKey,
            Some(_) if keys.is_empty() => return SignatureCheck::OtherAlgorithm,
            _ => {}
        }
        // Several only if the issuer has given several keys the same id.
        keys.retain(|key| {
            key.for_algorithm(algorithm).is_some_and(|key| key.verifies(message, signature))
        });
        match keys.first() {
            Some(key) => SignatureCheck::Valid(is_only.then(|| Arc::clone(key))),
            None => SignatureCheck::Invalid,
        }
    }
}
