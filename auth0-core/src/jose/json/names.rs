//! The member names of the objects that are open, to find names that occur twice.
use super::{Malformed, text::unescaped};
use std::borrow::Cow;

/// Up to this many members, each name is compared with those before it; more are sorted at the end.
const PAIRWISE: usize = 32;

/// The names of all objects that are open, innermost last. Without an allocation for the number of
/// claims that tokens have.
pub(super) struct Names<'a> {
    first: [&'a str; PAIRWISE],
    more: Vec<&'a str>,
    len: usize,
}

impl<'a> Names<'a> {
    pub(super) const fn new() -> Self {
        Self { first: [""; PAIRWISE], more: Vec::new(), len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, name: &'a str) {
        match self.first.get_mut(self.len) {
            Some(place) => *place = name,
            None => self.more.push(name),
        }
        self.len += 1;
    }

    /// Returns whether the object that began at `outer` has this name already, if that is cheap to find out;
    /// otherwise [`close`](Self::close) finds it.
    pub(super) fn repeats(&self, outer: usize, name: &str) -> bool {
        self.first.get(outer..self.len).is_some_and(|names| names.contains(&name))
    }

    /// Ends the object that began at `outer`, and refuses a name that occurs twice.
    pub(super) fn close(&mut self, outer: usize, escaped: bool) -> Result<(), Malformed> {
        if escaped || self.len > PAIRWISE {
            let names = self.first.iter().take(self.len).chain(&self.more).skip(outer);
            let names: Option<Vec<Cow<'_, str>>> = names.map(|name| unescaped(name)).collect();
            let mut names = names.ok_or(Malformed::Syntax)?;
            names.sort_unstable();
            if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
                return Err(Malformed::DuplicateMember);
            }
        }
        self.len = outer;
        self.more.truncate(outer.saturating_sub(PAIRWISE));
        Ok(())
    }
}

/// A filter that recognizes most new names of an object by their length and their first and last bytes.
#[derive(Default)]
pub(super) struct Filter(u64);

impl Filter {
    /// Records a name, and returns whether it may have been there before.
    pub(super) fn may_have(&mut self, name: &str) -> bool {
        let bytes = name.as_bytes();
        let end = |byte: Option<&u8>| u32::from(byte.copied().unwrap_or_default());
        let (first, last) = (end(bytes.first()), end(bytes.last()));
        let mixed = first.wrapping_mul(5) ^ last.wrapping_mul(17) ^ (bytes.len() as u32 * 11);
        let bit = 1 << (mixed % 64);
        let before = self.0 & bit != 0;
        self.0 |= bit;
        before
    }
}
