//! The cause of a refusal, for the log: what was seen, what was expected, and what to do.
use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

type Text = Cow<'static, str>;

/// The three parts of a cause. The check that refuses supplies what it knows. The verifier supplies the rest,
/// with its configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cause {
    seen: Option<Text>,
    expected: Option<Text>,
    next_step: Option<Text>,
    /// The text of the parts, written when it is read first.
    text: OnceLock<Arc<str>>,
}

impl Cause {
    pub(super) fn see(&mut self, seen: Text) {
        self.seen = Some(seen);
        self.text = OnceLock::new();
    }

    pub(super) fn expect(&mut self, expected: Text) {
        self.expected = Some(expected);
        self.text = OnceLock::new();
    }

    pub(super) fn advise(&mut self, next_step: Text) {
        self.next_step = Some(next_step);
        self.text = OnceLock::new();
    }

    pub(super) const fn has_expected(&self) -> bool {
        self.expected.is_some()
    }

    pub(super) const fn has_next_step(&self) -> bool {
        self.next_step.is_some()
    }

    pub(super) fn parts(&self) -> [Option<&str>; 3] {
        [self.seen.as_deref(), self.expected.as_deref(), self.next_step.as_deref()]
    }

    pub(super) fn text(&self) -> Option<&str> {
        let seen = self.seen.as_deref()?;
        Some(self.text.get_or_init(|| {
            let mut text = seen.to_owned();
            if let Some(expected) = &self.expected {
                text.push_str("; expected ");
                text.push_str(expected);
            }
            if let Some(next_step) = &self.next_step {
                text.push_str(". ");
                text.push_str(next_step);
            }
            text.into()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_added_later_is_in_the_text() {
        let mut cause = Cause::default();
        cause.advise("Do this".into());
        assert_eq!(cause.text(), None, "there is no cause without what was seen");
        cause.see("a".into());
        assert_eq!(cause.text(), Some("a. Do this"));
        cause.expect("b".into());
        assert_eq!(cause.text(), Some("a; expected b. Do this"));
        assert_eq!(cause.clone().text(), cause.text());
    }
}
