//! Which verifiers accept which bad tokens.
use crate::token::BAD;

pub(crate) fn print(rows: impl Iterator<Item = (&'static str, [bool; BAD.len()])>) {
    println!("\n| accepted by | {} |", BAD.join(" | "));
    println!("|---{}|", "|:-:".repeat(BAD.len()));
    for (name, accepted) in rows {
        let cells = accepted.map(|accepted| if accepted { "accepted" } else { "" });
        println!("| {name} | {} |", cells.join(" | "));
    }
}
