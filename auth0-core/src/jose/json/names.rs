//! The member names of the objects that are open, to find names that occur twice.
use super::{Malformed, name_table::NameTable};

/// Up to this many names of open objects, each is compared with those before it in its object. Further ones,
/// and names with escapes, are in a hash table.
const FEW: usize = 32;

/// How many such comparisons a document may cause before a name that the filter does not know as new is in the
/// table, with its object. Names that the
/// filter cannot distinguish are easy to make, but claims of real tokens hardly need a dozen.
const MAX_COMPARISONS: usize = 256;

/// The names of all objects that are open, innermost last. Without an allocation for the number of
/// claims that tokens have.
pub(super) struct Names<'a> {
    few: [&'a str; FEW],
    len: usize,
    comparisons: usize,
    table: Option<NameTable<'a>>,
    document_bytes: usize,
}

/// An object that is open.
pub(super) struct Object {
    /// The number of names of the objects around it.
    outer: usize,
    filter: Filter,
    /// Its number in the table, if its names are there.
    number: Option<u32>,
}

impl<'a> Names<'a> {
    pub(super) const fn new(document_bytes: usize) -> Self {
        Self { few: [""; FEW], len: 0, comparisons: 0, table: None, document_bytes }
    }

    pub(super) const fn open(&self) -> Object {
        Object { outer: self.len, filter: Filter(0), number: None }
    }

    /// Adds a name without escapes to the innermost object, and refuses one that occurs twice.
    #[inline]
    pub(super) fn add(&mut self, object: &mut Object, name: &'a str) -> Result<(), Malformed> {
        if object.number.is_some() {
            return self.add_to_table(object, name, name);
        }
        if object.filter.may_have(name)
            && let Some(names) = self.few.get(object.outer..self.len)
        {
            self.comparisons += names.len();
            if self.comparisons > MAX_COMPARISONS {
                return self.add_to_table(object, name, name);
            }
            if names.contains(&name) {
                return Err(Malformed::DuplicateMember);
            }
        }
        let Some(place) = self.few.get_mut(self.len) else {
            return self.add_to_table(object, name, name);
        };
        *place = name;
        self.len += 1;
        Ok(())
    }

    /// The same for any name, of which `text` is the text without escapes.
    #[cold]
    pub(super) fn add_to_table(
        &mut self,
        object: &mut Object,
        name: &'a str,
        text: &str,
    ) -> Result<(), Malformed> {
        let table = self.table.get_or_insert_with(|| NameTable::new(self.document_bytes));
        let number = match object.number {
            Some(number) => number,
            None => {
                let number = table.next_object();
                for before in self.few.get(object.outer..self.len).unwrap_or_default() {
                    table.add(number, before, before)?;
                }
                self.len = object.outer;
                object.number = Some(number);
                number
            }
        };
        table.add(number, name, text)
    }

    /// Ends the innermost object.
    pub(super) const fn close(&mut self, object: &Object) {
        self.len = object.outer;
    }
}

/// A filter that recognizes most new names of an object by their length and their first and last bytes.
struct Filter(u64);

impl Filter {
    /// Records a name, and returns whether it may have been there before.
    fn may_have(&mut self, name: &str) -> bool {
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
