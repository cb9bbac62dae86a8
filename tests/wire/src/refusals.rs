//! The refusals of `docs/refusals.md`: every test expects the sentences that stand there, so that a
//! changed word is a decision.
use std::{fs, path::Path, sync::OnceLock};

/// A row of the page's table of sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The `error_code` of the body.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// The OAuth error, as the body has it: `unauthorized` where the challenge has none.
    pub error: String,
    /// The `error_description`.
    pub description: String,
}

impl Refusal {
    /// Returns every row, in the order of the page.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Refusal>> = OnceLock::new();
        ALL.get_or_init(|| {
            let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/refusals.md");
            parse(&fs::read_to_string(page).expect("docs/refusals.md is readable"))
        })
    }

    /// Returns the row of an `error_code`.
    pub fn of(code: &str) -> &'static Self {
        let mut rows = Self::all().iter();
        rows.find(|row| row.code == code)
            .unwrap_or_else(|| panic!("docs/refusals.md has no sentence for `{code}`"))
    }

    /// Returns the body of the response.
    pub fn body(&self) -> String {
        let Self { code, error, description, .. } = self;
        format!(
            r#"{{"error":"{error}","error_description":"{description}","error_code":"{code}"}}"#
        )
    }

    /// Returns the parameters `error` and `error_description` of the challenge: none where it is bare.
    pub fn parameters(&self) -> Option<String> {
        let Self { error, description, .. } = self;
        let is_bare = error == "unauthorized";
        (!is_bare).then(|| format!("error=\"{error}\", error_description=\"{description}\""))
    }
}

const HEADER: &str = "| error_code | status | error | error_description |";

fn parse(page: &str) -> Vec<Refusal> {
    let mut lines = page.lines().skip_while(|line| *line != HEADER);
    assert_eq!(lines.next(), Some(HEADER), "docs/refusals.md has the table of sentences");
    assert_eq!(lines.next(), Some("|---|---|---|---|"));
    lines.take_while(|line| line.starts_with('|')).map(parse_row).collect()
}

fn parse_row(line: &str) -> Refusal {
    let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`'));
    let [code, status, error, description] = cells.collect::<Vec<_>>()[..] else {
        panic!("four cells are expected: {line}");
    };
    Refusal {
        code: code.to_owned(),
        status: status.parse().expect("the status is a number"),
        error: error.to_owned(),
        description: description.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_sentences_is_read() {
        let other = "| situation | status |\n|---|---|\n| no token | 401 |\n";
        let row = "| `token_missing` | 401 | `unauthorized` | No `token` was sent. |\n";
        let page = format!("# Refusals\n{other}\n{HEADER}\n|---|---|---|---|\n{row}\nText\n{row}");
        let rows = parse(&page);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].parameters(), None);
        assert_eq!(
            rows[0].body(),
            r#"{"error":"unauthorized","error_description":"No `token` was sent.","error_code":"token_missing"}"#
        );
        let forbidden = Refusal { error: "insufficient_scope".into(), ..rows[0].clone() };
        let parameters = "error=\"insufficient_scope\", error_description=\"No `token` was sent.\"";
        assert_eq!(forbidden.parameters().as_deref(), Some(parameters));
    }
}
