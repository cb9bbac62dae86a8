//! What a session has: who is signed in, the tokens, and the data of the application.
use auth0_client::{Client, Token, Tokens, support};
use auth0_core::time::Moment;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use std::{fmt, time::Duration};
use zeroize::Zeroizing;

/// A token is not used for this long before its end, because it travels, and clocks differ.
const SKEW: Duration = Duration::from_secs(60);

/// The end that an identity provider sets (IPSIE) comes earlier by this much, so that no request is late.
pub(crate) const EXPIRY_MARGIN: Duration = Duration::from_secs(30);

/// How many tokens a session keeps: those that were used last.
const MAX_TOKENS: usize = 16;

/// A session. Its `Debug` shows nothing of the user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Random: names the session for locks and for those who renew its tokens.
    #[serde(rename = "i")]
    pub(crate) id: String,
    #[serde(rename = "s")]
    pub(crate) issuer: String,
    /// The claims of the ID token that concern the user.
    #[serde(rename = "c")]
    pub(crate) claims: Box<RawValue>,
    /// `iat` of the ID token of the login, on the issuer's clock, in seconds since 1970.
    #[serde(rename = "l")]
    pub(crate) issued_at: u64,
    /// The login, on the clock of this service.
    #[serde(rename = "b")]
    pub(crate) began_at: u64,
    #[serde(rename = "t")]
    pub(crate) touched_at: u64,
    /// The end, however active the user is.
    #[serde(rename = "e")]
    pub(crate) ends_at: u64,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(crate) stepped_up_for: Option<String>,
    #[serde(rename = "k", default)]
    pub(crate) tokens: TokenSet,
    #[serde(rename = "d", default, skip_serializing_if = "Map::is_empty")]
    pub(crate) data: Map<String, Value>,
}

/// The tokens of a session, which are replaced as a whole.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct TokenSet {
    /// How often they were renewed: more is newer.
    #[serde(rename = "g", default)]
    pub(crate) generation: u64,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<Secret>,
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    access: Vec<KeptToken>,
    /// Tokens of accounts at other providers (Token Vault).
    #[serde(rename = "v", default, skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<KeptToken>,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub(crate) id_token: Option<Secret>,
}

#[derive(Clone, Serialize, Deserialize)]
struct KeptToken {
    /// What it was asked for: the API, or the connection and the account.
    #[serde(rename = "f")]
    purpose: Purpose,
    #[serde(rename = "s")]
    granted: String,
    #[serde(rename = "t")]
    text: Secret,
    #[serde(rename = "e")]
    expires_at: u64,
    /// The thumbprint of the DPoP key that it is bound to; empty if it is bound to a certificate.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    bound_to: Option<String>,
}

/// What a session in cookies has lost, so that it fits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    Dispensable,
    /// An access token that was good, and is requested anew with the refresh token.
    AccessToken,
}

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    #[serde(rename = "a")]
    Api { audience: Option<String> },
    #[serde(rename = "c")]
    Account { connection: String, login_hint: Option<String> },
}

