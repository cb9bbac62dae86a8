//! The claims of an ID token, and what a login expects of them (OpenID Connect Core 1.0 §3.1.3.7).
use crate::{
    jose::{
        Algorithm,
        json::{self, Strings, Value},
    },
    telemetry::Escaped,
};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{borrow::Cow, time::Duration};

/// What the ID token of a login must say.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdTokenExpectations<'a> {
    /// The issuer at which the login began.
    pub issuer: &'a str,
    /// The application, which must be an audience.
    pub client_id: &'a str,
    /// The nonce of the login. `None` for the ID token of a refresh.
    pub nonce: Option<&'a str>,
    /// The access token that came with it, for `at_hash`.
    pub access_token: Option<&'a str>,
    /// The longest time since the user has proved who they are, if that was asked for.
    pub max_age: Option<Duration>,
    /// The organization that was asked for, by its id or its name.
    pub organization: Option<&'a str>,
}

/// The claims of an ID token that are checked, borrowed from the payload.
#[derive(Debug, Default)]
pub(crate) struct IdClaims<'a> {
    pub(crate) issuer: Cow<'a, str>,
    subject: Option<Value<'a>>,
    audience: Option<Value<'a>>,
    authorized_party: Option<Value<'a>>,
    expires_at: Option<Value<'a>>,
    issued_at: Option<Value<'a>>,
    not_before: Option<Value<'a>>,
    nonce: Option<Value<'a>>,
    access_token_hash: Option<Value<'a>>,
    authenticated_at: Option<Value<'a>>,
    organization_id: Option<Value<'a>>,
    organization_name: Option<Value<'a>>,
}

/// The reason why an ID token is refused, for the log.
type Reason = Cow<'static, str>;

impl<'a> IdClaims<'a> {
    pub(crate) fn read(payload: &'a str) -> Result<Self, Reason> {
        let mut claims = Self::default();
        let (mut issuer, mut has_events) = (None, false);
        json::check_object(payload, |name, value| {
            let place = match name {
                "iss" => &mut issuer,
                "sub" => &mut claims.subject,
                "aud" => &mut claims.audience,
                "azp" => &mut claims.authorized_party,
                "exp" => &mut claims.expires_at,
                "iat" => &mut claims.issued_at,
                "nbf" => &mut claims.not_before,
                "nonce" => &mut claims.nonce,
                "at_hash" => &mut claims.access_token_hash,
                "auth_time" => &mut claims.authenticated_at,
                "org_id" => &mut claims.organization_id,
                "org_name" => &mut claims.organization_name,
                "events" => {
                    has_events |= !value.is_null();
                    return;
                }
                _ => return,
            };
            *place = Some(value).filter(|value| !value.is_null());
        })
        .map_err(|why| format!("its payload: {}", why.as_str()))?;
        if has_events {
            return Err("it has events, as a logout token has".into());
        }
        claims.issuer = text("iss", issuer)?;
        text("sub", claims.subject)?;
        Ok(claims)
    }

    pub(crate) fn check_issuer(&self, expected: &str) -> Result<(), Reason> {
        // Which spelling is right, the metadata says, from which the keys come.
        match self.issuer.trim_end_matches('/') == expected.trim_end_matches('/') {
            true => Ok(()),
            false => Err(format!(
                "iss is {}, and the login began at {}",
                Escaped(&self.issuer),
                Escaped(expected)
            )
            .into()),
        }
    }

    /// Checks all but the issuer and the signature.
    pub(crate) fn check(
        &self,
        expected: &IdTokenExpectations<'_>,
        algorithm: Algorithm,
        now: Duration,
        leeway: Duration,
    ) -> Result<(), Reason> {
        self.check_audience(expected.client_id)?;
        let latest = now.saturating_add(leeway);
        if now >= time("exp", self.expires_at)?.saturating_add(leeway) {
            return Err("it has expired".into());
        }
        if time("iat", self.issued_at)? > latest {
            return Err("iat is ahead of the clock".into());
        }
        if self.not_before.is_some() && time("nbf", self.not_before)? > latest {
            return Err("nbf is ahead of the clock".into());
        }
        if let Some(nonce) = expected.nonce
            && text("nonce", self.nonce)? != nonce
        {
            return Err("its nonce is that of another login".into());
        }
        if let (Some(hash), Some(token)) = (self.access_token_hash, expected.access_token)
            && hash.as_str().is_none_or(|hash| *hash != *half_hash(algorithm, token))
        {
            return Err("at_hash is not that of the access token".into());
        }
        if let Some(max_age) = expected.max_age {
            let authenticated_at = time("auth_time", self.authenticated_at)?;
            if authenticated_at.saturating_add(max_age).saturating_add(leeway) < now {
                return Err("auth_time is longer ago than max_age permits".into());
            }
        }
        self.check_organization(expected.organization)
    }

    fn check_audience(&self, client_id: &str) -> Result<(), Reason> {
        let audience = self.audience.ok_or("the claim aud is missing")?;
        let (has_client, count) = match (audience.as_str(), audience.strings()) {
            (Some(one), _) => (*one == *client_id, 1),
            (None, Some(Strings::Plain(inside))) => {
                let mut all = json::plain_strings(inside);
                (all.any(|name| name == client_id), json::plain_strings(inside).count())
            }
            (None, Some(Strings::Unescaped(all))) => {
                (all.iter().any(|name| **name == *client_id), all.len())
            }
            (None, None) => return Err("aud is neither a string nor an array of strings".into()),
        };
        if !has_client {
            return Err("aud is not the client id".into());
        }
        let party = self.authorized_party.map(|value| text("azp", Some(value))).transpose()?;
        match party {
            Some(party) if *party != *client_id => Err("azp is not the client id".into()),
            None if count > 1 => Err("it has several audiences, and no azp".into()),
            _ => Ok(()),
        }
    }

    /// Checks the organization: an id exactly, a name in lower case, as Auth0 has them.
    fn check_organization(&self, expected: Option<&str>) -> Result<(), Reason> {
        let Some(expected) = expected else { return Ok(()) };
        let (name, value) = match expected.starts_with("org_") {
            true => ("org_id", self.organization_id),
            false => ("org_name", self.organization_name),
        };
        let stated = text(name, value)?;
        let is_it = match name {
            "org_id" => *stated == *expected,
            _ => stated.to_lowercase() == expected.to_lowercase(),
        };
        match is_it {
            true => Ok(()),
            false => Err(format!(
                "{name} is {}, and {} was asked for",
                Escaped(&stated),
                Escaped(expected)
            )
            .into()),
        }
    }
}

fn text<'a>(name: &str, value: Option<Value<'a>>) -> Result<Cow<'a, str>, Reason> {
    match value.and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(format!("the claim {name} is missing, empty, or not a string").into()),
    }
}

fn time(name: &str, value: Option<Value<'_>>) -> Result<Duration, Reason> {
    value
        .and_then(Value::as_number)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("the claim {name} is missing, or not a time").into())
}

/// Returns the left half of the hash of a token, in base64url (OpenID Connect Core 1.0 §3.1.3.6).
fn half_hash(algorithm: Algorithm, token: &str) -> String {
    let hash = match algorithm {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => &digest::SHA256,
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &digest::SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => &digest::SHA512,
    };
    let digest = digest::digest(hash, token.as_bytes());
    let (half, _) = digest.as_ref().split_at(digest.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(half)
}
