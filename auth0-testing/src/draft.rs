//! The common parts of the builders of tokens and proofs.
use crate::key::SigningKey;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A draft of a compact JWS, which may be wrong in any way.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) key: SigningKey,
    signature: Signature,
    /// The members of the header that are replaced or removed (`None`), as for the payload.
    header: Vec<(String, Option<Value>)>,
    claims: Vec<(String, Option<Value>)>,
    raw_header: Option<String>,
    raw_payload: Option<String>,
}

#[derive(Clone, Debug)]
enum Signature {
    Good,
    Broken,
    Absent,
    Symmetric,
}

impl Draft {
    pub(crate) fn new(key: SigningKey) -> Self {
        Self {
            key,
            signature: Signature::Good,
            header: Vec::new(),
            claims: Vec::new(),
            raw_header: None,
            raw_payload: None,
        }
    }

    pub(crate) fn set_claim(&mut self, name: &str, value: impl Serialize) {
        self.claims.push((name.into(), Some(json!(value))));
    }

    pub(crate) fn remove_claim(&mut self, name: &str) {
        self.claims.push((name.into(), None));
    }

    /// Returns the value of a claim that was set last.
    pub(crate) fn claim(&self, name: &str) -> Option<&Value> {
        let mut changes = self.claims.iter().rev();
        changes.find(|(changed, _)| changed == name).and_then(|(_, value)| value.as_ref())
    }

    pub(crate) fn set_header(&mut self, name: &str, value: impl Serialize) {
        self.header.push((name.into(), Some(json!(value))));
    }

    pub(crate) fn remove_header(&mut self, name: &str) {
        self.header.push((name.into(), None));
    }

    pub(crate) fn replace_header(&mut self, json: String) {
        self.raw_header = Some(json);
    }

    pub(crate) fn replace_payload(&mut self, json: String) {
        self.raw_payload = Some(json);
    }

    pub(crate) fn break_signature(&mut self) {
        self.signature = Signature::Broken;
    }

    pub(crate) fn leave_unsigned(&mut self) {
        self.signature = Signature::Absent;
        self.set_header("alg", "none");
    }

    pub(crate) fn sign_symmetrically(&mut self) {
        self.signature = Signature::Symmetric;
        self.set_header("alg", "HS256");
    }

    pub(crate) fn payload_json(&self, members: Value) -> String {
        let changed = || Value::Object(changed(members, &self.claims)).to_string();
        self.raw_payload.clone().unwrap_or_else(changed)
    }

    /// Applies the changes to these members and signs the result.
    pub(crate) fn mint(&self, header: Value, payload: Value) -> String {
        let header = changed(header, &self.header);
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .and_then(|name| name.parse().ok())
            .unwrap_or_else(|| self.key.algorithm());
        let header = self.raw_header.clone().unwrap_or_else(|| Value::Object(header).to_string());
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let payload = self.payload_json(payload);
        let message = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let mut signature = match self.signature {
            Signature::Absent => Vec::new(),
            Signature::Symmetric => self.hmac(message.as_bytes()),
            Signature::Good | Signature::Broken => self.key.sign(algorithm, message.as_bytes()),
        };
        if let (Signature::Broken, Some(last)) = (&self.signature, signature.last_mut()) {
            *last ^= 1;
        }
        format!("{message}.{}", encode(&signature))
    }

    fn hmac(&self, message: &[u8]) -> Vec<u8> {
        use aws_lc_rs::hmac;
        let public = self.key.jwk().to_string();
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), message).as_ref().into()
    }
}

fn changed(members: Value, changes: &[(String, Option<Value>)]) -> Map<String, Value> {
    let Value::Object(mut members) = members else { return Map::new() };
    for (name, value) in changes {
        match value {
            Some(value) => members.insert(name.clone(), value.clone()),
            None => members.remove(name),
        };
    }
    members
}

/// Defines the setters that make a token or a proof wrong in one way.
macro_rules! setters {
    () => {
        /// Sets a claim, of any type.
        pub fn claim(mut self, name: &str, value: impl serde::Serialize) -> Self {
            self.draft.set_claim(name, value);
            self
        }

        /// Removes a claim.
        pub fn without(mut self, name: &str) -> Self {
            self.draft.remove_claim(name);
            self
        }

        /// Sets a member of the header, of any type.
        pub fn header(mut self, name: &str, value: impl serde::Serialize) -> Self {
            self.draft.set_header(name, value);
            self
        }

        /// Removes a member of the header.
        pub fn without_header(mut self, name: &str) -> Self {
            self.draft.remove_header(name);
            self
        }

        /// Replaces the header's JSON, byte for byte. It is signed as it is.
        pub fn raw_header(mut self, json: impl Into<String>) -> Self {
            self.draft.replace_header(json.into());
            self
        }

        /// Replaces the payload's JSON, byte for byte. It is signed as it is.
        pub fn raw_payload(mut self, json: impl Into<String>) -> Self {
            self.draft.replace_payload(json.into());
            self
        }

        /// Sets the algorithm of the signature and of `alg`. The key must support it.
        pub fn algorithm(self, algorithm: auth0_core::Algorithm) -> Self {
            self.header("alg", algorithm.as_str())
        }

        /// Changes one bit of the signature.
        pub fn broken_signature(mut self) -> Self {
            self.draft.break_signature();
            self
        }

        /// Sets `alg: none`, and removes the signature.
        pub fn unsigned(mut self) -> Self {
            self.draft.leave_unsigned();
            self
        }

        /// Signs with `alg: HS256` and the public key as the secret: the classic algorithm confusion.
        pub fn symmetric(mut self) -> Self {
            self.draft.sign_symmetrically();
            self
        }
    };
}
pub(crate) use setters;
