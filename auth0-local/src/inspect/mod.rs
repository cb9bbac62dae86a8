//! What a token or a proof is, and whether an API accepts it. Each verdict is one of the verifier: for a token that it
//! refuses, it verifies a copy in which that is set right, and so finds what else it would refuse.
//!
//! Nothing of the token is sent or stored. Keys come from the caller, or from the issuer that the caller names.
mod access;
mod check;
mod copy;
mod decoded;
mod facts;
mod found;
mod given;
mod issued;
#[cfg(feature = "cli")]
mod json;
mod kind;
mod moment;
mod pasted;
mod proof;
mod quiet;
mod report;
mod rules;
mod settings;
mod shown;
#[cfg(feature = "cli")]
mod terminal;

pub(crate) use check::{Check, Outcome};
pub(crate) use kind::Kind;
#[cfg(feature = "cli")]
pub(crate) use pasted::MAX_BYTES;
pub(crate) use pasted::Unusable;
pub(crate) use report::{Member, Report, Verdict};
pub(crate) use settings::{IssuerName, Request, Settings};
pub(crate) use shown::printable;
#[cfg(feature = "cli")]
pub(crate) use {json::ascii, terminal::Terminal};

use decoded::Decoded;
use pasted::Pasted;
use quiet::quietly;

/// Inspects what was pasted: a token or a proof, or a text that has one.
pub(crate) async fn inspect(pasted: &[u8], settings: &Settings) -> Result<Report, Unusable> {
    quietly(run(pasted, settings)).await
}

