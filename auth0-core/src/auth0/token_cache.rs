//! Tokens that were verified before, so that a repeated one costs a tag and no signature check.
//!
//! This verifier has accepted exactly the bytes of an entry's token: it is recognized by a tag of the whole
//! token. The caller checks again what can have changed since: the issuer, the clock, and the generation of
//! the issuer's keys. Checks that depend on the request (requirements, a proof, a certificate) are not
//! cached.
//!
//! The cache contains the content of verified tokens, not the tokens themselves.
//!
//! The steps of a cached token are in several modules, and are marked `#[inline]`, so that they become one function:
//! as calls with their results in memory, they take longer.
use super::{pipeline::TrustedRef, verifier::Verifier};
use crate::{
    config_error::ConfigError,
    issuer::resolver::{Lookup, ResolverContext},
    jose::{TagKey, TokenTag},
    request::Credentials,
    runtime::{
        Moment,
        set_cache::{Address, SetCache, WAYS},
    },
    token::{CacheMark, Verified},
};
use std::{fmt, sync::Arc};

/// The memory of all entries of a set: 2 KiB each. A token of 1 KiB takes about 0.9 KiB here.
const BYTES_PER_SET: usize = WAYS * 2048;

/// The memory of an entry in addition to its content: two counters, and the overhead of the allocator.
const OVERHEAD: usize = 64;

pub(crate) struct TokenCache {
    entries: SetCache<Verified>,
    key: TagKey,
}

impl TokenCache {
    /// Creates a cache for at most this many tokens; zero disables it. Fails if the operating system has no
    /// random bytes.
    pub(crate) fn new(capacity: usize) -> Result<Self, ConfigError> {
        let key = TagKey::random().map_err(|_| {
            ConfigError::new("the operating system has no random bytes for the token cache")
        })?;
        Ok(Self { entries: SetCache::new(capacity, BYTES_PER_SET), key })
    }

    pub(crate) const fn is_off(&self) -> bool {
        self.entries.capacity() == 0
    }

    /// Returns whether the cache accepts this token.
    pub(crate) fn takes(&self, verified: &Verified) -> bool {
        !self.is_off() && verified.bytes() + OVERHEAD <= BYTES_PER_SET
    }

    /// Returns the tag by which a token is recognized.
    #[inline]
    pub(crate) fn tag(&self, token: &[u8]) -> Option<TokenTag> {
        self.key.tag(token)
    }

    /// Returns the content of a token, if `is_current` returns `true` for it.
    #[inline]
    pub(crate) fn get(
        &self,
        token: &[u8],
        mut is_current: impl FnMut(&Verified, &CacheMark) -> bool,
    ) -> Option<Arc<Verified>> {
        let mut tag = None;
        self.entries.find(address(token)?, |known| {
            let Some(mark) = &known.cached else { return false };
            *tag.get_or_insert_with(|| self.tag(token)) == Some(mark.tag) && is_current(known, mark)
        })
    }

    /// Inserts a token that was verified, unless it takes too much memory, or another thread changes the same
    /// set: a request does not wait for that.
    pub(crate) fn insert(&self, token: &[u8], verified: &Arc<Verified>) {
        if let Some(address) = address(token) {
            self.entries.try_insert(address, verified.bytes() + OVERHEAD, verified);
        }
    }

    /// Removes all tokens.
    pub(crate) fn clear(&self) {
        self.entries.clear();
    }

    /// Returns the number of tokens in the cache.
    fn len(&self) -> usize {
        self.entries.iter().count()
    }
}

impl Verifier {
    /// Returns a token of the cache that is still valid. The scheme is checked again, because the token may
    /// have come with another one before.
    #[inline]
    pub(super) fn cached<'a>(
        &'a self,
        credentials: &Credentials<'_>,
        now: Moment,
    ) -> Option<(Arc<Verified>, TrustedRef<'a>)> {
        let mut issuer = None;
        let verified = self.tokens.get(credentials.token, |known, mark| {
            let Some(trusted) = self.issuer_of_cached(known, credentials, now) else {
                return false;
            };
            let is_current = credentials.scheme.is_enabled(trusted.dpop)
                && known.times.allow(now.unix_time)
                && trusted.keys.are_of(mark.generation, now.monotonic);
            if is_current {
                issuer = Some(trusted);
            }
            is_current
        })?;
        Some((verified, issuer?))
    }

    /// Returns the issuer of a cached token, if it is still trusted for this request.
    #[inline]
    fn issuer_of_cached<'a>(
        &'a self,
        known: &Verified,
        credentials: &Credentials<'_>,
        now: Moment,
    ) -> Option<TrustedRef<'a>> {
        if known.accepted_by.position.is_some() {
            return self.issuers.that_accepted(&known.accepted_by).map(TrustedRef::Configured);
        }
        let stated = known.issuer.of(&known.payload);
        let context = ResolverContext::new(stated, credentials.parts, &self.origin);
        match self.issuers.resolver.as_ref()?.look_up(&context, now.monotonic) {
            Lookup::Known(answer) => {
                let trusted = answer.that_accepted(stated, &known.accepted_by)?;
                Some(TrustedRef::Resolved(Arc::clone(trusted)))
            }
            Lookup::NoIssuers(_) | Lookup::Failed(_) | Lookup::Ask(_) => None,
        }
    }
}

