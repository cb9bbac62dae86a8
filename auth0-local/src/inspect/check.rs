//! The checks of a token or a proof, in the order in which the verifier makes them.
use auth0_core::{Error, ErrorCode, support};

/// The scheme of an `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Bearer,
    Dpop,
}

impl Scheme {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Form,
    Type,
    Algorithm,
    Issuer,
    Key,
    Signature,
    Audience,
    Expiry,
    Start,
    Claims,
    Binding,
    Requirement,
    Method,
    Url,
    Age,
    Id,
    Token,
}

impl Row {
    /// Returns the name in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Type => "type",
            Self::Algorithm => "algorithm",
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Audience => "audience",
            Self::Expiry => "expiry",
            Self::Start => "start",
            Self::Claims => "claims",
            Self::Binding => "binding",
            Self::Requirement => "requirement",
            Self::Method => "method",
            Self::Url => "url",
            Self::Age => "age",
            Self::Id => "id",
            Self::Token => "token",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pass,
    Fail,
    NotChecked,
}

/// One check with its outcome. The texts are not escaped.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) row: Row,
    pub(crate) outcome: Outcome,
    /// What was seen or, where nothing was checked, why.
    pub(crate) seen: String,
    pub(crate) expected: String,
    /// What to change.
    pub(crate) advice: String,
    /// The claim that has what was expected in another one.
    pub(crate) hint: Option<String>,
    /// The code of the refusal.
    pub(crate) code: Option<ErrorCode>,
    /// The requirement, for a check of one.
    pub(crate) requirement: Option<String>,
}

/// The reason why a check fails.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) row: Row,
    /// The checks that come before it, and so have passed.
    pub(super) proves: &'static [Row],
    pub(super) seen: String,
    pub(super) expected: String,
    pub(super) advice: String,
    pub(super) code: Option<ErrorCode>,
    pub(super) response: Option<Response>,
}

/// What an API answers.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) code: ErrorCode,
    pub(crate) status: u16,
    pub(crate) challenges: Vec<String>,
    /// As it is sent: a `Value` would sort its members.
    pub(crate) body: String,
}

impl Response {
    pub(super) fn of(error: &Error) -> Self {
        let challenge = error.challenge();
        let is_challenge = |(name, _): &(&str, &str)| *name == "www-authenticate";
        Self {
            code: error.code(),
            status: challenge.status(),
            challenges: challenge.headers().filter(is_challenge).map(|(_, it)| it.into()).collect(),
            body: String::from_utf8_lossy(challenge.body()).into_owned(),
        }
    }
}

impl Refused {
    /// Creates the refusal of the verifier, with its response.
    pub(super) fn of(error: &Error, row: Row, proves: &'static [Row]) -> Self {
        let [seen, expected, advice] = support::cause_parts(error).map(Option::unwrap_or_default);
        let seen = if seen.is_empty() { error.to_string() } else { seen.to_owned() };
        Self {
            row,
            proves,
            seen,
            expected: expected.to_owned(),
            advice: advice.to_owned(),
            code: Some(error.code()),
            response: Some(Response::of(error)),
        }
    }
}

/// The checks in order. One that is not decided has no entry yet.
#[derive(Debug)]
pub(super) struct Table(Vec<(Row, Option<Check>)>);

impl Table {
    pub(super) fn new(rows: &[Row]) -> Self {
        Self(rows.iter().map(|row| (*row, None)).collect())
    }

    /// Decides a check, unless it is decided.
    pub(super) fn decide(&mut self, check: Check) {
        if let Some((_, slot)) = self.0.iter_mut().find(|(row, _)| *row == check.row) {
            // What has failed once does not pass because it was set right for the others.
            let _ = slot.get_or_insert(check);
        }
    }

    pub(super) fn pass(&mut self, row: Row, seen: String) {
        self.decide(Check::passed(row, seen));
    }

    pub(super) fn fail(&mut self, refused: &Refused) {
        self.decide(Check::failed(refused));
    }

    pub(super) fn skip(&mut self, row: Row, why: impl Into<String>) {
        self.decide(Check::not_checked(row, why));
    }

    /// Replaces a check that has passed.
    pub(super) fn take_back(&mut self, row: Row, why: &str) {
        let has_passed = |check: &Check| check.row == row && check.outcome == Outcome::Pass;
        for (_, slot) in &mut self.0 {
            if slot.as_ref().is_some_and(has_passed) {
                *slot = Some(Check::not_checked(row, why));
            }
        }
    }

    /// Returns the checks. Those that are not decided were not reached.
    pub(super) fn into_checks(self) -> Vec<Check> {
        let not_reached = |row| Check::not_checked(row, "a check before it fails");
        let checks = self.0.into_iter();
        checks.map(|(row, check)| check.unwrap_or_else(|| not_reached(row))).collect()
    }
}

impl Check {
    pub(super) fn passed(row: Row, seen: String) -> Self {
        Self { outcome: Outcome::Pass, ..Self::not_checked(row, seen) }
    }

    pub(super) fn failed(refused: &Refused) -> Self {
        Self {
            row: refused.row,
            outcome: Outcome::Fail,
            seen: refused.seen.clone(),
            expected: refused.expected.clone(),
            advice: refused.advice.clone(),
            code: refused.code,
            hint: None,
            requirement: None,
        }
    }

    pub(super) fn not_checked(row: Row, why: impl Into<String>) -> Self {
        Self {
            row,
            outcome: Outcome::NotChecked,
            seen: why.into(),
            expected: String::new(),
            advice: String::new(),
            hint: None,
            code: None,
            requirement: None,
        }
    }

    pub(super) fn of_requirement(self, requirement: &impl ToString) -> Self {
        Self { requirement: Some(requirement.to_string()), ..self }
    }
}
