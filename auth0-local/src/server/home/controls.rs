//! The drills: faults and keys.
use super::{
    act::Action,
    html::{button, choice, field, form, section as part, table, text},
};
use crate::{endpoint::Endpoint, fault::FaultChanges, running::RunningTenant};
use serde_json::json;

pub(super) fn section(running: &RunningTenant) -> String {
    let endpoints = Endpoint::ALL.map(|endpoint| (endpoint.name(), endpoint.name()));
    let stats = running.stats();
    // Changes nothing, and returns what there is.
    let current = running.change_faults(&FaultChanges::default()).unwrap_or_default();
    let current = json!(FaultChanges::from(current));
    let rows: String = Endpoint::ALL
        .into_iter()
        .filter_map(|endpoint| {
            let fault = current.get(endpoint.name()).and_then(|fault| fault.as_str());
            let requests = stats.requests(endpoint);
            (fault.is_some() || requests.total() > 0).then(|| {
                format!(
                    "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
                    endpoint.name(),
                    text(fault.unwrap_or("none")),
                    requests.served,
                    requests.faulted
                )
            })
        })
        .collect();
    let fault = format!(
        "<div class=\"fields\">{}{}</div><p>{} {}</p>",
        choice("endpoint", "Endpoint", &endpoints, "jwks"),
        field(
            "fault",
            "Fault",
            "500",
            "500, 429:30, slow:2, hang, reset, garbage, empty, none; @0.5, x3"
        ),
        button(Action::Fault.name(), "Set the fault"),
        button(Action::ClearFaults.name(), "Clear all faults"),
    );
    let ids: String = running
        .tenant()
        .key_ids()
        .iter()
        .enumerate()
        .map(|(place, id)| {
            let signs = if place == 0 { " signs" } else { "" };
            format!("<li><code>{}</code>{signs}</li>", text(id))
        })
        .collect();
    let keys = format!(
        "{} {}",
        button(Action::Rotate.name(), "Rotate the key"),
        button(Action::Withdraw.name(), "Withdraw the old keys")
    );
    let content = format!(
        "<h3>Faults</h3>{}{}<h3>Keys</h3><ul id=\"keys\">{ids}</ul>{}",
        form("drills", &fault),
        table("Endpoints", &["Endpoint", "Fault", "Served", "Met a fault"], &rows),
        form("drills", &keys)
    );
    part("drills", "Drills", &content)
}
