//! JWTs that clients sign.
use crate::directory::ClientKey;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Auth0's limit of the `alg` of a header.
const MAX_ALGORITHM: usize = 16;

/// A JWT of a client, whose signature is not verified yet.
#[derive(Debug)]
pub(crate) struct ClientJwt<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    message: &'a str,
    signature: Vec<u8>,
}

impl<'a> ClientJwt<'a> {
    /// Parses a JWS in its compact form, or returns `None` for other text.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (message, signature) = text.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self {
            header: serde_json::from_slice(&decode(header)?).ok()?,
            claims: serde_json::from_slice(&decode(payload)?).ok()?,
            message,
            signature: decode(signature)?,
        })
    }

    /// Checks the signature with one of the client's keys, whose `alg` and `kid` the header must name. The error
    /// says what is wrong.
    pub(crate) fn check_signature(&self, keys: &[ClientKey]) -> Result<(), String> {
        let algorithm = self.header("alg").unwrap_or_default();
        if algorithm.len() > MAX_ALGORITHM {
            return Err(format!("its alg has more than {MAX_ALGORITHM} characters"));
        }
        if self.header.contains_key("crit") {
            return Err("its header has crit, and no extension is supported".into());
        }
        let key_id = self.header.get("kid");
        let is_named = |key: &&ClientKey| match key_id {
            None => true,
            Some(id) => id.as_str().is_some() && id.as_str() == key.key_id(),
        };
        let mut named = keys.iter().filter(is_named).peekable();
        if named.peek().is_none() {
            return Err(
                "its kid is not that of a key of the client. Leave it out, or send that".into()
            );
        }
        let mut usable = named.filter(|key| key.algorithm() == algorithm).peekable();
        if usable.peek().is_none() {
            return Err(format!("its alg {algorithm:?} is not that of the client's key"));
        }
        match usable.any(|key| key.verifies(self.message.as_bytes(), &self.signature)) {
            true => Ok(()),
            false => Err("its signature is not one of the client's key".into()),
        }
    }

    /// Returns a member of the header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    pub(crate) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Returns a claim that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Returns a time, in seconds since 1970. The error is that it is no number.
    pub(crate) fn time(&self, name: &str) -> Result<Option<f64>, String> {
        match self.claims.get(name) {
            None => Ok(None),
            Some(value) => match value.as_f64().filter(|time| *time >= 0.0) {
                Some(time) => Ok(Some(time)),
                None => Err(format!("its {name} is not a time in seconds since 1970")),
            },
        }
    }

    /// Returns whether `aud` is this value, and no other one.
    pub(crate) fn is_for(&self, audience: &str) -> bool {
        match self.claims.get("aud") {
            Some(Value::Array(values)) => matches!(values.as_slice(), [one] if one == audience),
            Some(value) => value == audience,
            None => false,
        }
    }
}
