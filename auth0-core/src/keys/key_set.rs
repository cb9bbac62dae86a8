//! A key set (RFC 7517 §5), indexed by key id.
use super::header_cache::{KnownHeader, KnownHeaders};
use crate::{
    jose::{
        Algorithm, AlgorithmSet, Message, VerifyingKey,
        jwk::{JwkOrigin, UnusableKey, key_id},
        jws::Header,
    },
    telemetry::Escaped,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

/// Large providers publish ten. Parsed keys take memory, for each issuer.
const MAX_ENTRIES: usize = 128;

/// How many entries that cannot be used are named in the log.
const MAX_REPORTED: usize = 8;

/// The keys of one answer of the issuer.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<Arc<VerifyingKey>>,
    by_id: HashMap<Box<str>, Vec<usize>>,
    unusable: Vec<UnusableEntry>,
    max_tried: usize,
    pub(crate) known_headers: KnownHeaders,
}

/// An entry that cannot be used, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnusableEntry {
    /// Its place in the set, from one.
    number: usize,
    id: Option<Box<str>>,
    why: UnusableKey,
}

/// The result of checking a signature with a key set.
#[derive(Clone, Debug)]
pub(crate) enum SignatureCheck {
    /// The signature is good.
    Valid {
        key: Arc<VerifyingKey>,
        /// Whether the header of the token can refer to no other key.
        is_only: bool,
    },
    Invalid,
    /// There is such a key, but it is for another algorithm, or cannot be used for this reason.
    OtherAlgorithm(Option<&'static str>),
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

impl KeySet {
    /// Reads a set. Entries that cannot be used are skipped: a key for encryption or of a new kind must not
    /// make the others unusable. `None` if the document is not a key set.
    pub(crate) fn parse(json: &[u8], allowed: AlgorithmSet, origin: JwkOrigin) -> Option<Self> {
        let document: Jwks<'_> = serde_json::from_slice(json).ok()?;
        let mut set = Self {
            keys: Vec::new(),
            by_id: HashMap::new(),
            unusable: Vec::new(),
            // An id names one key, or a few during a rotation. Each costs a signature check.
            max_tried: if origin == JwkOrigin::Resolved { 2 } else { 4 },
            known_headers: KnownHeaders::default(),
        };
        if document.keys.len() > MAX_ENTRIES {
            tracing::warn!(
                target: "auth0", keys = document.keys.len(),
                "a key set is too long: the first {MAX_ENTRIES} entries are read"
            );
        }
        for (place, entry) in document.keys.iter().take(MAX_ENTRIES).enumerate() {
            let number = place + 1;
            match VerifyingKey::from_jwk(entry.get(), allowed, origin) {
                Ok(key) => set.push(key, number),
                Err(why) => {
                    let id = key_id(entry.get());
                    // A token that names it is refused without a fetch.
                    if let Some(id) = id.clone() {
                        set.by_id.entry(id).or_default();
                    }
                    set.unusable.push(UnusableEntry { number, id, why });
                }
            }
        }
        Some(set)
    }

    fn push(&mut self, key: VerifyingKey, number: usize) {
        if let Some(id) = &key.id {
            self.by_id.entry(id.clone()).or_default().push(self.keys.len());
        }
        if !key.is_usable() {
            let reason = "it is for none of the accepted algorithms (.algorithms([…]))";
            let why = UnusableKey { reason, is_expected: true };
            self.unusable.push(UnusableEntry { number, id: key.id.clone(), why });
        }
        self.keys.push(Arc::new(key));
    }

    /// Returns whether no token can be verified with it.
    pub(crate) fn is_unusable(&self) -> bool {
        !self.keys.iter().any(|key| key.is_usable())
    }

    /// Returns the entries that cannot be used, for the log: a bounded number.
    pub(crate) fn unusable(&self) -> impl Iterator<Item = &UnusableEntry> {
        self.unusable.iter().take(MAX_REPORTED)
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Returns whether a token that names this key, or none, could be verified with a key that `seen` lacks.
    pub(super) fn has_newer(&self, id: Option<&str>, seen: &Self) -> bool {
        self.named(id).any(|key| !seen.keys.contains(key))
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

    /// Returns whether a key is still here, under its id, for this algorithm.
    pub(super) fn still_has(&self, key: &VerifyingKey, algorithm: Algorithm) -> bool {
        let is_same = |other: &VerifyingKey| {
            std::ptr::eq(other, key)
                || other.id == key.id
                    && other.for_algorithm(algorithm) == key.for_algorithm(algorithm)
        };
        self.keys.iter().any(|other| is_same(other))
    }

    /// Returns the keys that a token with this `kid` may have been signed with: those of this id or, if there
    /// are none, those without an id.
    fn named<'a>(&'a self, id: Option<&'a str>) -> impl Iterator<Item = &'a Arc<VerifyingKey>> {
        let places = id.and_then(|id| self.by_id.get(id));
        let of_id = places.into_iter().flatten().filter_map(|place| self.keys.get(*place));
        let others = self
            .keys
            .iter()
            .filter(move |key| id.is_none() || places.is_none() && key.id.is_none());
        of_id.chain(others)
    }

    /// Returns the key that has signed a token. If its header is known, the key need not be searched.
    pub(crate) fn signer<'a>(
        &self,
        known: Option<&'a KnownHeader>,
        text: &[u8],
        header: &Header,
        algorithm: Algorithm,
        message: &Message<'_>,
        signature: &[u8],
    ) -> Result<Cow<'a, Arc<VerifyingKey>>, SignatureCheck> {
        if let Some(known) = known
            && let Some(key) = known.key.for_algorithm(algorithm)
        {
            let is_valid = key.verifies(message, signature);
            return is_valid.then_some(Cow::Borrowed(&known.key)).ok_or(SignatureCheck::Invalid);
        }
        match self.verify(header.key_id.as_deref(), algorithm, message, signature) {
            SignatureCheck::Valid { key, is_only } => {
                if is_only {
                    self.known_headers.learn(text, header, &key);
                }
                Ok(Cow::Owned(key))
            }
            check => Err(check),
        }
    }

    /// Checks a signature with the key that the token names. It never falls back to the first key: Auth0
    /// prepends custom signing keys. If no key has the id, and exactly one key without an id fits, it is that
    /// one: some issuers with one key give it no id.
    pub(crate) fn verify(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &Message<'_>,
        signature: &[u8],
    ) -> SignatureCheck {
        let mut keys = match self.candidates(id, algorithm) {
            Ok(keys) => keys,
            Err(none) => return none,
        };
        let is_only = keys.len() == 1;
        // Several only if the issuer has given several keys the same id.
        keys.retain(|key| {
            key.for_algorithm(algorithm).is_some_and(|key| key.verifies(message, signature))
        });
        match keys.first() {
            Some(key) => SignatureCheck::Valid { key: Arc::clone(key), is_only },
            None => SignatureCheck::Invalid,
        }
    }

    /// Returns why no key can verify a token, if that is so: before its message is hashed.
    pub(crate) fn has_no_key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Option<SignatureCheck> {
        self.candidates(id, algorithm).err()
    }

    /// Returns the keys that may verify a token, or why there are none.
    fn candidates<'a>(
        &'a self,
        id: Option<&'a str>,
        algorithm: Algorithm,
    ) -> Result<Vec<&'a Arc<VerifyingKey>>, SignatureCheck> {
        let is_known = id.is_some_and(|id| self.contains(id));
        let mut keys: Vec<&Arc<VerifyingKey>> = self
            .named(id)
            .filter(|key| key.for_algorithm(algorithm).is_some())
            .take(self.max_tried)
            .collect();
        if !is_known {
            // The same key may be there twice, with and without an id.
            keys.dedup_by(|a, b| a.for_algorithm(algorithm) == b.for_algorithm(algorithm));
        }
        let is_only = keys.len() == 1;
        match id {
            None if !is_only => Err(SignatureCheck::AmbiguousKey),
            Some(_) if !is_known && !is_only => Err(SignatureCheck::UnknownKey),
            Some(id) if keys.is_empty() => {
                Err(SignatureCheck::OtherAlgorithm(self.why_unusable(id)))
            }
            _ => Ok(keys),
        }
    }

    fn why_unusable(&self, id: &str) -> Option<&'static str> {
        let entry = self.unusable.iter().find(|entry| entry.id.as_deref() == Some(id))?;
        Some(entry.why.reason)
    }
}

impl UnusableEntry {
    /// Returns whether it is for another purpose or algorithm, as in many key sets.
    pub(crate) const fn is_expected(&self) -> bool {
        self.why.is_expected
    }
}

impl fmt::Display for UnusableEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}", self.number)?;
        if let Some(id) = &self.id {
            write!(f, " (kid {})", Escaped(id))?;
        }
        write!(f, ": {}", self.why.reason)
    }
}
