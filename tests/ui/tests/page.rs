//! `docs/does-not-compile.md`, held to the messages of the compiler.
use std::{collections::BTreeMap, fs, path::Path};

/// The first cell of each row has pieces of one message, in backticks.
#[test]
fn every_message_has_a_row_and_every_row_a_message() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page =
        fs::read_to_string(root.join("../../docs/does-not-compile.md")).expect("it is readable");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| pieces(line.split(" | ").next().unwrap_or_default()))
        .collect();
    let mut messages = BTreeMap::new();
    for entry in fs::read_dir(root.join("compile_fail")).expect("the folder is there") {
        let path = entry.expect("it is readable").path();
        if path.extension().is_some_and(|extension| extension == "stderr") {
            let text = fs::read_to_string(&path).expect("it is readable");
            messages.insert(path.file_stem().expect("it has a name").to_owned(), text);
        }
    }
    let is_of = |row: &[&str], message: &str| row.iter().all(|piece| message.contains(piece));
    for row in &rows {
        assert!(!row.is_empty(), "a row without a message");
        assert!(messages.values().any(|message| is_of(row, message)), "no mistake causes {row:?}");
    }
    for (name, message) in &messages {
        assert!(rows.iter().any(|row| is_of(row, message)), "{name:?} has no row");
    }
}

/// Returns the texts in backticks. Two backticks enclose a text with backticks in it.
fn pieces(mut cell: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while let Some((_, rest)) = cell.split_once('`') {
        let (fence, rest) = match rest.strip_prefix('`') {
            Some(rest) => ("``", rest),
            None => ("`", rest),
        };
        let Some((piece, after)) = rest.split_once(fence) else { break };
        pieces.push(piece.trim());
        cell = after;
    }
    pieces
}
