//! The parts of the page. All text in them is escaped.
use crate::{inspect::printable, server::page::escape};

/// Returns a text as HTML that shows every character of it, also those that are invisible or change the direction of
/// writing.
pub(super) fn text(text: &str) -> String {
    escape(&printable(text))
}

/// Returns a part of the page with a heading.
pub(super) fn section(id: &str, title: &str, content: &str) -> String {
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\"><h2 id=\"{id}-title\">{title}</h2>{content}</section>"
    )
}

/// Returns a form that sends an action to the page, and comes back to the section with this id.
pub(super) fn form(section: &str, content: &str) -> String {
    format!("<form method=\"post\" action=\"/#{section}\" autocomplete=\"off\">{content}</form>")
}

/// Returns the button of an action.
pub(super) fn button(action: &str, label: &str) -> String {
    format!("<button name=\"action\" value=\"{action}\">{label}</button>")
}

/// Returns a field for a line of text.
pub(super) fn field(name: &str, label: &str, value: &str, hint: &str) -> String {
    format!(
        "<label>{label}<input name=\"{name}\" value=\"{}\" placeholder=\"{}\" spellcheck=\"false\"></label>",
        escape(value),
        text(hint)
    )
}

/// Returns a field for several lines.
pub(super) fn area(name: &str, label: &str, value: &str, rows: u8) -> String {
    // A browser removes the first line break.
    format!(
        "<label class=\"wide\">{label}<textarea name=\"{name}\" rows=\"{rows}\" spellcheck=\"false\">\n{}</textarea></label>",
        escape(value)
    )
}

pub(super) fn checkbox(name: &str, label: &str, is_set: bool) -> String {
    let checked = if is_set { " checked" } else { "" };
    format!(
        "<label class=\"check\"><input type=\"checkbox\" name=\"{name}\" value=\"yes\"{checked}> {label}</label>"
    )
}

/// Returns a choice. Each option is a value and its label.
pub(super) fn choice(name: &str, label: &str, options: &[(&str, &str)], chosen: &str) -> String {
    let option = |(value, label): &(&str, &str)| {
        let selected = if *value == chosen { " selected" } else { "" };
        format!("<option value=\"{}\"{selected}>{}</option>", escape(value), text(label))
    };
    let options: String = options.iter().map(option).collect();
    format!("<label>{label}<select name=\"{name}\">{options}</select></label>")
}

/// Returns a text to copy: as it is, so that what is copied is right.
pub(super) fn copyable(id: &str, label: &str, value: &str, rows: u8) -> String {
    format!(
        "<div class=\"copy\"><label for=\"{id}\">{label}</label>\
         <button type=\"button\" data-copy=\"{id}\" hidden>Copy</button>\
         <textarea id=\"{id}\" rows=\"{rows}\" readonly spellcheck=\"false\">\n{}</textarea></div>",
        escape(value)
    )
}

/// Returns a table, whose rows are of HTML.
pub(super) fn table(caption: &str, heads: &[&str], rows: &str) -> String {
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table><caption>{caption}</caption>\
         <thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
}
