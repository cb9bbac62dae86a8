//! The form for an inspection, and its report.
use super::{
    Shown,
    act::{Acted, Action},
    html::{area, button, choice, field, form, section as part, table, text},
};
use crate::{
    inspect::{Check, Kind, Member, Outcome, Report, Verdict},
    running::RunningTenant,
};

pub(super) fn section(running: &RunningTenant, shown: &Shown) -> String {
    let tenant = running.tenant();
    let value = |name: &str, or| shown.value(Action::Inspect, name, or);
    let mut kinds = vec![("", "what it is")];
    kinds.extend(Kind::ALL.iter().map(|kind| (kind.name(), kind.words())));
    let fields = [
        area("pasted", "A token, a proof, or a response with a token", value("pasted", ""), 4),
        field("audience", "Audience of the API", value("audience", tenant.audience()), ""),
        field(
            "requirement",
            "Requirement of the route",
            value("requirement", ""),
            "scope(\"read:messages\")",
        ),
        field("client_id", "Client id, for ID and logout tokens", value("client_id", ""), ""),
        choice("kind", "Check it as", &kinds, value("kind", "")),
        field("method", "Method, for a proof", value("method", ""), "GET"),
        field("url", "URL, for a proof", value("url", ""), "http://127.0.0.1:3000/api/private"),
        area("proof", "The proof that comes with the token", value("proof", ""), 2),
    ];
    let content = format!(
        "<p>Checked with the keys of this tenant, in this process. On the command line: <code>auth0-local inspect</code>.\
         </p><div class=\"fields\">{}</div><p>{}</p>",
        fields.concat(),
        button(Action::Inspect.name(), "Inspect it")
    );
    let found = match &shown.outcome {
        Some(Acted::Inspected(report)) => shown_report(report),
        Some(Acted::Unusable(unusable)) => {
            format!("<p class=\"notice fail\" role=\"status\">{}</p>", text(&unusable.message))
        }
        _ => String::new(),
    };
    part("inspect", "Inspect a token or a proof", &format!("{}{found}", form("inspect", &content)))
}

fn shown_report(report: &Report) -> String {
    let class = match report.verdict() {
        Verdict::Accepted => "pass",
        Verdict::Refused => "fail",
        Verdict::Incomplete => "open",
    };
    let notes: String =
        report.notes.iter().map(|note| format!("<li>{}</li>", text(note))).collect();
    let notes = if notes.is_empty() { notes } else { format!("<ul>{notes}</ul>") };
    let facts: String = report
        .facts
        .iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", text(value)))
        .collect();
    let checks: String = report.checks.iter().map(row).collect();
    let response = report.response.as_ref().map_or(String::new(), |response| {
        let lines = response.challenges.iter().map(|it| format!("WWW-Authenticate: {it}\n"));
        let lines: String = lines.collect();
        format!(
            "<pre tabindex=\"0\">{}{}</pre>",
            lines_of(&lines),
            text(&response.body.to_string())
        )
    });
    let claims = match &report.claims {
        Some(claims) => members(&report.members(claims)),
        None => "<p>The payload is not a JSON object.</p>".to_owned(),
    };
    format!(
        "<div class=\"result\" id=\"report\"><p class=\"notice {class}\" role=\"status\">{sentence}</p>\
         <p><strong>{headline}</strong></p>{notes}<dl>{facts}</dl><h3>{title}</h3>{checks}{response}\
         <details><summary>Header and claims</summary>{header}{claims}</details></div>",
        sentence = text(&report.sentence()),
        headline = text(&report.headline),
        title = text(&report.title()),
        checks = table(
            "Checks in their order",
            &["Result", "Check", "Seen, expected and what to change"],
            &checks
        ),
        header = members(&report.members(&report.header)),
    )
}

/// Returns lines, whose line breaks stay.
fn lines_of(lines: &str) -> String {
    lines.lines().map(|line| format!("{}\n", text(line))).collect()
}

fn row(check: &Check) -> String {
    let (class, result) = match check.outcome {
        Outcome::Pass => ("pass", "pass"),
        Outcome::Fail => ("fail", "FAIL"),
        Outcome::NotChecked => ("open", "not checked"),
    };
    let requirement = check.requirement.as_ref();
    let requirement =
        requirement.map(|it| format!("<br><code>{}</code>", text(it))).unwrap_or_default();
    let code = check.code.map(|code| format!("<code>{code}</code>: ")).unwrap_or_default();
    let line = |label: &str, value: &str| match value.is_empty() {
        true => String::new(),
        false => format!("<br><span class=\"label\">{label}</span> {}", text(value)),
    };
    format!(
        "<tr class=\"{class}\" data-check=\"{name}\"><td>{result}</td><th scope=\"row\">{name}{requirement}</th>\
         <td>{code}{seen}{hint}{expected}{advice}</td></tr>",
        name = check.row.name(),
        seen = text(&check.seen),
        hint = line("hint:", check.hint.as_deref().unwrap_or_default()),
        expected = line("expected:", &check.expected),
        advice = line("change:", &check.advice),
    )
}

fn members(members: &[Member]) -> String {
    let member = |Member { name, value, meaning }: &Member| {
        let meaning = meaning.as_deref().map(|it| format!(" <small>{}</small>", text(it)));
        format!(
            "<dt><code>{}</code></dt><dd><code>{}</code>{}</dd>",
            text(name),
            text(value),
            meaning.unwrap_or_default()
        )
    };
    format!("<dl>{}</dl>", members.iter().map(member).collect::<String>())
}
