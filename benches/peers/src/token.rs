//! Tokens as Auth0 issues them, of 1 KiB, and what an application reads of them.
use crate::Outcome;
use auth0_core::testing::TokenBuilder;
use auth0_local::LocalTenant;
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc, thread};

/// What is wrong with the tokens of [`Token::bad`].
pub(crate) const BAD: [&str; 13] = [
    "signature broken",
    "expired",
    "another audience",
    "another issuer",
    "no `exp`",
    "no `aud`",
    "no `iss`",
    "not yet valid",
    "unknown `crit`",
    "`typ` of another kind",
    "an ID token's `nonce`",
    "bound to a key (`cnf`)",
    "a member twice",
];

/// A token as it stands in a request.
#[derive(Clone, Debug)]
pub(crate) struct Token(String);

impl Token {
    /// Differs from others by its number.
    pub(crate) fn new(tenant: &LocalTenant, number: usize) -> Self {
        Self::mint(&Self::builder(tenant, number))
    }

    fn mint(builder: &TokenBuilder) -> Self {
        Self(format!("Bearer {}", builder.mint()))
    }

    fn builder(tenant: &LocalTenant, number: usize) -> TokenBuilder {
        tenant
            .token()
            .subject(&format!("auth0|6543210fedcba9876543{number:020}"))
            .scope("openid profile email read:messages write:messages")
            .permissions(["read:messages", "write:messages", "delete:messages"])
            .client("aBcDeFgHiJkLmNoPqRsTuVwXyZ012345")
            .claim("https://acme.com/roles", ["admin", "editor"])
            .claim("https://acme.com/plan", "enterprise-annual-with-support")
    }

    /// So many different ones. Signing is slow, hence both cores.
    pub(crate) fn several(tenant: &LocalTenant, count: usize) -> Outcome<Arc<[Self]>> {
        let half = count / 2;
        let mint = |numbers: std::ops::Range<usize>| -> Vec<Self> {
            numbers.map(|number| Self::new(tenant, number)).collect()
        };
        thread::scope(|scope| {
            let first = scope.spawn(|| mint(0..half));
            let second = mint(half..count);
            let mut tokens = first.join().map_err(|_| "no tokens could be minted")?;
            tokens.extend(second);
            Ok(tokens.into())
        })
    }

    /// Tokens that a resource server of Auth0 should refuse, and why.
    pub(crate) fn bad(tenant: &LocalTenant) -> [(&'static str, Self); BAD.len()] {
        let token = || Self::builder(tenant, 0);
        let twice = token().payload_json().replacen('{', r#"{"scope":"admin","#, 1);
        let builders = [
            token().broken_signature(),
            token().expired(),
            token().audience("https://other.test"),
            token().issuer("https://other.test/"),
            token().without("exp"),
            token().without("aud"),
            token().without("iss"),
            token().not_yet_valid(),
            // A string, because some can read nothing else, and would refuse for that.
            token().header("crit", ["acme"]).header("acme", "1"),
            token().header("typ", "logout+jwt"),
            token().claim("nonce", "n-0S6_WzA2Mj"),
            token().claim(
                "cnf",
                HashMap::from([("jkt", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")]),
            ),
            token().raw_payload(twice),
        ];
        let mut names = BAD.into_iter();
        builders.map(|builder| (names.next().unwrap_or_default(), Self::mint(&builder)))
    }

    /// The value of the `Authorization` field.
    pub(crate) fn field(&self) -> &str {
        &self.0
    }

    /// The token alone.
    pub(crate) fn text(&self) -> &str {
        self.0.strip_prefix("Bearer ").unwrap_or_default()
    }
}

/// What an application would declare for a library that leaves it to the application. Those that
/// the library is told to require are optional here, so that it shows whether it does.
#[derive(Clone, Debug, Deserialize)]
#[allow(dead_code, reason = "deserialising them is what is measured")]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) iss: Option<String>,
    pub(crate) aud: Option<Audience>,
    pub(crate) exp: Option<u64>,
    pub(crate) iat: Option<u64>,
    pub(crate) azp: Option<String>,
    pub(crate) scope: Option<String>,
    #[serde(default)]
    pub(crate) permissions: Vec<String>,
}

/// Auth0 sends one, or a list as soon as `openid` was asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "deserialising them is what is measured")]
pub(crate) enum Audience {
    One(String),
    Several(Vec<String>),
}