/// Derives the address from the end of the signature, which for the tokens in the cache is as good as
/// random. The address does not identify a token: the tag does.
fn address(token: &[u8]) -> Option<Address> {
    let (words, _) = token.last_chunk::<16>()?.as_chunks::<8>();
    let mixed = words.iter().fold(0_u64, |mixed, word| {
        (mixed ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    Some(Address::new(mixed))
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("capacity", &self.entries.capacity())
            .field("len", &self.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a token as text, and a verified content of about this size.
    fn token(cache: &TokenCache, number: usize, bytes: usize) -> (String, Arc<Verified>) {
        let token = format!("{}{}", "x".repeat(40), number * 7919);
        let verified = Verified::for_tests(
            "p".repeat(bytes),
            CacheMark { tag: cache.tag(token.as_bytes()).unwrap(), generation: 0 },
        );
        (token, Arc::new(verified))
    }

    fn knows(cache: &TokenCache, token: &str) -> bool {
        cache.get(token.as_bytes(), |_, _| true).is_some()
    }

    fn bytes(cache: &TokenCache) -> usize {
        cache.entries.iter().map(|entry| entry.bytes() + OVERHEAD).sum()
    }

    #[test]
    fn it_is_bounded_in_tokens() {
        for capacity in [1, 3, 8, 9, 64, 100] {
            let cache = TokenCache::new(capacity).unwrap();
            for number in 0..2000 {
                let (token, verified) = token(&cache, number, 100);
                cache.insert(token.as_bytes(), &verified);
                assert!(knows(&cache, &token), "the last one is always there");
                assert!(cache.len() <= capacity);
            }
            assert!(cache.len() * 2 > capacity.min(8), "{} of {capacity}", cache.len());
        }
    }

    #[test]
    fn it_is_bounded_in_bytes() {
        let cache = TokenCache::new(80).unwrap();
        for number in 0..2000 {
            let (token, verified) = token(&cache, number, (number * 131) % 16_000);
            cache.insert(token.as_bytes(), &verified);
            assert!(bytes(&cache) <= 80 * 2048);
        }
        assert!(bytes(&cache) > 80 * 1024, "it is used");
    }

    #[test]
    fn what_is_too_large_is_not_remembered_and_evicts_nothing() {
        let cache = TokenCache::new(8).unwrap();
        let small: Vec<_> = (0..8).map(|number| token(&cache, number, 100)).collect();
        for (token, verified) in &small {
            cache.insert(token.as_bytes(), verified);
        }
        let (large, verified) = token(&cache, 9, BYTES_PER_SET);
        cache.insert(large.as_bytes(), &verified);
        assert!(!knows(&cache, &large));
        assert!(small.iter().all(|(token, _)| knows(&cache, token)));
    }

    #[test]
    fn the_tag_decides_and_not_the_place() {
        let cache = TokenCache::new(8).unwrap();
        let (token, verified) = token(&cache, 1, 100);
        cache.insert(token.as_bytes(), &verified);
        let same_end = token.replacen('x', "y", 1);
        assert_eq!(address(token.as_bytes()), address(same_end.as_bytes()));
        assert!(knows(&cache, &token) && !knows(&cache, &same_end));
        assert!(!knows(&cache, "short"), "no place at all");
    }

    #[test]
    fn what_is_no_longer_current_is_replaced_and_not_doubled() {
        let cache = TokenCache::new(8).unwrap();
        let (token, verified) = token(&cache, 1, 100);
        cache.insert(token.as_bytes(), &verified);
        assert!(cache.get(token.as_bytes(), |_, _| false).is_none());
        cache.insert(token.as_bytes(), &verified);
        assert_eq!(cache.len(), 1);
        cache.clear();
        assert_eq!((cache.len(), bytes(&cache)), (0, 0));
        assert_eq!(Arc::strong_count(&verified), 1, "its memory is given back");
    }

    #[test]
    fn it_prints_counts_and_nothing_else() {
        let cache = TokenCache::new(8).unwrap();
        let (token, verified) = token(&cache, 1, 100);
        cache.insert(token.as_bytes(), &verified);
        assert_eq!(format!("{cache:?}"), "TokenCache { capacity: 8, len: 1 }");
    }
}
