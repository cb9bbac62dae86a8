//! Headers of tokens that were verified: the next token with the same header needs neither parsing of the
//! header nor a search for the key.
use crate::jose::{VerifyingKey, jws::Header};
use arc_swap::{ArcSwap, Guard};
use std::{fmt, sync::Arc};

/// More than an issuer has combinations of keys and token types. Only headers of verified tokens are kept.
const MAX_HEADERS: usize = 256;

/// The headers that were seen with one key set, sorted by their text.
#[derive(Default)]
pub(crate) struct KnownHeaders(ArcSwap<Vec<Arc<KnownHeader>>>);

/// A header, and the only key that it can refer to.
#[derive(Debug)]
pub(crate) struct KnownHeader {
    /// The header as the token has it, in base64url.
    text: Box<[u8]>,
    pub(crate) header: Header,
    pub(super) key: Arc<VerifyingKey>,
}

/// The headers that are known at one moment.
pub(crate) struct Loaded(Guard<Arc<Vec<Arc<KnownHeader>>>>);

impl KnownHeaders {
    pub(crate) fn load(&self) -> Loaded {
        Loaded(self.0.load())
    }

    /// Stores the header of a token whose signature was good, and whose key is the only one that the header
    /// can refer to.
    pub(crate) fn learn(&self, text: &[u8], header: &Header, key: &Arc<VerifyingKey>) {
        let known = Arc::new(KnownHeader {
            text: text.into(),
            header: header.clone(),
            key: Arc::clone(key),
        });
        self.0.rcu(|headers| match position(headers, text) {
            Err(place) if headers.len() < MAX_HEADERS => {
                let mut headers = Vec::clone(headers);
                headers.insert(place, Arc::clone(&known));
                Arc::new(headers)
            }
            _ => Arc::clone(headers),
        });
    }
}

impl Loaded {
    pub(crate) fn find(&self, text: &[u8]) -> Option<&KnownHeader> {
        let place = position(&self.0, text).ok()?;
        self.0.get(place).map(|known| &**known)
    }
}

fn position(headers: &[Arc<KnownHeader>], text: &[u8]) -> Result<usize, usize> {
    headers.binary_search_by(|known| (*known.text).cmp(text))
}

impl fmt::Debug for KnownHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownHeaders").field("len", &self.0.load().len()).finish()
    }
}
