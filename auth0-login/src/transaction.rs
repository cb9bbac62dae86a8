//! A login that has begun and not ended: bound to the browser by a sealed cookie of its own, so that several tabs can log in
//! at once.
use crate::{
    cookie::{MAX_COOKIE_BYTES, ReceivedCookies},
    login::Shared,
    names::hash_of,
    record::Secret,
};
use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// Longer than the enrollment of a factor, or an e-mail, takes.
pub(crate) const LASTS: Duration = Duration::from_secs(60 * 60);

/// More tabs with a login at once than a person has.
const MAX_OPEN: usize = 5;

/// Begins the `state` of a login that began because the one before was not found: it is not begun a third time.
const REPEATED: &str = "r.";

/// What the callback must match.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Transaction {
    #[serde(rename = "n")]
    pub(crate) nonce: String,
    #[serde(rename = "v")]
    pub(crate) verifier: Secret,
    #[serde(rename = "i")]
    pub(crate) issuer: String,
    #[serde(rename = "u")]
    pub(crate) redirect_uri: String,
    #[serde(rename = "r")]
    pub(crate) return_to: String,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(crate) organization: Option<String>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u64>,
    /// What a stronger or more recent login was asked for.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) step_up: Option<String>,
    /// The account that is being connected, if it is no login.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(crate) connecting: Option<Connecting>,
    /// In seconds since 1970.
    #[serde(rename = "t")]
    pub(crate) began_at: u64,
}

/// An account that is being connected.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Connecting {
    /// The user who has begun it.
    #[serde(rename = "u")]
    pub(crate) subject: String,
    #[serde(rename = "a")]
    pub(crate) auth_session: Secret,
    #[serde(rename = "n")]
    pub(crate) connection: String,
}

/// Returns 256 random bits as text. `None` if the system has no randomness.
pub(crate) fn random() -> Option<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns a new `state`.
pub(crate) fn new_state(is_repeated: bool) -> Option<String> {
    let mark = if is_repeated { REPEATED } else { "" };
    Some(format!("{mark}{}", random()?))
}

/// Returns whether the login began because the one before was not found.
pub(crate) fn is_repeated(state: &str) -> bool {
    state.starts_with(REPEATED)
}

impl Shared {
    /// Returns the cookies that open a transaction, and close the oldest ones if there are too many.
    pub(crate) fn open_transaction(
        &self,
        state: &str,
        transaction: &Transaction,
        cookies: &ReceivedCookies,
    ) -> Option<Vec<String>> {
        let mut open: Vec<&str> = cookies.names(&self.names.transaction).collect();
        // Their names begin with the time.
        open.sort_unstable();
        open.dedup();
        let surplus = (open.len() + 1).saturating_sub(MAX_OPEN);
        let closed = open.iter().take(surplus).map(|name| self.names.clear(name));
        let name =
            format!("{}{:010x}{}", self.names.transaction, transaction.began_at, name_of(state));
        let opened = |transaction: &Transaction| {
            let content = serde_json::to_vec(transaction).ok()?;
            let sealed = self.secrets.seal(&self.purpose_of(&name), &content)?;
            Some(self.names.set(&name, &sealed, LASTS))
        };
        let mut opened_cookie = opened(transaction)?;
        if opened_cookie.len() > MAX_COOKIE_BYTES {
            // Browsers drop a cookie that is too large: better a login that ends at the start page.
            let return_to = self.path("/");
            opened_cookie = opened(&Transaction { return_to, ..transaction.clone() })?;
        }
        if opened_cookie.len() > MAX_COOKIE_BYTES {
            tracing::error!(target: "auth0", bytes = opened_cookie.len(), "a login does not fit into its cookie");
            return None;
        }
        Some(closed.chain([opened_cookie]).collect())
    }

    /// Returns the transaction of a `state`, and the cookies that close it.
    pub(crate) fn take_transaction(
        &self,
        state: &str,
        cookies: &ReceivedCookies,
    ) -> (Option<Transaction>, Vec<String>) {
        let end = name_of(state);
        let named = cookies.names(&self.names.transaction).filter(|name| name.ends_with(&end));
        let mut names: Vec<&str> = named.collect();
        names.dedup();
        let opened = names.iter().find_map(|name| {
            let purpose = self.purpose_of(name);
            cookies.all(name).find_map(|value| self.secrets.open(&purpose, value.as_bytes()))
        });
        let transaction = opened
            .and_then(|opened| serde_json::from_slice::<Transaction>(&opened.content).ok())
            .filter(|open| self.now().as_secs() < open.began_at.saturating_add(LASTS.as_secs()));
        (transaction, names.iter().map(|name| self.names.clear(name)).collect())
    }

    fn purpose_of(&self, name: &str) -> String {
        format!("{name} {}", self.client.client_id())
    }

    /// Returns the cookies that close all transactions of a browser.
    pub(crate) fn close_transactions(&self, cookies: &ReceivedCookies) -> Vec<String> {
        cookies.names(&self.names.transaction).map(|name| self.names.clear(name)).collect()
    }
}

/// Returns the part of a cookie's name that finds it by the `state`, and does not tell it.
fn name_of(state: &str) -> String {
    let hash = hash_of(&["state", state]);
    URL_SAFE_NO_PAD.encode(hash.get(..12).unwrap_or_default())
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("began_at", &self.began_at).finish_non_exhaustive()
    }
}