async fn run(pasted: &[u8], settings: &Settings) -> Result<Report, Unusable> {
    let Pasted { text, scheme, notes } = Pasted::read(pasted)?;
    let decoded = match Decoded::of(&text) {
        Some(decoded) => decoded,
        None => return Err(pasted::not_a_token(&text).await),
    };
    let kind = Kind::of(&decoded);
    let as_kind = settings.checked_as(kind);
    let found = match as_kind {
        Kind::AccessToken => access::check(&decoded, scheme, settings).await?,
        Kind::IdToken | Kind::LogoutToken => issued::check(&decoded, as_kind, settings).await?,
        Kind::Proof => proof::check(&decoded, settings)?,
    };
    Ok(Report::new(&decoded, kind, as_kind, found, notes, settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth0_core::ErrorCode;
    use auth0_testing::{Tenant, TokenBuilder};
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn settings(tenant: &Tenant) -> Settings {
        Settings {
            issuer: Some(IssuerName::Url(tenant.issuer().to_owned())),
            key_set: Some(tenant.key_set_json()),
            audiences: vec![tenant.audience().to_owned()],
            kind: Some(Kind::AccessToken),
            ..Settings::new(tenant.clock().clone())
        }
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    /// A claim or a member of the header, and what it is changed to.
    fn change() -> impl Strategy<Value = (&'static str, Option<Value>)> {
        let name = prop::sample::select(vec![
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "nbf",
            "azp",
            "typ",
            "token_use",
            "events",
            "nonce",
            "cnf",
            "scope",
            "alg",
            "kid",
            "crit",
            "jti",
            "client_id",
        ]);
        let value = prop::sample::select(vec![
            None,
            Some(Value::Null),
            Some(json!("")),
            Some(json!(0)),
            Some(json!(4_000_000_000_u64)),
            Some(json!(1e300)),
            Some(json!(true)),
            Some(json!(["https://api.tenant.test"])),
            Some(json!({ "jkt": "A" })),
            Some(json!("https://api.tenant.test")),
            Some(json!("https://tenant.test")),
            Some(json!("ID")),
            Some(json!("at+jwt")),
            Some(json!("HS256")),
            Some(json!("ES256")),
            Some(json!("\u{1b}[31m\u{202e}<b>")),
            Some(json!({ "http://a.test/b": {} })),
        ]);
        (name, value)
    }

    fn changed(token: TokenBuilder, name: &str, value: Option<&Value>) -> TokenBuilder {
        match (["typ", "alg", "kid", "crit"].contains(&name), value) {
            (true, Some(value)) => token.header(name, value),
            (true, None) => token.without_header(name),
            (false, Some(value)) => token.claim(name, value),
            (false, None) => token.without(name),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        /// The check that decides is that of the verifier's refusal, and without a refusal none fails.
        #[test]
        fn the_verdict_is_that_of_the_verifier(
            changes in prop::collection::vec(change(), 0..4),
            is_broken in prop::bool::weighted(0.2),
        ) {
            let tenant = Tenant::new();
            let mut token = tenant.token();
            for (name, value) in &changes {
                token = changed(token, name, value.as_ref());
            }
            let token = if is_broken { token.broken_signature() } else { token }.mint();
            let settings = settings(&tenant);
            let issuer = auth0_core::TrustedIssuer::new(tenant.issuer()).key_set(tenant.key_set_json());
            let auth = auth0_core::Auth0::builder().issuer(issuer).audience(tenant.audience());
            let auth = auth.clock(tenant.clock().clone()).build().unwrap();
            let verdict = block_on(auth.verify(&token)).map(drop).map_err(|error| error.code());
            let report = match block_on(inspect(token.as_bytes(), &settings)) {
                Ok(report) => report,
                Err(unusable) => {
                    prop_assert!(verdict.is_err(), "{unusable:?}");
                    return Ok(());
                }
            };
            let checks = &report.checks;
            let failed = checks.iter().find(|check| check.outcome == Outcome::Fail);
            let decides = checks.iter().find(|check| Some(check.row) == report.refused_by);
            let found = report.response.as_ref().map(|response| response.code);
            match verdict {
                Ok(()) => prop_assert!(failed.is_none(), "{checks:?}"),
                // Without a proof it is not known how the token is sent.
                Err(ErrorCode::TokenBindingMismatch) => prop_assert!(failed.is_none(), "{checks:?}"),
                Err(code) => {
                    prop_assert_eq!(found, Some(code), "{:?}", checks);
                    prop_assert_eq!(decides.and_then(|check| check.code), Some(code), "{:?}", checks);
                }
            }
        }

        #[test]
        fn no_input_ends_the_program_or_controls_the_terminal(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            header in r#"\{("(typ|alg|kid|jwk|crit)":("dpop\+jwt"|"RS256"|"logout\+jwt"|\{"kty":"EC"\}|1|null|".{0,9}"),?){0,4}\}"#,
            payload in r#"\{("(iss|aud|exp|htm|htu|events|nonce|cnf|.{0,3})":("GET"|"https://[a-z:%@]{0,9}/"|-1e9|1e999|null|\{\}|\[\]|".{0,9}"),?){0,6}\}"#,
            kind in prop::sample::select(vec![None, Some(Kind::AccessToken), Some(Kind::IdToken), Some(Kind::LogoutToken), Some(Kind::Proof)]),
            is_given in any::<bool>(),
        ) {
            let tenant = Tenant::new();
            let given = if is_given { settings(&tenant) } else { Settings::new(tenant.clock().clone()) };
            let settings = Settings { kind, client_id: is_given.then(|| "web".into()), ..given };
            let token = format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
            for input in [&*bytes, token.as_bytes()] {
                let text = match block_on(inspect(input, &settings)) {
                    Ok(report) => {
                        prop_assert!(!report.is_verified || report.checked_as == Kind::Proof);
                        report.to_text()
                    }
                    Err(unusable) => unusable.message,
                };
                let is_shown = |c: char| c == '\n' || c.escape_debug().count() == 1 || "'\"\\".contains(c);
                prop_assert!(text.chars().all(is_shown), "{text:?}");
            }
        }
    }

    impl Report {
        /// Returns all of its texts, as they are shown.
        fn to_text(&self) -> String {
            let checks =
                self.checks.iter().map(|it| format!("{} {} {}", it.seen, it.expected, it.advice));
            let facts = self.facts.iter().map(|(_, text)| text.clone());
            let header = self.members(&self.header);
            let claims =
                self.claims.as_ref().map(|claims| self.members(claims)).unwrap_or_default();
            let members =
                header.into_iter().chain(claims).map(|it| format!("{} {}", it.name, it.value));
            let all: Vec<String> =
                facts.chain(members).chain([self.headline.clone(), self.sentence()]).collect();
            let escaped: String = checks.map(|text| printable(&text)).collect();
            all.join("\n") + &escaped
        }
    }
}
