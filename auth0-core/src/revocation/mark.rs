//! Marks of revocations: what a request is compared with first, because it costs a tenth of a key.

/// The bits of a mark.
pub(super) const MARK_BITS: u32 = 24;

/// A part of a [`RevocationKey`](super::RevocationKey) that is computed fast, and that others may share by chance or by
/// intent. Only where there is a revocation with the mark of a token, the keys decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u32);

impl Mark {
    /// Returns the mark with these bits, of which the lower ones are taken.
    pub(super) const fn from_bits(bits: u32) -> Self {
        Self(bits & ((1 << MARK_BITS) - 1))
    }

    pub(super) const fn bits(self) -> u32 {
        self.0
    }
}

/// The hash of a name that marks are made of: for speed, not against collisions. It never changes, because the instances
/// of a service may run different releases.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoldedHash(u64);

/// Any odd numbers with about as many ones as zeros.
const FACTORS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f];

impl FoldedHash {
    pub(super) fn new(seed: u64, name: &str) -> Self {
        let mut hash = Self(seed ^ name.len() as u64);
        let mut rest = name.as_bytes();
        while let Some((block, after)) = rest.split_first_chunk()
            && !after.is_empty()
        {
            hash = hash.folded(u128::from_le_bytes(*block));
            rest = after;
        }
        // The last block of a longer name overlaps the one before it.
        let last = name.as_bytes().last_chunk().copied().unwrap_or_else(|| {
            let mut block = [0; 16];
            block.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
            block
        });
        hash.folded(u128::from_le_bytes(last))
    }

    /// Returns the hash of two names.
    pub(super) const fn with(self, second: Self) -> Self {
        self.folded(second.0 as u128)
    }

    /// Returns the mark of a name of a kind.
    pub(super) const fn mark(self, kind: u8) -> Mark {
        Mark((self.0 >> (u64::BITS - MARK_BITS)) as u32 ^ kind as u32)
    }

    /// Mixes a block into it by a multiplication.
    const fn folded(self, block: u128) -> Self {
        let [first, second] = FACTORS;
        let low = block as u64 ^ first ^ self.0;
        let high = (block >> 64) as u64 ^ second;
        let product = low as u128 * high as u128;
        Self(product as u64 ^ (product >> 64) as u64 ^ self.0.rotate_left(32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn mark(name: &str) -> Mark {
        FoldedHash::new(7, name).mark(1)
    }

    #[test]
    fn they_are_the_same_in_every_release() {
        let texts =
            ["", "a", "org_0123456789abcdef", "sixteen bytes ok", "auth0|0123456789abcdef01234567"];
        let bits = texts.map(|text| mark(text).bits());
        assert_eq!(bits, EXPECTED);
        let two = FoldedHash::new(7, "org_1").with(FoldedHash::new(7, "auth0|ann"));
        assert_eq!(two.mark(2).bits(), 0xc0_418f);
        assert_eq!(Mark::from_bits(u32::MAX).bits(), 0xff_ffff);
    }

    const EXPECTED: [u32; 5] = [0xd5_211f, 0xc8_22c4, 0x79_3cbe, 0x27_7021, 0x10_0df0];

    /// So many marks of so many bits: by chance, a share of 1 / 32 has the mark of another.
    #[test]
    fn few_names_share_one() {
        for name in ["auth0|", "google-oauth2|11111111111111", ""] {
            let marks: HashSet<u32> =
                (0..1 << 19).map(|number| mark(&format!("{name}{number}")).bits()).collect();
            let shared = (1 << 19) - marks.len();
            assert!(shared < (1 << 19) / 48, "{shared} of {name}");
        }
        for length in 0..70 {
            let text = "a".repeat(length);
            for at in 0..length {
                let mut other = text.clone();
                other.replace_range(at..=at, "b");
                assert_ne!(mark(&text), mark(&other), "{length} {at}");
            }
            assert_ne!(mark(&text), mark(&format!("{text}a")));
            assert_ne!(mark(&text), FoldedHash::new(8, &text).mark(1));
            assert_ne!(mark(&text), FoldedHash::new(7, &text).mark(2));
        }
    }
}
