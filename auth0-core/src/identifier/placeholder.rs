//! Texts that were left to be filled in, or pasted with too much around them.

/// Recognizes the shapes that documentation leaves to be filled in: `YOUR_DOMAIN`, `{yourDomain}`, `<domain>`,
/// `$AUTH0_DOMAIN`, `https://your-api`. An identifier may well have such a word further in
/// (`urn:your_orders`), so only its beginning counts.
pub(super) fn is_placeholder(text: &str) -> bool {
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

/// Returns whether no identifier has this character, which comes along when one is pasted.
pub(super) fn is_stray(c: char) -> bool {
    let is_invisible =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{feff}');
    c.is_control() || c.is_whitespace() || is_invisible
}

/// Hides the password of a pasted URL, which must not end up in a log.
pub(super) fn without_user_information(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    }
}