/// A text that is not printed, and is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl Record {
    /// Returns a claim of the user that is a text.
    pub(crate) fn claim(&self, name: &str) -> Option<String> {
        let claims: Map<String, Value> = serde_json::from_str(self.claims.get()).ok()?;
        claims.get(name)?.as_str().map(str::to_owned)
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(crate) fn write(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Drops what a cookie has no room for, the most dispensable first. Returns what it was.
    pub(crate) fn shrink(&mut self, now: Duration) -> Option<Dropped> {
        let tokens = &mut self.tokens;
        if tokens.drop_expired(now)
            || tokens.id_token.take().is_some()
            || !std::mem::take(&mut tokens.accounts).is_empty()
        {
            return Some(Dropped::Dispensable);
        }
        // Without a refresh token, another login would be needed for it, and would bring a session that is as large.
        tokens.refresh_token.as_ref()?;
        // The oldest: it is requested anew when it is needed.
        tokens.access.pop().map(|_| Dropped::AccessToken)
    }
}

impl TokenSet {
    /// Keeps the tokens of an answer.
    pub(crate) fn keep(
        &mut self,
        client: &Client,
        purpose: Purpose,
        tokens: &Tokens,
        keeps_id_token: bool,
        now: Duration,
    ) {
        self.keep_user_tokens(tokens, keeps_id_token);
        self.keep_token(client, purpose, &tokens.access_token(), now);
    }

    /// Keeps all but the access token, which is for no API.
    pub(crate) fn keep_user_tokens(&mut self, tokens: &Tokens, keeps_id_token: bool) {
        self.generation += 1;
        if let Some(refresh_token) = tokens.refresh_token() {
            self.refresh_token = Some(Secret::new(refresh_token));
        }
        if keeps_id_token && let Some(id_token) = tokens.id_token() {
            self.id_token = Some(Secret::new(id_token));
        }
    }

    pub(crate) fn keep_token(
        &mut self,
        client: &Client,
        purpose: Purpose,
        token: &Token,
        now: Duration,
    ) {
        self.empty_expired(now);
        let Some(expires_at) = token.expires_at() else { return };
        let expires_at =
            expires_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        let granted: Vec<&str> = token.scopes().collect();
        let kept = KeptToken {
            granted: granted.join(" "),
            text: Secret::new(token.encoded()),
            expires_at,
            bound_to: token.is_dpop().then(|| client.dpop_thumbprint().unwrap_or_default()),
            purpose,
        };
        let kind = match kept.purpose {
            Purpose::Api { .. } => &mut self.access,
            Purpose::Account { .. } => &mut self.accounts,
        };
        // One that has all scopes of an older one replaces it.
        kind.retain(|old| old.purpose != kept.purpose || !kept.grants(old.granted.split(' ')));
        kind.insert(0, kept);
        kind.truncate(MAX_TOKENS);
    }

    /// Returns a token with these scopes that is good for a while, or for any time if `is_last`.
    pub(crate) fn find(
        &self,
        purpose: &Purpose,
        scopes: &[String],
        client: &Client,
        now: Moment,
        is_last: bool,
    ) -> Option<Token> {
        let kind = match purpose {
            Purpose::Api { .. } => &self.access,
            Purpose::Account { .. } => &self.accounts,
        };
        let seconds = now.unix_time.as_secs();
        let skew = if is_last { 0 } else { SKEW.as_secs() };
        let fits = |kept: &&KeptToken| {
            kept.purpose == *purpose
                && kept.grants(scopes.iter().map(String::as_str))
                && seconds.saturating_add(skew) < kept.expires_at
                // With another key, it is good for nothing.
                && kept.bound_to.as_ref().is_none_or(|key| *key == client.dpop_thumbprint().unwrap_or_default())
        };
        // The smallest that has the scopes.
        let kept = kind.iter().filter(fits).min_by_key(|kept| kept.granted.len())?;
        let parts = support::KeptToken {
            access_token: kept.text.text(),
            scope: &kept.granted,
            is_dpop: kept.bound_to.is_some(),
            expires_at: Duration::from_secs(kept.expires_at),
        };
        Some(support::token(client, &parts, now))
    }

    /// Returns the scopes that were granted for this purpose, also with a token that has expired.
    pub(crate) fn granted(&self, purpose: &Purpose) -> &str {
        let of_purpose = self.access.iter().filter(|kept| kept.purpose == *purpose);
        let granted = of_purpose.map(|kept| &*kept.granted);
        // Others were requested with fewer scopes.
        granted.max_by_key(|granted| granted.len()).unwrap_or_default()
    }

    /// Drops the tokens that are good for nothing any more, but keeps the scopes of each API: a renewal that names none has
    /// those that were granted before.
    fn empty_expired(&mut self, now: Duration) {
        let is_over = |kept: &KeptToken| now.as_secs() >= kept.expires_at;
        self.accounts.retain(|kept| !is_over(kept));
        for kept in self.access.iter_mut().filter(|kept| is_over(kept)) {
            // A clock that is set back does not make it good again.
            (kept.text, kept.expires_at) = (Secret::new(""), 0);
        }
    }

    /// Drops the tokens that are good for nothing any more, also their scopes. Returns whether there were some.
    fn drop_expired(&mut self, now: Duration) -> bool {
        let before = self.access.len() + self.accounts.len();
        for kind in [&mut self.access, &mut self.accounts] {
            kind.retain(|kept| now.as_secs() < kept.expires_at);
        }
        self.access.len() + self.accounts.len() != before
    }

    /// Drops all tokens: they cannot be renewed any more.
    pub(crate) fn clear(&mut self) {
        let id_token = self.id_token.take();
        *self = Self { generation: self.generation + 1, id_token, ..Self::default() };
    }

    /// Drops the tokens of an account that was disconnected.
    pub(crate) fn forget_account(&mut self, connection: &str) {
        let before = self.accounts.len();
        self.accounts.retain(|kept| match &kept.purpose {
            Purpose::Account { connection: known, .. } => known != connection,
            Purpose::Api { .. } => true,
        });
        // Newer than what other requests of the session have.
        self.generation += u64::from(self.accounts.len() != before);
    }
}

impl KeptToken {
    fn grants<'a>(&self, mut scopes: impl Iterator<Item = &'a str>) -> bool {
        scopes.all(|scope| scope.is_empty() || self.granted.split(' ').any(|known| known == scope))
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("touched_at", &self.touched_at).finish_non_exhaustive()
    }
}
