//! The forms that mint tokens and proofs, and what they minted.
use super::{
    Shown,
    act::{Acted, Action},
    html::{area, button, checkbox, choice, copyable, field, form, section, text},
};
use crate::{
    running::RunningTenant,
    server::{MINT_PATH, page::hidden},
};

/// The route of the quickstarts.
const API: &str = "http://127.0.0.1:3000/api/private";

pub(super) fn token(running: &RunningTenant, shown: &Shown) -> String {
    let tenant = running.tenant();
    let value = |name: &str, or| shown.value(Action::Token, name, or);
    let is_set = |name: &str| !value(name, "").is_empty();
    let user = running.default_user();
    let user = user.as_ref().map_or("auth0|65f1c0ffee", |user| user.subject());
    let profiles = [("auth0", "Auth0"), ("rfc9068", "RFC 9068")];
    let fields = [
        field("audience", "Audience", value("audience", tenant.audience()), ""),
        field("scope", "Scopes", value("scope", ""), "read:messages write:messages"),
        field("permissions", "Permissions", value("permissions", ""), "messages:purge"),
        field("subject", "User", value("subject", ""), user),
        field("client", "Client", value("client", ""), "the id of a client"),
        field("organization", "Organization", value("organization", ""), "org_acme:acme"),
        choice("profile", "Profile", &profiles, value("profile", "auth0")),
        field("expires_in", "Lifetime in seconds", value("expires_in", ""), "86400"),
        field("url", "URL of your API, for curl", value("url", API), API),
        area("claims", "More claims, as a JSON object", value("claims", ""), 2),
    ];
    let checks = [
        checkbox("machine", "of a machine", is_set("machine")),
        checkbox("expired", "expired", is_set("expired")),
        checkbox("bound", "bound to the DPoP key of this page", is_set("bound")),
    ];
    let content = format!(
        "<div class=\"fields\">{}</div><div class=\"checks\">{}</div><p>{}</p>",
        fields.concat(),
        checks.concat(),
        button(Action::Token.name(), "Mint the token")
    );
    let minted = match &shown.outcome {
        Some(Acted::Minted { token, description, proof }) => {
            let url = value("url", API);
            let json = serde_json::to_string(description).unwrap_or_default();
            let send = match proof {
                Some(proof) => format!(
                    "curl -i -H {} -H {} {}",
                    quoted(&format!("Authorization: DPoP {token}")),
                    quoted(&format!("DPoP: {proof}")),
                    quoted(url)
                ),
                None => format!(
                    "curl -i -H {} {}",
                    quoted(&format!("Authorization: Bearer {token}")),
                    quoted(url)
                ),
            };
            let again = format!(
                "curl -s {} -H accept:text/plain -d {}",
                quoted(&format!("http://{}{MINT_PATH}", shown.host)),
                quoted(&json)
            );
            let look = form(
                "inspect",
                &format!(
                    "{}{}{}",
                    hidden("pasted", token),
                    hidden("audience", value("audience", tenant.audience())),
                    button(Action::Inspect.name(), "Inspect it")
                ),
            );
            let once = if proof.is_some() {
                " (the proof is good for one request, within five minutes)"
            } else {
                ""
            };
            format!(
                "<div class=\"result\">{}{}{}{look}</div>",
                copyable("minted-token", "The token", token, 6),
                copyable("minted-send", &format!("Send it{once}"), &send, 4),
                copyable("minted-again", "Mint another one from a shell", &again, 2)
            )
        }
        _ => String::new(),
    };
    section("token", "Mint a token", &format!("{}{minted}", form("token", &content)))
}

pub(super) fn proof(running: &RunningTenant, shown: &Shown) -> String {
    let value = |name: &str, or| shown.value(Action::Proof, name, or);
    let key = running.tenant().client_key().thumbprint();
    let fields = [
        field("method", "Method", value("method", "GET"), "GET"),
        field("url", "URL of the request", value("url", API), API),
        field("nonce", "Nonce of a DPoP-Nonce header", value("nonce", ""), ""),
        area(
            "token",
            "Access token of the request; none at the token endpoint",
            value("token", ""),
            3,
        ),
    ];
    let content = format!(
        "<p>A DPoP proof (RFC 9449) for one request, signed with the key of this page. Its thumbprint is \
         <code>{}</code>.</p><div class=\"fields\">{}</div><p>{}</p>",
        text(&key),
        fields.concat(),
        button(Action::Proof.name(), "Mint the proof")
    );
    let minted = match &shown.outcome {
        Some(Acted::Proof(proof)) => format!(
            "<div class=\"result\">{}{}</div>",
            copyable("minted-proof", "The proof", proof, 5),
            copyable(
                "minted-header",
                "As an option of curl",
                &format!("-H {}", quoted(&format!("DPoP: {proof}"))),
                5
            )
        ),
        _ => String::new(),
    };
    section("proof", "Mint a proof", &format!("{}{minted}", form("proof", &content)))
}

/// Quotes a text for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_one_word() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $HOME `id`"), "'it'\\''s $HOME `id`'");
    }
}
