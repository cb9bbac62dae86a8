//! Placeholders that were not replaced, and text that was pasted with too much around it.

/// Returns whether a text is a placeholder of documentation: `YOUR_DOMAIN`, `{yourDomain}`, `<domain>`,
/// `$AUTH0_DOMAIN`, `https://your-api`. A valid identifier may contain such a word (`urn:your_orders`), so
/// only the beginning counts.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let name = lower.strip_prefix("https://").unwrap_or(&lower);
    let wanted = ["domain", "tenant", "api", "audience", "auth0", "issuer", "identifier"];
    let yours = |name: &str| {
        name.strip_prefix("your").is_some_and(|rest| {
            let rest = rest.trim_start_matches(['-', '_', ' ']);
            wanted.iter().any(|wanted| rest.starts_with(wanted))
        })
    };
    text.contains("YOUR_")
        || yours(name)
        || name.contains("{your")
        || text.starts_with('{') && text.ends_with('}')
        || text.starts_with('<') && text.ends_with('>')
        || text.starts_with('$')
        || text == "..."
}

/// Returns whether a character occurs in no identifier, but comes with pasted text.
pub(super) fn is_stray(c: char) -> bool {
    let is_invisible =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{feff}');
    c.is_control() || c.is_whitespace() || is_invisible
}

/// Removes the password of a pasted URL, which must not reach a log.
pub(crate) fn without_user_information(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    }
}
