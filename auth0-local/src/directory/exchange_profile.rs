use crate::{error::LocalError, secret::Fingerprint};
use serde::{Deserialize, Deserializer};
use std::{collections::BTreeMap, fmt, sync::Arc};
use url::Url;

/// The namespaces that no profile can have.
const RESERVED: [&str; 7] = [
    "http://auth0.com",
    "https://auth0.com",
    "http://okta.com",
    "https://okta.com",
    "urn:ietf",
    "urn:auth0",
    "urn:okta",
];

/// A profile of custom token exchange: how the tokens of one type become users, as an Action does at Auth0.
///
/// ```
/// use auth0_local::{LocalTenant, TokenExchangeProfile, User};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let legacy = TokenExchangeProfile::new("urn:acme:legacy")
///     .subject_token("session-of-ann", "auth0|ann")
///     .subject_tokens_of(|token| Some(format!("auth0|{}", token.strip_prefix("user-")?)));
/// let tenant = LocalTenant::builder()
///     .user(User::new("auth0|ann"))
///     .token_exchange_profile(legacy)
///     .start()
///     .await?;
/// # let _ = tenant;
/// # Ok::<(), auth0_local::LocalError>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct TokenExchangeProfile {
    subject_token_type: String,
    /// The users by their tokens.
    #[serde(default, deserialize_with = "by_fingerprint")]
    subject_tokens: BTreeMap<Fingerprint, String>,
    /// The actors by their tokens.
    #[serde(default, deserialize_with = "by_fingerprint")]
    actor_tokens: BTreeMap<Fingerprint, String>,
    #[serde(skip)]
    resolve: Option<Arc<Resolve>>,
}

/// Maps a token to the `user_id` of its user.
type Resolve = dyn Fn(&str) -> Option<String> + Send + Sync;

impl TokenExchangeProfile {
    /// Creates the profile for subject tokens of this type, a URI of your own.
    pub fn new(subject_token_type: impl Into<String>) -> Self {
        Self {
            subject_token_type: subject_token_type.into(),
            subject_tokens: BTreeMap::new(),
            actor_tokens: BTreeMap::new(),
            resolve: None,
        }
    }

    /// Adds a token of this user.
    pub fn subject_token(mut self, token: &str, user: impl Into<String>) -> Self {
        self.subject_tokens.insert(Fingerprint::of(token), user.into());
        self
    }

    /// Sets a function that returns the `user_id` for a token, or `None` if it is not valid. It reads the tokens
    /// that were not added, while the request waits.
    pub fn subject_tokens_of(
        mut self,
        resolve: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.resolve = Some(Arc::new(resolve));
        self
    }

    /// Adds a token of an actor: the `sub` of `act` in the new tokens.
    pub fn actor_token(mut self, token: &str, actor: impl Into<String>) -> Self {
        self.actor_tokens.insert(Fingerprint::of(token), actor.into());
        self
    }

    pub(super) fn check(&self) -> Result<(), LocalError> {
        let kind = &self.subject_token_type;
        if Url::parse(kind).is_err() || is_reserved(kind) {
            return Err(LocalError::new(format!(
                "a token exchange profile cannot have the subject_token_type {kind:?}. Write a URI of your own, \
                 for example urn:acme:legacy; those of {} are reserved",
                RESERVED.join(", ")
            )));
        }
        Ok(())
    }

    pub(crate) fn subject_token_type(&self) -> &str {
        &self.subject_token_type
    }

    /// Returns the `user_id` for a subject token.
    pub(crate) fn user_of(&self, token: &str) -> Option<String> {
        let known = self.subject_tokens.get(&Fingerprint::of(token)).cloned();
        known.or_else(|| self.resolve.as_ref().and_then(|resolve| resolve(token)))
    }

    /// Returns the actor for an actor token.
    pub(crate) fn actor_of(&self, token: &str) -> Option<&str> {
        self.actor_tokens.get(&Fingerprint::of(token)).map(String::as_str)
    }
}

/// Returns whether a type is one of the namespaces that no profile can have.
pub(crate) fn is_reserved(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let is_in = |namespace: &str| {
        kind.strip_prefix(namespace)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?', '#']))
    };
    RESERVED.iter().any(|namespace| is_in(namespace))
}

fn by_fingerprint<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Fingerprint, String>, D::Error> {
    let tokens = BTreeMap::<String, String>::deserialize(deserializer)?;
    Ok(tokens.into_iter().map(|(token, owner)| (Fingerprint::of(&token), owner)).collect())
}

/// Does not print the tokens.
impl fmt::Debug for TokenExchangeProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenExchangeProfile")
            .field("subject_token_type", &self.subject_token_type)
            .finish_non_exhaustive()
    }
}
