//! The page of an interactive tenant that asks which user logs in.
use super::{LOGIN_PATH, login::Question};
use crate::{
    running::RunningTenant,
    server::page::{asking, escape, hidden},
};
use axum::response::Response;

/// Returns the page. It carries the request, which is checked again when a user is chosen.
pub(super) fn page_of_users(running: &RunningTenant, query: &str, asked: &Question) -> Response {
    let mut users = running.directory().users().to_vec();
    if users.is_empty() {
        users.extend(running.default_user());
    }
    let buttons: String = users
        .iter()
        .map(|user| {
            let (subject, label) = (escape(user.subject()), escape(user.label()));
            format!("<p><button name=\"user\" value=\"{subject}\">{label}</button> {subject}</p>")
        })
        .collect();
    let organization = asked.organization.as_ref();
    let to = organization.map(|name| format!("<p>to {}</p>", escape(name))).unwrap_or_default();
    let factor = match asked.needs_factor {
        true => "<p>Another factor is needed. It is passed with the choice of a user.</p>",
        false => "",
    };
    let content = format!(
        "{to}{factor}<form method=\"post\" action=\"{LOGIN_PATH}\">{}{buttons}\
         <p><input name=\"typed\" placeholder=\"user id or e-mail address\"> <button>Log in</button></p></form>\
         <form method=\"post\" action=\"{LOGIN_PATH}\">{}<p><button>Deny</button></p></form>",
        hidden("request", query),
        hidden("request", query)
    );
    asking("Log in", &content)
}
