//! Tokens of 1 KiB as Auth0 issues them, and the claims that an application reads.
use crate::Outcome;
use auth0_local::LocalTenant;
use auth0_testing::TokenBuilder;
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc, thread};

/// The defects of the tokens of [`Token::bad`].
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

/// A token as the value of the `Authorization` header.
#[derive(Clone, Debug)]
pub(crate) struct Token(String);

impl Token {
    /// Mints a token that differs from others by its number.
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

    /// Mints `count` different tokens, on two cores because signing is slow.
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

    /// Mints tokens that a resource server of Auth0 should refuse, with the reasons.
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
            // A string, because some verifiers can read only strings, and would refuse for that
            // reason.
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

    /// Returns the value of the `Authorization` header.
    pub(crate) fn header(&self) -> &str {
        &self.0
    }

    /// Returns the token without its scheme.
    pub(crate) fn text(&self) -> &str {
        self.0.strip_prefix("Bearer ").unwrap_or_default()
    }
}

/// The claims that an application declares where the library leaves it to the application. Claims
/// that the library is configured to require are optional here, so that the table shows whether it
/// does.
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

/// Auth0 sends one audience, or a list if the scope `openid` was requested.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "deserialising them is what is measured")]
pub(crate) enum Audience {
    One(String),
    Several(Vec<String>),
}
