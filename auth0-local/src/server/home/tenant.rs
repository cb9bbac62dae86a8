//! What the tenant is: its settings, users, clients and APIs.
use super::{
    act::Action,
    html::{button, form, section as part, table, text},
};
use crate::{
    directory::{Client, Membership, User},
    running::RunningTenant,
    server::page::hidden,
};
use std::sync::Arc;

/// The most entries that are listed.
const MAX_LISTED: usize = 100;

pub(super) fn section(running: &RunningTenant) -> String {
    let tenant = running.tenant();
    let settings = running.settings();
    let on = |is_on| if is_on { "yes" } else { "no" };
    let documents = [".well-known/openid-configuration", ".well-known/jwks.json"]
        .map(|path| format!("<a href=\"/{path}\">{path}</a>"))
        .join(", ");
    let facts: String = [
        ("Issuer", text(tenant.issuer())),
        ("Audience by default", text(tenant.audience())),
        ("Documents", documents),
        ("Clients that are not registered may log in", on(settings.open_clients).to_owned()),
        ("Clients can register themselves", on(settings.dynamic_registration).to_owned()),
        ("A page asks which user logs in", on(settings.interactive).to_owned()),
        ("Refresh tokens rotate", on(settings.rotates_refresh_tokens).to_owned()),
    ]
    .iter()
    .map(|(name, value)| format!("<dt>{name}</dt><dd>{value}</dd>"))
    .collect();
    let content =
        format!("<dl>{facts}</dl>{}{}{}", users(running), clients(running), apis(running));
    part("tenant", "The tenant", &content)
}

fn users(running: &RunningTenant) -> String {
    let default = running.default_user();
    let mut users: Vec<Arc<User>> = running.directory().all_users().cloned().collect();
    if users.is_empty() {
        users.extend(default.clone());
    }
    let is_default =
        |user: &User| default.as_ref().is_some_and(|it| it.subject() == user.subject());
    let row = |user: &Arc<User>| {
        let organizations: Vec<&str> =
            user.own_organizations().iter().map(Membership::id).collect();
        let (action, label) = match user.is_blocked() {
            true => (Action::Unblock, "Unblock"),
            false => (Action::Block, "Block"),
        };
        let mut state = Vec::new();
        state.extend(is_default(user).then_some("logs in by default"));
        state.extend(user.is_blocked().then_some("blocked"));
        let buttons = format!(
            "{}{} {}",
            hidden("user", user.subject()),
            button(action.name(), label),
            button(Action::Logout.name(), "Log out")
        );
        format!(
            "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            text(user.subject()),
            text(user.label()),
            text(&organizations.join(" ")),
            text(&user.own_permissions().join(" ")),
            state.join(", "),
            form("tenant", &buttons)
        )
    };
    listed(
        "Users",
        &["User", "Name", "Organizations", "Permissions", "State", "Actions"],
        &users,
        row,
    )
}

fn clients(running: &RunningTenant) -> String {
    let clients: Vec<Arc<Client>> = running.directory().all_clients().cloned().collect();
    let row = |client: &Arc<Client>| {
        let authentication = match () {
            () if client.is_public() => "none (public)",
            () if client.certificate().is_some() => "mTLS",
            () if client.signs_assertions() => "private_key_jwt",
            () => "client secret",
        };
        format!(
            "<tr><th scope=\"row\"><code>{}</code></th><td>{authentication}</td><td>{}</td><td>{}</td></tr>",
            text(client.id()),
            text(&client.own_callbacks().join(" ")),
            text(&client.own_backchannel_logout_urls().join(" "))
        )
    };
    let heads = ["Client", "Authentication", "Callbacks", "Logout tokens"];
    match clients.is_empty() {
        true => "<h3>Clients</h3><p>None is registered: any client id gets machine tokens, with any secret.</p>".to_owned(),
        false => listed("Clients", &heads, &clients, row),
    }
}

fn apis(running: &RunningTenant) -> String {
    let apis = running.directory().apis().to_vec();
    let row = |api: &crate::directory::Api| {
        format!(
            "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{} s</td></tr>",
            text(api.identifier()),
            text(&api.own_scopes().join(" ")),
            api.lifetime().as_secs()
        )
    };
    match apis.is_empty() {
        true => "<h3>APIs</h3><p>None has settings: every identifier is that of an API, with every scope.</p>".to_owned(),
        false => listed("APIs", &["Identifier", "Scopes", "Lifetime of tokens"], &apis, row),
    }
}

/// Returns a table with a heading, and says how many entries it leaves out.
fn listed<T>(title: &str, heads: &[&str], entries: &[T], row: impl Fn(&T) -> String) -> String {
    let rows: String = entries.iter().take(MAX_LISTED).map(row).collect();
    let more = match entries.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!("<p>And {more} more.</p>"),
    };
    format!("<h3>{title}</h3>{}{more}", table(title, heads, &rows))
}
