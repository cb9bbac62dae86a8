//! A copy of a token in which something was set right, signed with a key of this program. The verifier's verdict about it
//! says what else would be refused.
use super::{check::Row, decoded::Decoded};
use crate::secret::random_text;
use auth0_testing::{SigningKey, Tenant};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The lifetime of a copy whose original has expired, in seconds.
const LIFETIME: u64 = 3600;

/// The claims by which the verifier tells other tokens from access tokens.
const OF_OTHER_KINDS: [&str; 7] =
    ["typ", "token_use", "events", "nonce", "at_hash", "c_hash", "s_hash"];

/// Signs copies, with a key whose id no issuer publishes.
#[derive(Debug)]
pub(super) struct Signer {
    tenant: Tenant,
    key: SigningKey,
}

impl Signer {
    pub(super) fn new() -> Self {
        let tenant = Tenant::new();
        // The key is in the source code. Without its id, no pasted token can name it.
        let id = random_text().unwrap_or_else(|_| "of-a-copy".to_owned());
        let key = tenant.signing_key().with_id(id);
        tenant.add_key(key.clone());
        tenant.withdraw_old_keys();
        Self { tenant, key }
    }

    pub(super) fn key_set(&self) -> String {
        self.tenant.key_set_json()
    }
}

pub(super) struct Copy<'a> {
    header: Map<String, Value>,
    payload: String,
    signer: &'a Signer,
}

impl<'a> Copy<'a> {
    /// Copies a token. `None` if its payload is not text.
    pub(super) fn of(decoded: &Decoded<'_>, signer: &'a Signer) -> Option<Self> {
        let (mut header, payload) = (decoded.header.clone(), decoded.payload.clone()?);
        header.insert("alg".into(), json!(signer.key.algorithm().as_str()));
        header.insert("kid".into(), json!(signer.key.id()));
        Some(Self { header, payload, signer })
    }

    pub(super) fn signed(&self) -> String {
        let header = Value::Object(self.header.clone()).to_string();
        self.signer.tenant.token().raw_header(header).raw_payload(&self.payload).mint()
    }

    /// Sets what a check reads right. Returns whether that is possible. The form, the algorithm and the signature of a
    /// copy are always right.
    pub(super) fn mend(&mut self, row: Row, right: &Right<'_>) -> bool {
        let now = right.now.as_secs();
        match row {
            Row::Form | Row::Algorithm | Row::Key | Row::Signature => true,
            Row::Issuer => self.change(|claims| set(claims, "iss", right.issuer)),
            Row::Type => {
                self.header.insert("typ".into(), json!(right.typ));
                self.change(|claims| {
                    OF_OTHER_KINDS.iter().for_each(|name| drop(claims.remove(*name)));
                    claims.extend(right.kind_claims.clone());
                })
            }
            Row::Audience => self.change(|claims| {
                set(claims, "aud", right.audience);
                if right.is_for_a_client {
                    claims.remove("azp");
                }
            }),
            Row::Expiry => self.change(|claims| set(claims, "exp", now.saturating_add(LIFETIME))),
            Row::Start => self.change(|claims| {
                claims.remove("nbf");
                set(claims, "iat", now);
            }),
            Row::Binding => self.change(|claims| drop(claims.remove("cnf"))),
            _ => false,
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Map<String, Value>)) -> bool {
        let Ok(Value::Object(mut claims)) = serde_json::from_str(&self.payload) else {
            return false;
        };
        change(&mut claims);
        self.payload = Value::Object(claims).to_string();
        true
    }
}

/// What the verifier expects.
pub(super) struct Right<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    /// Whether the audience is a client and not an API.
    pub(super) is_for_a_client: bool,
    pub(super) typ: &'static str,
    /// The claims that make a token one of its kind.
    pub(super) kind_claims: Map<String, Value>,
    pub(super) now: Duration,
}

fn set(claims: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    claims.insert(name.to_owned(), value.into());
}
