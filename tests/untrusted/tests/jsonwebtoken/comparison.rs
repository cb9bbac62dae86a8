//! 100,000 tokens, verified by both. The table in `docs/security.md` has every kind of disagreement.
use super::{
    kinds::kind,
    parties::{Judgement, Parties},
    table::{Row, rows},
    tokens,
};
use std::{collections::BTreeSet, thread};

const TOKENS: u64 = 100_000;
const THREADS: u64 = 4;

#[test]
fn every_example_of_the_table_is_so() {
    let parties = Parties::new();
    for row in rows() {
        let (part, members) = &row.example;
        let judgement = parties.judge(|now| tokens::example(&parties, part, members, now));
        assert_eq!(kind(&judgement), Some(row.kind), "{}", described(&judgement));
        assert!(is_as_stated(&judgement, &row), "{row:?}: {}", described(&judgement));
    }
}

#[test]
fn every_disagreement_is_of_a_kind_in_the_table() {
    let mut found = Findings::default();
    thread::scope(|scope| {
        let part = |first| move || Findings::of((first..TOKENS).step_by(THREADS as usize));
        let parts: Vec<_> = (0..THREADS).map(|first| scope.spawn(part(first))).collect();
        for part in parts {
            found.add(part.join().expect("a disagreement that is not listed"));
        }
    });
    let never: Vec<_> =
        rows().iter().map(|row| row.kind).filter(|kind| !found.kinds.contains(kind)).collect();
    assert!(never.is_empty(), "these kinds no longer occur: {never:?}");
    // Otherwise the generator has lost its aim.
    assert!(found.accepted > 10_000 && found.refused > 50_000, "{found:?}");
}

/// What a number of tokens has shown.
#[derive(Debug, Default)]
struct Findings {
    /// By both.
    accepted: u32,
    /// By both.
    refused: u32,
    kinds: BTreeSet<&'static str>,
}

impl Findings {
    /// Verifies the tokens of these numbers. Panics at a disagreement that is not as the table has it.
    fn of(numbers: impl Iterator<Item = u64>) -> Self {
        let (parties, rows) = (Parties::new(), rows());
        let mut found = Self::default();
        for number in numbers {
            let judgement = parties.judge(|now| tokens::token(&parties, number, now));
            match (&judgement.ours, &judgement.theirs) {
                (Ok(ours), Ok(theirs)) => {
                    assert_eq!(ours, theirs, "{}", described(&judgement));
                    found.accepted += 1;
                }
                (Err(_), Err(_)) => found.refused += 1,
                _ => {
                    let kind = kind(&judgement);
                    let row = rows.iter().find(|row| Some(row.kind) == kind);
                    let is_listed = row.is_some_and(|row| is_as_stated(&judgement, row));
                    assert!(is_listed, "number {number}, {row:?}: {}", described(&judgement));
                    found.kinds.extend(kind);
                }
            }
        }
        found
    }

    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.kinds.extend(other.kinds);
    }
}

fn is_as_stated(judgement: &Judgement, row: &Row) -> bool {
    judgement.ours.as_ref().err().map(|code| code.as_str()) == row.ours
        && judgement.theirs.is_ok() == row.theirs_accepts
}

fn described(judgement: &Judgement) -> String {
    let Judgement { token, ours, theirs, now } = judgement;
    format!("{token} at {now}: ours {ours:?}, theirs {theirs:?}")
}
