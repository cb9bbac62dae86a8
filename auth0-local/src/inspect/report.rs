//! What an inspection found, for the terminal, as JSON and for the page.
use super::{
    check::{Check, Outcome, Response, Row},
    decoded::Decoded,
    facts::{self, Fact},
    found::Found,
    kind::Kind,
    moment,
    settings::Settings,
    shown::value,
};
use serde_json::{Map, Value};

/// What is said in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every check passes.
    Accepted,
    Refused,
    /// No check fails, and some were not made.
    Incomplete,
}

/// A member of the header or a claim: its name, its value in one line, and what that means for people.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) meaning: Option<String>,
}

pub(crate) struct Report {
    pub(crate) kind: Kind,
    pub(crate) checked_as: Kind,
    pub(crate) headline: String,
    pub(crate) facts: Vec<Fact>,
    pub(crate) header: Map<String, Value>,
    /// `None` if the payload is not a JSON object.
    pub(crate) claims: Option<Map<String, Value>>,
    pub(crate) checks: Vec<Check>,
    /// The check that decides: the first one that refuses.
    pub(crate) refused_by: Option<Row>,
    pub(crate) response: Option<Response>,
    /// Whether the signature was verified with the key of the one who must have made it.
    pub(crate) is_verified: bool,
    /// What was around the token.
    pub(crate) notes: Vec<String>,
    now: std::time::Duration,
}

/// The claims that are times (RFC 7519 §4.1, OpenID Connect Core 1.0 §2).
const TIMES: [&str; 5] = ["iat", "nbf", "exp", "auth_time", "updated_at"];

impl Report {
    pub(super) fn new(
        decoded: &Decoded<'_>,
        kind: Kind,
        checked_as: Kind,
        found: Found,
        notes: Vec<String>,
        settings: &Settings,
    ) -> Self {
        let now = settings.now();
        Self {
            kind,
            checked_as,
            headline: facts::headline(decoded, kind),
            facts: facts::facts(decoded, kind, now),
            header: decoded.header.clone(),
            claims: decoded.claims.clone(),
            checks: found.checks,
            refused_by: found.refused_by,
            response: found.response,
            is_verified: found.is_verified,
            notes,
            now,
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let has = |outcome| self.checks.iter().any(|check| check.outcome == outcome);
        match (has(Outcome::Fail), has(Outcome::NotChecked)) {
            (true, _) => Verdict::Refused,
            (false, true) => Verdict::Incomplete,
            (false, false) => Verdict::Accepted,
        }
    }

    /// Returns the verdict as a sentence.
    pub(crate) fn sentence(&self) -> String {
        let what = self.checked_as.words();
        let by = self.refused_by.map(|row| format!(", by the check {}", row.name()));
        let by = by.unwrap_or_default();
        match (self.verdict(), &self.response) {
            (Verdict::Refused, Some(Response { code, status, .. })) => {
                format!("Refused as {what}: {status} {code}{by}")
            }
            (Verdict::Refused, None) => format!("Refused as {what}{by}"),
            (Verdict::Accepted, _) => format!("Accepted as {what}: every check passes"),
            (Verdict::Incomplete, _) if self.is_verified => {
                format!("No check as {what} fails, and some were not made")
            }
            (Verdict::Incomplete, _) => format!(
                "No check as {what} fails, but the signature was not verified: the content may be forged"
            ),
        }
    }

    /// Returns what is checked, as a title.
    pub(crate) fn title(&self) -> String {
        let (kind, as_kind) = (self.kind.words(), self.checked_as.words());
        match self.kind == self.checked_as {
            true => format!("Checks as {as_kind}"),
            false => format!("Checks as {as_kind}, although it looks like {kind}"),
        }
    }

    /// Returns the header and the claims with times that people can read.
    pub(crate) fn members(&self, of: &Map<String, Value>) -> Vec<Member> {
        let meaning = |name: &str, value: &Value| {
            TIMES.contains(&name).then(|| moment::of(value, self.now)).flatten()
        };
        of.iter()
            .map(|(name, stated)| Member {
                name: value(&Value::from(name.as_str())).trim_matches('"').to_owned(),
                value: value(stated),
                meaning: meaning(name, stated),
            })
            .collect()
    }
}
