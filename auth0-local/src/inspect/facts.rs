//! What a token or a proof says, for people.
use super::{
    decoded::Decoded,
    kind::{Kind, profile},
    moment,
    shown::{printable, value},
};
use auth0_core::support::Thumbprint;
use serde_json::Value;
use std::time::Duration;

/// A name and its text, which is printable.
pub(crate) type Fact = (&'static str, String);

/// Returns one sentence about a token or a proof.
pub(super) fn headline(decoded: &Decoded<'_>, kind: Kind) -> String {
    let name = |claim: &str| decoded.claim(claim).filter(|it| it.is_string()).map(plain);
    match kind {
        Kind::AccessToken => {
            let whose = if is_of_a_machine(decoded) { "machine" } else { "user" };
            match name("sub") {
                Some(sub) => {
                    format!("An access token of the {whose} {sub}, in {}", profile(decoded))
                }
                None => format!("An access token without sub, in {}", profile(decoded)),
            }
        }
        Kind::IdToken => match name("sub") {
            Some(user) => format!("An ID token: it tells an application that {user} has logged in"),
            None => "An ID token without sub".to_owned(),
        },
        Kind::LogoutToken => match (name("sub"), name("sid")) {
            (Some(user), _) => format!("A logout token: {user} has logged out"),
            (None, Some(session)) => format!("A logout token: the session {session} has ended"),
            (None, None) => "A logout token without sub and sid".to_owned(),
        },
        Kind::Proof => match (name("htm"), name("htu")) {
            (Some(method), Some(url)) => format!("A DPoP proof for the request {method} {url}"),
            _ => "A DPoP proof without the method or the URL of a request".to_owned(),
        },
    }
}

fn is_of_a_machine(decoded: &Decoded<'_>) -> bool {
    decoded.text("gty") == Some("client-credentials")
        || decoded.text("sub").is_some_and(|sub| sub.ends_with("@clients"))
}

/// Returns what people look for first.
pub(super) fn facts(decoded: &Decoded<'_>, kind: Kind, now: Duration) -> Vec<Fact> {
    let claim = |name: &str| decoded.claim(name).map(plain);
    let time = |name: &str| decoded.claim(name).and_then(|value| moment::of(value, now));
    let is_bound = decoded.claim("cnf").is_some();
    let all: Vec<(&'static str, Option<String>)> = match kind {
        Kind::AccessToken => vec![
            ("issuer", claim("iss")),
            ("audience", claim("aud")),
            ("subject", claim("sub")),
            ("client", claim("client_id").or_else(|| claim("azp"))),
            ("scope", claim("scope")),
            ("permissions", claim("permissions")),
            ("organization", organization(decoded)),
            ("issued", time("iat")),
            ("valid from", time("nbf")),
            ("expires", time("exp")),
            ("login", time("auth_time")),
            ("binding", is_bound.then(|| binding(decoded))),
            ("signed with", signed_with(decoded)),
        ],
        Kind::IdToken | Kind::LogoutToken => vec![
            ("issuer", claim("iss")),
            ("application", claim("aud")),
            ("user", claim("sub")),
            ("name", claim("name")),
            ("email", claim("email")),
            ("organization", organization(decoded)),
            ("session", claim("sid")),
            ("issued", time("iat")),
            ("expires", time("exp")),
            ("login", time("auth_time")),
            ("signed with", signed_with(decoded)),
        ],
        Kind::Proof => vec![
            ("method", claim("htm")),
            ("URL", claim("htu")),
            ("created", time("iat")),
            ("id", claim("jti")),
            ("key", thumbprint(decoded)),
            ("token hash", claim("ath")),
            ("nonce", claim("nonce")),
            ("signed with", decoded.header_text("alg").map(printable)),
        ],
    };
    all.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

/// Returns a claim as people read it: texts without quotation marks, lists with commas.
fn plain(claim: &Value) -> String {
    match claim {
        Value::String(text) if !text.is_empty() => value(claim).trim_matches('"').to_owned(),
        Value::Array(all) if !all.is_empty() && all.iter().all(Value::is_string) => {
            let texts: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            value(&Value::from(texts.join(", "))).trim_matches('"').to_owned()
        }
        other => value(other),
    }
}

fn organization(decoded: &Decoded<'_>) -> Option<String> {
    let (id, name) = (decoded.claim("org_id").map(plain)?, decoded.claim("org_name").map(plain));
    Some(name.map_or(id.clone(), |name| format!("{id} ({name})")))
}

fn signed_with(decoded: &Decoded<'_>) -> Option<String> {
    let algorithm = printable(decoded.header_text("alg")?);
    Some(match decoded.header.get("kid").map(plain) {
        Some(id) => format!("{algorithm}, key {id}"),
        None => format!("{algorithm}, no key id"),
    })
}

fn thumbprint(decoded: &Decoded<'_>) -> Option<String> {
    let thumbprint = Thumbprint::of_jwk(&decoded.header.get("jwk")?.to_string());
    Some(thumbprint.map_or_else(str::to_owned, |it| format!("thumbprint {}", it.encode())))
}

/// Describes what a token is bound to (`cnf`).
pub(super) fn binding(decoded: &Decoded<'_>) -> String {
    let member = |name: &str| decoded.claim("cnf")?.get(name).map(plain);
    match (member("jkt"), member("x5t#S256")) {
        (Some(key), Some(certificate)) => {
            format!("bound to the DPoP key {key} and the certificate {certificate}")
        }
        (Some(key), None) => format!("bound to the DPoP key {key}"),
        (None, Some(certificate)) => format!("bound to the certificate {certificate}"),
        (None, None) => "bound to no key and no certificate".to_owned(),
    }
}
