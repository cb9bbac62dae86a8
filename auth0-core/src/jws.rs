//! A JSON Web Signature in compact form (RFC 7515 §7.1), taken apart under strict rules.
use crate::{
    crypto::{Algorithm, AlgorithmSet},
    error::{Error, ErrorCode},
    json::{self, Value},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

/// A token taken apart. Nothing in it is verified.
#[derive(Debug)]
pub(crate) struct Compact<'a> {
    pub(crate) header: Header,
    /// The JSON of the payload.
    pub(crate) payload: String,
    pub(crate) signature: Vec<u8>,
    /// What the signature covers: the first two parts as they were sent.
    pub(crate) signed: &'a [u8],
}

/// The members of the header that mean something here. `jku`, `jwk`, `x5u` and `x5c` are not among
/// them: where a key is found is not the token's to say.
#[derive(Debug)]
pub(crate) struct Header {
    /// `Err` has the name of one that is not accepted.
    pub(crate) algorithm: Result<Algorithm, Box<str>>,
    pub(crate) key_id: Option<Box<str>>,
    pub(crate) token_type: Option<Box<str>>,
}

/// Why a token could not be taken apart, and its header, if it came to that: for the log.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: Error,
    pub(crate) header: Option<Header>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, header: None }
    }
}

impl<'a> Compact<'a> {
    pub(crate) fn parse(token: &'a str, allowed: AlgorithmSet) -> Result<Self, Refused> {
        let mut parts = token.splitn(6, '.');
        let (header, payload, signature) = match (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) {
            (Some(header), Some(payload), Some(signature), None, None, None) => {
                (header, payload, signature)
            }
            (Some(_), Some(_), Some(_), Some(_), Some(_), None) => {
                return Err(opaque("the token has five parts: it is encrypted").into());
            }
            (Some(_), None, ..) => {
                return Err(malformed(
                    "the token is no JWT but an opaque text. If it comes from Auth0, the client \
                         did not ask for the audience of this API",
                )
                .into());
            }
            _ => return Err(malformed("the token does not have three parts").into()),
        };
        let signed = header.len() + 1 + payload.len();
        let header = Header::parse(&decode_json(header, "header")?, allowed)?;
        if let Err(name) = &header.algorithm {
            let error = Error::new(ErrorCode::AlgorithmUnsupported)
                .because(format!("the token's alg {} is not accepted", Escaped(name)));
            return Err(Refused { error, header: Some(header) });
        }
        let (payload, signature) =
            match (decode_json(payload, "payload"), decode(signature, "signature")) {
                (Ok(payload), Ok(signature)) => (payload, signature),
                (Err(error), _) | (_, Err(error)) => {
                    return Err(Refused { error, header: Some(header) });
                }
            };
        Ok(Self {
            header,
            payload,
            signature,
            signed: token.as_bytes().get(..signed).unwrap_or_default(),
        })
    }
}

impl Header {
    /// The name of the algorithm, accepted or not.
    pub(crate) fn algorithm_name(&self) -> &str {
        match &self.algorithm {
            Ok(algorithm) => algorithm.as_str(),
            Err(name) => name,
        }
    }

    fn parse(json: &str, allowed: AlgorithmSet) -> Result<Self, Error> {
        let (mut algorithm, mut key_id, mut token_type) = (None, None, None);
        let mut extension = false;
        json::check_object(json, |name, value| match name {
            "alg" => algorithm = Some(value),
            "kid" => key_id = Some(value),
            "typ" => token_type = Some(value),
            // Extensions that the issuer says must be understood (RFC 7515 §4.1.11), and the
            // unencoded payload (RFC 7797), which is one.
            "crit" | "b64" => extension = true,
            _ => {}
        })
        .map_err(|why| malformed(format!("the token's header: {}", why.as_str())))?;
        if extension {
            return Err(malformed("the token's header has crit or b64, which are not supported"));
        }
        let text = |value: Value<'_>, name: &str| match value.as_str() {
            Some(text) => Ok(Box::<str>::from(text)),
            None => Err(malformed(format!("the header's {name} is not a string"))),
        };
        let Some(algorithm) = algorithm else {
            return Err(malformed("the token's header has no alg"));
        };
        let name = text(algorithm, "alg")?;
        if &*name == "dir" {
            return Err(opaque("the token's alg is dir: it is encrypted"));
        }
        Ok(Self {
            algorithm: Algorithm::named(&name).filter(|known| allowed.contains(*known)).ok_or(name),
            key_id: key_id.map(|value| text(value, "kid")).transpose()?,
            token_type: token_type.map(|value| text(value, "typ")).transpose()?,
        })
    }
}

/// Base64url without padding and without stray bits (RFC 7515 §2): one spelling for one content,
/// or a token could be altered without breaking its signature.
fn decode(part: &str, name: &'static str) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| malformed(format!("the token's {name} is not base64url")))
}

fn decode_json(part: &str, name: &'static str) -> Result<String, Error> {
    String::from_utf8(decode(part, name)?)
        .map_err(|_| malformed(format!("the token's {name} is not UTF-8")))
}

fn malformed(cause: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::TokenMalformed).because(cause)
}

fn opaque(cause: &'static str) -> Error {
    Error::new(ErrorCode::TokenOpaque).because(format!(
        "{cause}. Auth0 encrypts access tokens when the client asks for no audience"
    ))
}

/// Text of a client as it may stand in a log: quoted, escaped, and not longer than is useful.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 64;
        let end = self.0.char_indices().nth(SHOWN).map_or(self.0.len(), |(end, _)| end);
        match self.0.get(..end) {
            Some(start) if end < self.0.len() => write!(f, "{start:?}…"),
            _ => write!(f, "{:?}", self.0),
        }
    }
}
