//! A report for the terminal, which is readable without colors.
use super::{
    check::{Check, Outcome},
    report::{Member, Report, Verdict},
    shown::printable,
};
use std::fmt::{self, Display};

/// A report as text.
pub(crate) struct Terminal<'a> {
    pub(crate) report: &'a Report,
    pub(crate) has_colors: bool,
}

/// The width of the column of names.
const NAME: usize = 12;

/// Where the text of a check begins.
const TEXT: usize = 2 + 4 + 2 + NAME + 1;

impl Display for Terminal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, .. } = self;
        writeln!(f, "{}", self.bold(&report.headline))?;
        for note in &report.notes {
            writeln!(f, "  note: {}", printable(note))?;
        }
        for (name, text) in &report.facts {
            writeln!(f, "  {name:NAME$} {text}")?;
        }
        writeln!(f, "\n{}", self.bold("Header"))?;
        members(f, &report.members(&report.header))?;
        writeln!(f, "\n{}", self.bold("Claims"))?;
        match &report.claims {
            Some(claims) => members(f, &report.members(claims))?,
            None => writeln!(f, "  The payload is not a JSON object")?,
        }
        writeln!(f, "\n{}", self.bold(&report.title()))?;
        report.checks.iter().try_for_each(|check| self.check(f, check))?;
        let color = match report.verdict() {
            Verdict::Accepted => GREEN,
            Verdict::Refused => RED,
            Verdict::Incomplete => YELLOW,
        };
        writeln!(f, "\n{}", self.colored(color, &report.sentence()))?;
        if let Some(response) = &report.response {
            for challenge in &response.challenges {
                writeln!(f, "  WWW-Authenticate: {}", printable(challenge))?;
            }
            writeln!(f, "  {}", printable(&response.body))?;
        }
        Ok(())
    }
}

impl Terminal<'_> {
    fn check(&self, f: &mut fmt::Formatter<'_>, check: &Check) -> fmt::Result {
        let (mark, color) = match check.outcome {
            Outcome::Pass => ("pass", GREEN),
            Outcome::Fail => ("FAIL", RED),
            Outcome::NotChecked => ("  - ", YELLOW),
        };
        let name = check.row.name();
        write!(f, "  {}  {name:NAME$} ", self.colored(color, mark))?;
        if let Some(requirement) = &check.requirement {
            write!(f, "{}: ", printable(requirement))?;
        }
        match check.outcome {
            Outcome::NotChecked => write!(f, "not checked: ")?,
            Outcome::Fail => {
                if let Some(code) = check.code {
                    write!(f, "{code}: ")?;
                }
            }
            Outcome::Pass => {}
        }
        writeln!(f, "{}", printable(&check.seen))?;
        let hint = check.hint.as_deref().unwrap_or_default();
        for (label, text) in
            [("hint", hint), ("expected", &check.expected), ("change", &check.advice)]
        {
            if !text.is_empty() {
                writeln!(f, "{:TEXT$}{label}: {}", "", printable(text))?;
            }
        }
        Ok(())
    }

    fn bold(&self, text: &str) -> String {
        self.colored("1", text)
    }

    fn colored(&self, color: &str, text: &str) -> String {
        match self.has_colors {
            true => format!("\u{1b}[{color}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

fn members(f: &mut fmt::Formatter<'_>, members: &[Member]) -> fmt::Result {
    members.iter().try_for_each(|Member { name, value, meaning }| {
        write!(f, "  {name:NAME$} {value}")?;
        match meaning {
            Some(meaning) => writeln!(f, "   {meaning}"),
            None => writeln!(f),
        }
    })
}
