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

/// The slots of a new table. At least half of them are always empty.
const SLOTS: usize = 256;

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
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::with_capacity(SLOTS / 2),
            slots: vec![0; SLOTS],
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
        if self.entries.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let hash = self.hash(object, text.as_bytes());
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let Some(slot) = self.slots.get_mut(at) else { return Err(Malformed::Syntax) };
            let before = match *slot {
                0 => {
                    self.entries.push(Entry { hash, object, name });
                    *slot = self.entries.len() as u32; // less than the bytes of a document
                    return Ok(());
                }
                number => self.entries.get(number as usize - 1),
            };
            if before.is_some_and(|before| {
                before.hash == hash
                    && before.object == object
                    && unescaped(before.name).is_some_and(|before| before == text)
            }) {
                return Err(Malformed::DuplicateMember);
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        self.slots.clear();
        self.slots.resize(mask + 1, 0);
        for (number, entry) in (1..).zip(&self.entries) {
            let mut at = entry.hash as usize & mask;
            while self.slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & mask;
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = number;
            }
        }
    }

    /// Evaluates the polynomial whose coefficients are the object, the length, and the text in pieces of
    /// four bytes.
    fn hash(&self, object: u32, text: &[u8]) -> u64 {
        let (pieces, rest) = text.as_chunks::<4>();
        let first = (u64::from(object) << 24) + text.len() as u64;
        let whole = pieces.iter().fold(first, |hash, piece| {
            self.times_point(hash) + u64::from(u32::from_le_bytes(*piece))
        });
        let rest = rest.iter().fold(0, |rest, byte| rest << 8 | u64::from(*byte));
        self.times_point(self.times_point(whole) + rest)
    }

    /// Multiplies with the point, modulo the prime. The result exceeds the prime by less than 2³³.
    fn times_point(&self, hash: u64) -> u64 {
        let product = u128::from(hash) * u128::from(self.point);
        let (low, high) = (product as u64 & PRIME, (product >> 61) as u64);
        let sum = low + high;
        if sum >= PRIME { sum - PRIME } else { sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> NameTable<'static> {
        NameTable::new()
    }

    #[test]
    fn a_name_occurs_once_in_an_object() {
        let names: Vec<String> = (0..5000).map(|number| format!("{number}")).collect();
        let mut table = NameTable::new();
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
        let mut table = NameTable::new();
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
            for hash in [0, 1, PRIME - 1, PRIME, PRIME + u64::from(u32::MAX)] {
                let expected = u128::from(hash) * u128::from(point) % u128::from(PRIME);
                let hash = table.times_point(hash);
                assert_eq!(u128::from(hash % PRIME), expected, "{hash} {point}");
                assert!(hash < PRIME + (1 << 33), "{hash} {point}");
            }
        }
    }
}
