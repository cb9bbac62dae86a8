//! The last requests and their answers.
use super::html::{section as part, table, text};
use crate::{events::to_rfc3339, recent::RecentRequest, running::RunningTenant};

pub(super) fn section(running: &RunningTenant) -> String {
    let recent = running.recent().newest();
    let rows: String = recent.iter().map(row).collect();
    let list = match rows.is_empty() {
        true => "<p>No request has arrived yet, except those of this page.</p>".to_owned(),
        false => table(
            "The last requests, the newest first",
            &["Time (UTC)", "Request", "Parameters", "Answer"],
            &rows,
        ),
    };
    let content = format!(
        "<p>The last 50, without secrets, tokens and bodies. <a href=\"/#requests\">Load again</a></p>{list}"
    );
    part("requests", "Last requests", &content)
}

fn row(request: &RecentRequest) -> String {
    let time = to_rfc3339(request.at);
    let time = time.get(11..19).unwrap_or_default();
    let (class, answer) = match &request.answer {
        None => ("open", "no answer yet".to_owned()),
        Some(answer) => {
            let class = if (200..400).contains(&answer.status) { "pass" } else { "fail" };
            let error = answer.error.as_deref().map(text).unwrap_or_default();
            match answer.status {
                0 => (class, error),
                status => (class, format!("{status} {error}")),
            }
        }
    };
    format!(
        "<tr class=\"{class}\"><td>{time}</td><td><code>{} {}</code></td><td>{}</td><td>{answer}</td></tr>",
        text(&request.method),
        text(&request.path),
        text(&request.parameters)
    )
}
