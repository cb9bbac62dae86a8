//! A JSON Web Signature in compact form (RFC 7515 §7.1), split and decoded under strict rules.
use super::{
    Algorithm, AlgorithmSet, base64url,
    json::{self, Value},
};
use crate::telemetry::Escaped;
use memchr::{memchr, memrchr};
use std::borrow::Cow;

/// The reason why a text is not a JWS that can be verified. Each has a cause for the log, in which text of a
/// client is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JwsError {
    /// It is not a compact JWS under the strict rules.
    Malformed(Cow<'static, str>),
    /// It is encrypted.
    Opaque(Cow<'static, str>),
    /// Its algorithm is not accepted.
    Algorithm(Cow<'static, str>),
}

impl JwsError {
    pub(crate) fn into_cause(self) -> Cow<'static, str> {
        match self {
            Self::Malformed(cause) | Self::Opaque(cause) | Self::Algorithm(cause) => cause,
        }
    }
}

/// To read the JSON of so many bytes takes as long as two usual verifications at most.
const LARGE_BYTES: usize = 11 * 1024;

/// A token that is split at its dots and not verified.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'a> {
    pub(crate) header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
    /// The part that the signature covers: the first two parts as they were sent.
    pub(crate) signed: &'a [u8],
}

/// The members of the header that are used. `jku`, `jwk`, `x5u` and `x5c` are not among them: a token does
/// not decide where its key is found.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// The algorithm, or the name of one that is not accepted.
    pub(crate) algorithm: Result<Algorithm, Box<str>>,
    pub(crate) key_id: Option<Box<str>>,
    pub(crate) token_type: Option<Box<str>>,
}

impl<'a> Compact<'a> {
    pub(crate) fn split(token: &'a [u8]) -> Result<Self, JwsError> {
        let parts = memchr(b'.', token).and_then(|first| {
            let last = memrchr(b'.', token)?;
            Some(Self {
                header: token.get(..first)?,
                payload: token.get(first + 1..last)?,
                signature: token.get(last + 1..)?,
                signed: token.get(..last)?,
            })
        });
        match parts {
            Some(parts) if memchr(b'.', parts.payload).is_none() => Ok(parts),
            _ => Err(match token.split(|byte| *byte == b'.').take(6).count() {
                1 => malformed("the token is an opaque text, not a JWT"),
                5 => opaque("the token has five parts, so it is encrypted"),
                6 => malformed("the token has more than five parts between dots, not three"),
                parts => malformed(format!("the token has {parts} parts between dots, not three")),
            }),
        }
    }

    /// Returns whether the token is so large that it is checked before its claims are read.
    pub(crate) const fn is_large(&self) -> bool {
        self.signed.len() > LARGE_BYTES
    }

    /// Decodes the JSON of the header, for [`Header::read`].
    pub(crate) fn header_json(&self) -> Result<String, JwsError> {
        decode_json(self.header, "header")
    }

    /// Decodes the JSON of the payload.
    pub(crate) fn payload(&self) -> Result<String, JwsError> {
        decode_json(self.payload, "payload")
    }

    pub(crate) fn signature<'b>(
        &self,
        buffer: &'b mut base64url::Buffer,
    ) -> Result<Cow<'b, [u8]>, JwsError> {
        base64url::decode_into(buffer, self.signature).ok_or_else(|| not_base64url("signature"))
    }
}

impl Header {
    /// Returns the name of the algorithm, accepted or not.
    pub(crate) fn algorithm_name(&self) -> &str {
        match &self.algorithm {
            Ok(algorithm) => algorithm.as_str(),
            Err(name) => name,
        }
    }

    /// Returns the algorithm if it is accepted.
    pub(crate) fn accepted(&self) -> Result<Algorithm, JwsError> {
        self.algorithm.as_ref().copied().map_err(|name| {
            let secret =
                if name.starts_with("HS") { ": it signs with a shared secret" } else { "" };
            JwsError::Algorithm(format!("the alg {} is not accepted{secret}", Escaped(name)).into())
        })
    }

    /// Reads a header. Its algorithm may be one that is not accepted.
    pub(crate) fn parse(text: &[u8], allowed: AlgorithmSet) -> Result<Self, JwsError> {
        Self::read(&decode_json(text, "header")?, allowed, |_, _| {})
    }

    /// Reads a header's JSON, and passes on the members that an access token does not use.
    pub(crate) fn read<'j>(
        json: &'j str,
        allowed: AlgorithmSet,
        mut other: impl FnMut(&str, Value<'j>),
    ) -> Result<Self, JwsError> {
        let (mut algorithm, mut key_id, mut token_type) = (None, None, None);
        let mut extension = false;
        json::check_object(json, |name, value| match name {
            "alg" => algorithm = Some(value),
            "kid" => key_id = Some(value),
            "typ" => token_type = Some(value),
            // Extensions that the issuer says must be understood (RFC 7515 §4.1.11), and the
            // unencoded payload (RFC 7797), which is one.
            "crit" | "b64" => extension = true,
            _ => other(name, value),
        })
        .map_err(|why| malformed(format!("the header: {}", why.as_str())))?;
        if extension {
            return Err(malformed("the header has crit or b64, which are not supported"));
        }
        let text = |value: Value<'_>, name: &str| match value.as_str() {
            Some(text) => Ok(Box::<str>::from(text)),
            None => Err(malformed(format!("the header's {name} is not a string"))),
        };
        let Some(algorithm) = algorithm else {
            return Err(malformed("the header has no alg"));
        };
        let name = text(algorithm, "alg")?;
        if &*name == "dir" {
            return Err(opaque("the alg of the token is dir, so it is encrypted"));
        }
        Ok(Self {
            algorithm: Algorithm::named(&name).filter(|known| allowed.contains(*known)).ok_or(name),
            key_id: key_id
                .map(|value| text(value, "kid"))
                .transpose()?
                // Of a key without an id, as some issuers write it.
                .filter(|id| !id.is_empty()),
            token_type: token_type.map(|value| text(value, "typ")).transpose()?,
        })
    }
}

fn decode_json(part: &[u8], name: &'static str) -> Result<String, JwsError> {
    let json = base64url::decode(part).ok_or_else(|| not_base64url(name))?;
    String::from_utf8(json).map_err(|_| malformed(format!("the {name} is not UTF-8")))
}

fn not_base64url(name: &'static str) -> JwsError {
    malformed(format!("the {name} is not base64url"))
}

fn malformed(cause: impl Into<Cow<'static, str>>) -> JwsError {
    JwsError::Malformed(cause.into())
}

fn opaque(cause: &'static str) -> JwsError {
    JwsError::Opaque(cause.into())
}
