//! A hash table of member names, for documents with more of them than usual.
//!
//! A client chooses the names, so it must not be able to choose their places, too. The hash is a polynomial
//! over the integers modulo 2⁶¹ − 1 at a random point: without the point, two given names of n bytes have
//! the same hash with a probability of n / 2⁶² (Carter and Wegman, 1979). The point is new for each document,
//! so that nothing is learned from the time that another one took.
use super::{Malformed, text::unescaped};
use std::hash::{BuildHasher, RandomState};

/// A Mersenne prime: the remainder needs no division.
const PRIME: u64 = (1 << 61) - 1;

/// The bytes that a member takes at least: `"":1,`.
const MIN_MEMBER_BYTES: usize = 5;

pub(super) struct NameTable<'a> {
    entries: Vec<Entry<'a>>,
    /// For each slot, the number of its entry, counted from 1, or 0.
    slots: Vec<u32>,
    objects: u32,
    point: u64,
}

struct Entry<'a> {
    hash: u64,
    object: u32,
    /// As in the document, with its escapes.
    name: &'a str,
}

impl<'a> NameTable<'a> {
    /// Creates a table with room for every name of a document of so many bytes.
    pub(super) fn new(document_bytes: usize) -> Self {
        let names = document_bytes / MIN_MEMBER_BYTES + 1;
        Self {
            entries: Vec::with_capacity(names / 2),
            // Always a quarter of them is empty, so that a search ends.
            slots: vec![0; (names + names / 3 + 1).next_power_of_two()],
            objects: 0,
            point: RandomState::new().hash_one(()) % PRIME,
        }
    }

    /// Returns the number of an object whose names will be added.
    pub(super) const fn next_object(&mut self) -> u32 {
        self.objects += 1;
        self.objects
    }

    /// Adds the name of an object's member, and refuses it if the object has it. `text` is the name without
    /// its escapes.
    pub(super) fn add(&mut self, object: u32, name: &'a str, text: &str) -> Result<(), Malformed> {
        let hash = self.hash(object, text.as_bytes());
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == 0 {
                self.entries.push(Entry { hash, object, name });
                *slot = self.entries.len() as u32; // less than the bytes of a document
                return Ok(());
            }
            let before = self.entries.get(*slot as usize - 1);
            if before.is_some_and(|before| before.hash == hash && before.is(object, text)) {
                break;
            }
            at = (at + 1) & mask;
        }
        Err(Malformed::DuplicateMember)
    }

    /// Evaluates the polynomial whose coefficients are the text in pieces of four bytes, and last of all the
    /// object, the length, and the rest of the text.
    fn hash(&self, object: u32, text: &[u8]) -> u64 {
        let (pieces, rest) = text.as_chunks::<4>();
        let whole = pieces
            .iter()
            .fold(0, |hash, piece| self.times_point(hash + u64::from(u32::from_le_bytes(*piece))));
        let rest = rest.iter().fold(text.len() as u64, |rest, byte| rest << 8 | u64::from(*byte));
        self.times_point(whole + ((rest ^ u64::from(object) << 40) & PRIME))
    }

    /// Multiplies with the point, modulo the prime. The result is less than 2⁶³, which is enough for the next sum.
    fn times_point(&self, hash: u64) -> u64 {
        let product = u128::from(hash) * u128::from(self.point);
        let (low, high) = (product as u64 & PRIME, (product >> 61) as u64);
        let sum = low + high;
        if sum >= PRIME { sum - PRIME } else { sum }
    }
}

impl Entry<'_> {
    /// Returns whether this is the name. Called if the hash is that of the name, so nearly always it is.
    #[cold]
    fn is(&self, object: u32, text: &str) -> bool {
        self.object == object && unescaped(self.name).is_some_and(|name| name == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> NameTable<'static> {
        NameTable::new(100_000)
    }

    #[test]
    fn a_name_occurs_once_in_an_object() {
        let names: Vec<String> = (0..5000).map(|number| format!("{number}")).collect();
        let mut table = NameTable::new(100_000);
        for object in 1..=2 {
            for name in &names {
                assert_eq!(table.add(object, name, name), Ok(()), "{object} {name}");
            }
        }
        for name in &names {
            assert_eq!(table.add(2, name, name), Err(Malformed::DuplicateMember), "{name}");
        }
    }

    #[test]
    fn names_are_compared_without_their_escapes() {
        let mut table = table();
        assert_eq!(table.add(1, r"\u0061", "a"), Ok(()));
        assert_eq!(table.add(1, r"\\u0061", r"\u0061"), Ok(()));
        assert_eq!(table.add(1, "a", "a"), Err(Malformed::DuplicateMember));
        assert_eq!(table.add(1, r"\u0\u0061", "u0a"), Ok(()));
    }

    /// Names that are alike for a hash without a key: equal sums, equal ends, powers of two.
    #[test]
    fn the_places_of_names_cannot_be_chosen() {
        let names: Vec<String> =
            (0u32..4096).map(|number| format!("a{:>12}z", number << 12)).collect();
        let mut table = NameTable::new(100_000);
        for name in &names {
            table.add(1, name, name).unwrap();
        }
        let mask = table.slots.len() - 1;
        let mut slots: Vec<_> =
            table.entries.iter().map(|entry| entry.hash as usize & mask).collect();
        slots.sort_unstable();
        let most = slots.chunk_by(|a, b| a == b).map(<[_]>::len).max();
        assert!(most < Some(24), "{most:?} of 4096 names share a slot");
    }

    /// The same as with a division, also at the limits.
    #[test]
    fn the_hash_is_computed_modulo_the_prime() {
        for point in [1, 2, PRIME - 1] {
            let table = NameTable { point, ..table() };
            for hash in [0, 1, PRIME - 1, PRIME, PRIME + u64::from(u32::MAX), 2 * PRIME] {
                let expected = u128::from(hash) * u128::from(point) % u128::from(PRIME);
                let hash = table.times_point(hash);
                assert_eq!(u128::from(hash % PRIME), expected, "{hash} {point}");
                assert!(hash < 1 << 63, "{hash} {point}");
            }
        }
    }
}
