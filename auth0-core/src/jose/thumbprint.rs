//! SHA-256 thumbprints: of a public key (RFC 7638) and of a certificate (RFC 8705 §3.1).
use super::{
    base64url,
    json::{self, Value},
};
use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

const LEN: usize = digest::SHA256_OUTPUT_LEN;

/// The hash by which a token refers to the key or the certificate that it is bound to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Thumbprint([u8; LEN]);

impl Thumbprint {
    /// Reads the member `jkt` or `x5t#S256` of a token.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode(text)?.try_into().ok().map(Self)
    }

    /// Creates a thumbprint from a hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; LEN]) -> Self {
        Self(bytes)
    }

    /// Returns the thumbprint of a certificate in DER.
    #[must_use]
    pub fn of_certificate(der: &[u8]) -> Self {
        Self(sha256(der))
    }

    /// Returns the thumbprint of a public key in JSON (RFC 7638 §3). The error is the reason for the log.
    ///
    /// # Errors
    /// The text is not a public key.
    pub fn of_jwk(jwk: &str) -> Result<Self, &'static str> {
        let mut members = Members::default();
        json::check_object(jwk, |name, value| members.take(name, value))
            .map_err(|_| "the jwk is not an object")?;
        if members.is_private {
            return Err("the jwk is a private or symmetric key, which is no longer secret");
        }
        members.canonical().map(|text| Self(sha256(text.as_bytes())))
    }

    /// Compares in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    /// Returns the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns half of the hash, which distinguishes keys in half the memory, and the other half.
    #[must_use]
    pub const fn halves(&self) -> (u128, u128) {
        let (first, second) = self.0.split_at(LEN / 2);
        match (first.first_chunk(), second.first_chunk()) {
            (Some(first), Some(second)) => {
                (u128::from_le_bytes(*first), u128::from_le_bytes(*second))
            }
            _ => (0, 0),
        }
    }

    /// Encodes it in base64url, as tokens have it.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode())
    }
}

fn sha256(bytes: &[u8]) -> [u8; LEN] {
    let mut thumbprint = [0; LEN];
    thumbprint.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    thumbprint
}

/// The members that make up a key (RFC 7638 §3.2, RFC 8037 §2), with their escapes.
#[derive(Default)]
struct Members<'a> {
    crv: Option<&'a str>,
    e: Option<&'a str>,
    kty: Option<&'a str>,
    n: Option<&'a str>,
    x: Option<&'a str>,
    y: Option<&'a str>,
    is_private: bool,
}

impl<'a> Members<'a> {
    fn take(&mut self, name: &str, value: Value<'a>) {
        let place = match name {
            "crv" => &mut self.crv,
            "e" => &mut self.e,
            "kty" => &mut self.kty,
            "n" => &mut self.n,
            "x" => &mut self.x,
            "y" => &mut self.y,
            // RFC 7518 §6.2.2, §6.3.2 and §6.4.1.
            "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth" | "k" => {
                self.is_private = true;
                return;
            }
            _ => return,
        };
        *place = value.plain_str();
    }

    /// Returns the JSON that is hashed: these members, in this order, without spaces.
    fn canonical(&self) -> Result<String, &'static str> {
        let Self { crv, e, kty, n, x, y, .. } = *self;
        let members: &[(&str, Option<&str>)] = match kty {
            Some("EC") => &[("crv", crv), ("kty", kty), ("x", x), ("y", y)],
            Some("OKP") => &[("crv", crv), ("kty", kty), ("x", x)],
            Some("RSA") => &[("e", e), ("kty", kty), ("n", n)],
            _ => return Err("the kty of the jwk is none of EC, OKP and RSA"),
        };
        let mut text = String::with_capacity(192 + n.map_or(0, str::len));
        for (name, value) in members {
            let value = value.ok_or("the jwk lacks a member, or one is not plain text")?;
            text.push_str(if text.is_empty() { "{\"" } else { ",\"" });
            text.push_str(name);
            text.push_str("\":\"");
            text.push_str(value);
            text.push('"');
        }
        text.push('}');
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638 §3.1, RFC 8037 appendix A.3, and the key of RFC 9449 §4.1 with its `jkt` of §6.1.
    const KNOWN: [(&str, &str); 3] = [
        (
            r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        ),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
        (
            r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#,
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        ),
    ];

    #[test]
    fn the_thumbprints_of_the_standards() {
        for (jwk, expected) in KNOWN {
            let thumbprint = Thumbprint::of_jwk(jwk).unwrap();
            assert_eq!(thumbprint.encode(), expected);
            assert!(thumbprint.is(&Thumbprint::parse(expected).unwrap()));
        }
    }

    #[test]
    fn what_is_no_public_key_has_none() {
        for jwk in [
            "{}",
            r#"{"kty":"EC"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"a"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"a","y":1}"#,
            r#"{"kty":"EC","crv":"P-256","x":"a","y":"\u0061"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"a","y":"b","d":"c"}"#,
            r#"{"kty":"RSA","n":"a","e":"b","oth":[]}"#,
            r#"{"kty":"oct","k":"a"}"#,
            r#"{"kty":"EC","kty":"EC","crv":"P-256","x":"a","y":"b"}"#,
            "[]",
        ] {
            assert!(Thumbprint::of_jwk(jwk).is_err(), "{jwk}");
        }
    }

    #[test]
    fn a_thumbprint_has_32_bytes() {
        for text in ["", "x", "AAAA", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4", "=", "\u{e4}"] {
            assert!(Thumbprint::parse(text).is_none(), "{text}");
        }
    }
}
