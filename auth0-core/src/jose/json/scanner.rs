//! The one pass over a document.
use super::{
    Malformed, Shape, Value,
    names::Names,
    text::{is_well_escaped, plain_length, unescape_into},
};

/// Deep enough for any claim in use (`authorization_details`, `act` chains), and small enough for recursion
/// to need little stack.
pub(super) const MAX_DEPTH: usize = 32;

/// Numbers near the limit of a double must be read, which is costly. No claim has them.
const MAX_LARGE_NUMBERS: usize = 100;

pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    names: Names<'a>,
    /// The last name that had escapes, without them.
    name: String,
    large_numbers: usize,
}

/// A string with its escapes, without its quotation marks.
#[derive(Clone, Copy, Debug)]
struct Raw<'a> {
    content: &'a str,
    escapes: Escapes,
}

/// The escapes of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escapes {
    None,
    /// Of one character each.
    Simple,
    /// Also of code units, which are not checked yet.
    Units,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, names: Names::new(text.len()), name: String::new(), large_numbers: 0 }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, expected: u8) -> Result<(), Malformed> {
        if self.peek() == Some(expected) {
            self.at += 1;
            Ok(())
        } else {
            Err(Malformed::Syntax)
        }
    }

    pub(super) fn skip_whitespace(&mut self) {
        // Tokens usually have none, which takes one comparison.
        while let Some(0..=b' ') = self.peek() {
            if !matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                return;
            }
            self.at += 1;
        }
    }

    fn since(&self, start: usize) -> Result<&'a str, Malformed> {
        self.text.get(start..self.at).ok_or(Malformed::Syntax)
    }

    pub(super) fn end(&mut self) -> Result<(), Malformed> {
        self.skip_whitespace();
        if self.at == self.text.len() { Ok(()) } else { Err(Malformed::Syntax) }
    }

    pub(super) fn value(&mut self, depth: usize) -> Result<Value<'a>, Malformed> {
        let start = self.at;
        let shape = match self.peek().ok_or(Malformed::Syntax)? {
            b'"' => {
                let string = self.string()?;
                if string.escapes == Escapes::Units && !is_well_escaped(string.content) {
                    return Err(Malformed::Syntax);
                }
                Shape::String { escaped: string.escapes != Escapes::None }
            }
            b'{' => {
                self.object(depth, &mut |_, _| {})?;
                Shape::Object
            }
            b'[' => {
                let (mut strings, mut escapes) = (true, false);
                self.array(depth, &mut |element| match element.shape {
                    Shape::String { escaped } => escapes |= escaped,
                    _ => strings = false,
                })?;
                if strings { Shape::Strings { escaped: escapes } } else { Shape::Array }
            }
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => self.number()?,
        };
        Ok(Value { raw: self.since(start)?, shape })
    }

    pub(super) fn object<F: FnMut(&str, Value<'a>)>(
        &mut self,
        depth: usize,
        member: &mut F,
    ) -> Result<(), Malformed> {
        if depth >= MAX_DEPTH {
            return Err(Malformed::TooDeep);
        }
        let mut object = self.names.open();
        self.take(b'{')?;
        self.skip_whitespace();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_whitespace();
            let name = self.string()?;
            self.skip_whitespace();
            self.take(b':')?;
            self.skip_whitespace();
            let value = self.value(depth + 1)?;
            if name.escapes != Escapes::None {
                unescape_into(&mut self.name, name.content).ok_or(Malformed::Syntax)?;
                member(&self.name, value);
                self.names.add_to_table(&mut object, name.content, &self.name)?;
            } else {
                member(name.content, value);
                self.names.add(&mut object, name.content)?;
            }
            self.skip_whitespace();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(Malformed::Syntax),
            }
        }
        self.at += 1;
        self.names.close(&object);
        Ok(())
    }

    pub(super) fn array(
        &mut self,
        depth: usize,
        element: &mut impl FnMut(Value<'a>),
    ) -> Result<(), Malformed> {
        if depth >= MAX_DEPTH {
            return Err(Malformed::TooDeep);
        }
        self.take(b'[')?;
        self.skip_whitespace();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_whitespace();
            element(self.value(depth + 1)?);
            self.skip_whitespace();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(Malformed::Syntax),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Checks the grammar of a string except for escapes of code units.
    #[inline]
    fn string(&mut self) -> Result<Raw<'a>, Malformed> {
        self.take(b'"')?;
        let start = self.at;
        self.skip_plain();
        let escapes = match self.peek() {
            Some(b'"') => Escapes::None,
            _ => self.escapes()?,
        };
        let content = self.since(start)?;
        self.at += 1;
        Ok(Raw { content, escapes })
    }

    fn skip_plain(&mut self) {
        self.at += plain_length(self.text.as_bytes().get(self.at..).unwrap_or_default());
    }

    /// Skips the rest of a string from its first escape on, and checks escapes of one character.
    #[cold]
    fn escapes(&mut self) -> Result<Escapes, Malformed> {
        let mut escapes = Escapes::Simple;
        loop {
            match self.peek().ok_or(Malformed::Syntax)? {
                b'"' => return Ok(escapes),
                b'\\' => {
                    match self.text.as_bytes().get(self.at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                        Some(b'u') => escapes = Escapes::Units,
                        _ => return Err(Malformed::Syntax),
                    }
                    self.at += 2;
                }
                0..=0x1f => return Err(Malformed::Syntax),
                _ => self.skip_plain(),
            }
        }
    }

    fn literal(&mut self, word: &str) -> Result<Shape, Malformed> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(Malformed::Syntax);
        }
        self.at += word.len();
        Ok(Shape::Literal)
    }

    fn number(&mut self) -> Result<Shape, Malformed> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(Malformed::Syntax),
        }
        let whole = self.at - start;
        if whole <= 300 && !matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Ok(Shape::Number);
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let exponent = match self.peek() {
            Some(b'e' | b'E') => self.exponent()?,
            _ => 0,
        };
        // Readers differ in what they make of a number that no double can hold. One of so few digits is less
        // than 10³⁰⁸, so it need not be read.
        if exponent.saturating_add_unsigned(whole) > 308 {
            self.large_numbers += 1;
            if self.large_numbers > MAX_LARGE_NUMBERS {
                return Err(Malformed::Syntax);
            }
            let value: f64 = self.since(start)?.parse().map_err(|_| Malformed::Syntax)?;
            if !value.is_finite() {
                return Err(Malformed::Syntax);
            }
        }
        Ok(Shape::Number)
    }

    fn exponent(&mut self) -> Result<isize, Malformed> {
        self.at += 1;
        let sign = self.peek().filter(|byte| matches!(byte, b'+' | b'-'));
        self.at += usize::from(sign.is_some());
        let start = self.at;
        self.digits()?;
        let exponent = self.since(start)?.bytes().fold(0isize, |exponent, digit| {
            exponent.saturating_mul(10).saturating_add(isize::from(digit - b'0'))
        });
        Ok(if sign == Some(b'-') { -exponent } else { exponent })
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(Malformed::Syntax) } else { Ok(()) }
    }
}
