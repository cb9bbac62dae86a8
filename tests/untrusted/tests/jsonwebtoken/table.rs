//! The table in `docs/security.md`.
const PAGE: &str = include_str!("../../../../docs/security.md");

/// A kind of disagreement as the page has it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) kind: &'static str,
    /// The part of the token that the example changes, and the members of its JSON.
    pub(super) example: (&'static str, String),
    /// The code with which our verifier refuses; `None` if it accepts.
    pub(super) ours: Option<&'static str>,
    pub(super) theirs_accepts: bool,
}

pub(super) fn rows() -> Vec<Row> {
    let (_, section) = PAGE.split_once("\n## Compared with jsonwebtoken\n").expect("the section");
    let lines = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    lines.take_while(|line| line.starts_with('|')).map(row).collect()
}

fn row(line: &'static str) -> Row {
    let inside = line.trim_matches('|');
    let mut cells = Vec::new();
    let mut begin = 0;
    for (at, _) in inside.match_indices('|').filter(|(at, _)| !inside[..*at].ends_with('\\')) {
        cells.push(inside[begin..at].trim());
        begin = at + 1;
    }
    let [kind, example, ours, theirs] = cells[..] else { panic!("not a row: {line}") };
    let (part, members) = example.split_once(" `").expect("a part and its members");
    Row {
        kind,
        example: (part, members.trim_end_matches('`').replace("\\|", "|")),
        ours: (ours != "accepted").then(|| ours.trim_matches('`')),
        theirs_accepts: theirs == "accepted",
    }
}
