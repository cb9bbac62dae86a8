//! A report as JSON, in ASCII: what a terminal shows of it has no effect on the terminal.
use super::{
    Unusable,
    check::{Check, Outcome, Row},
    report::{Report, Verdict},
};
use serde_json::{Map, Value, json};
use std::fmt::Write;

impl Report {
    /// Returns the report as JSON, without the token.
    pub(crate) fn to_json(&self) -> Value {
        let facts = self.facts.iter().map(|(name, text)| ((*name).to_owned(), json!(text)));
        let response = self.response.as_ref().map(|response| {
            json!({
                "status": response.status,
                "www_authenticate": response.challenges,
                "body": serde_json::from_str::<Value>(&response.body).unwrap_or_default(),
            })
        });
        json!({
            "kind": self.kind.name(),
            "checked_as": self.checked_as.name(),
            "summary": self.headline,
            "facts": Map::from_iter(facts),
            "header": self.header,
            "claims": self.claims,
            "checks": self.checks.iter().map(of_check).collect::<Vec<_>>(),
            "verdict": self.verdict().name(),
            "sentence": self.sentence(),
            "signature_verified": self.is_verified,
            "refused_by": self.refused_by.map(Row::name),
            "response": response,
            "notes": self.notes,
        })
    }
}

impl Unusable {
    pub(crate) fn to_json(&self) -> Value {
        json!({ "verdict": "unusable", "error": self.error, "message": self.message })
    }
}

impl Outcome {
    /// Returns the name in JSON.
    const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotChecked => "not_checked",
        }
    }
}

impl Verdict {
    /// Returns the name in JSON.
    const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Incomplete => "incomplete",
        }
    }
}

fn of_check(check: &Check) -> Value {
    let mut members = Map::new();
    members.insert("check".into(), json!(check.row.name()));
    members.insert("result".into(), json!(check.outcome.name()));
    members.insert("seen".into(), json!(check.seen));
    for (name, text) in [
        ("requirement", check.requirement.as_deref()),
        ("hint", check.hint.as_deref()),
        ("expected", Some(check.expected.as_str())),
        ("change", Some(check.advice.as_str())),
        ("error_code", check.code.map(auth0_core::ErrorCode::as_str)),
    ] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            members.insert(name.into(), json!(text));
        }
    }
    members.into()
}

/// Writes a value with line breaks, and with escapes for everything outside printable ASCII.
pub(crate) fn ascii(value: &Value) -> String {
    let json = format!("{value:#}");
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            ' '..='~' | '\n' => text.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ascii_is_the_same_json() {
        let value = json!({ "a\u{7f}": "\u{1b}[31m\u{9b}\u{202e}é😀\n\"\\" });
        let text = ascii(&value);
        assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
