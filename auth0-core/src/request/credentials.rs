//! Token and proof of a request, from the headers `Authorization` and `DPoP` (RFC 9110 §11.4, RFC 6750 §2.1,
//! RFC 9449 §7.1).
use super::{
    HeaderLines, HttpParts, RequestView,
    mistakes::{self, malformed},
};
use crate::error::{AuthScheme, DpopMode, Error, ErrorCode};

/// A token as the client sent it, of which only the size was checked, and the proof that came with it.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) scheme: AuthScheme,
    pub(crate) token: &'a [u8],
    pub(crate) proof: Option<&'a [u8]>,
    pub(crate) parts: Option<&'a dyn HttpParts>,
    /// Whether the token renews a connection, on which the client has proven what it holds.
    pub(crate) is_renewal: bool,
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials([redacted])")
    }
}

impl<'a> Credentials<'a> {
    #[inline]
    pub(crate) fn parse(
        request: &RequestView<'a>,
        mode: DpopMode,
        max_token_bytes: usize,
    ) -> Result<Self, Error> {
        let value = match request.authorization {
            HeaderLines::Absent => {
                return Err(Error::new(ErrorCode::TokenMissing)
                    .because("the request has no Authorization header"));
            }
            HeaderLines::One(value) => value,
            HeaderLines::Several => {
                return Err(malformed("there are several Authorization headers"));
            }
        };
        let (scheme, rest) = match value.strip_prefix(b"Bearer") {
            // As nearly all clients write it.
            Some(rest @ [b' ', ..]) if AuthScheme::Bearer.is_enabled(mode) => {
                (AuthScheme::Bearer, rest)
            }
            _ => scheme_of(value, mode)?,
        };
        let token = match rest {
            [b' ', token @ ..] if token.first() != Some(&b' ') => token,
            _ => after_spaces(rest),
        };
        if token.is_empty() {
            return Err(mistakes::no_token(scheme));
        }
        let proof = match request.proof {
            // With DPoP disabled, the header has no meaning.
            _ if matches!(mode, DpopMode::Disabled) => None,
            HeaderLines::Absent => None,
            HeaderLines::One(proof) => Some(proof),
            HeaderLines::Several => {
                return Err(malformed("there are several DPoP headers").with_scheme(scheme));
            }
        };
        let parts = request.parts;
        Self { scheme, token, proof, parts, is_renewal: false }.checked(max_token_bytes)
    }

    /// Creates credentials from a token that came without a header, under the same limits.
    pub(crate) fn bearer(
        token: &'a [u8],
        mode: DpopMode,
        max_token_bytes: usize,
    ) -> Result<Self, Error> {
        if !AuthScheme::Bearer.is_enabled(mode) {
            let error = Error::new(ErrorCode::SchemeUnsupported);
            return Err(mistakes::bearer_where_required(error)
                .because("the token came without a request, so without a proof"));
        }
        let scheme = AuthScheme::Bearer;
        Self { scheme, token, proof: None, parts: None, is_renewal: false }.checked(max_token_bytes)
    }

    /// Creates credentials from a token that renews the connection of another. The caller compares what the two are
    /// bound to.
    pub(crate) fn renewal(
        token: &'a [u8],
        scheme: AuthScheme,
        parts: Option<&'a dyn HttpParts>,
        max_token_bytes: usize,
    ) -> Result<Self, Error> {
        Self { scheme, token, proof: None, parts, is_renewal: true }.checked(max_token_bytes)
    }

    /// Returns whether it is a bearer token without a proof.
    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self.scheme, AuthScheme::Bearer) && self.proof.is_none()
    }

    fn checked(self, max_token_bytes: usize) -> Result<Self, Error> {
        if self.token.len() > max_token_bytes {
            return Err(mistakes::too_long(self.token.len(), max_token_bytes, self.scheme));
        }
        Ok(self)
    }

    /// Checks that the text is one token. Called after verification has failed: the parts of a valid token
    /// are base64url, which is a part of this alphabet.
    pub(crate) fn check_characters(&self) -> Result<(), Error> {
        if is_token68(self.token) {
            return Ok(());
        }
        Err(mistakes::not_one_token(self.token))
    }

    /// Returns the refusal with a more precise cause, if the token is a text that stands for a missing one.
    pub(crate) fn explain(&self, error: Error) -> Error {
        if error.code() != ErrorCode::TokenMalformed {
            return error;
        }
        mistakes::placeholder(self.token, ErrorCode::TokenMalformed).unwrap_or(error)
    }
}

fn after_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| **byte == b' ').count();
    text.get(spaces..).unwrap_or_default()
}

/// Returns the scheme of a header, and what follows its name.
fn scheme_of(value: &[u8], mode: DpopMode) -> Result<(AuthScheme, &[u8]), Error> {
    let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (name, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
    if name.is_empty() || !name.iter().all(|byte| is_token_char(*byte)) {
        return Err(mistakes::no_scheme(value));
    }
    match AuthScheme::named(name).filter(|scheme| scheme.is_enabled(mode)) {
        Some(scheme) => Ok((scheme, rest)),
        None => Err(mistakes::other_scheme(name, rest, mode)),
    }
}

/// Returns whether a text is a `token68` of RFC 9110 §11.2: the alphabet of base64 and base64url, with `=`
/// only at the end.
fn is_token68(token: &[u8]) -> bool {
    let content = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    content > 0
        && token.iter().take(content).all(|byte| TOKEN68.get(usize::from(*byte)) == Some(&true))
}

/// A table, because a token may have many bytes.
#[allow(clippy::indexing_slicing, reason = "the compiler evaluates it")]
const TOKEN68: [bool; 256] = {
    let mut table = [false; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
    let mut at = 0;
    while at < alphabet.len() {
        table[alphabet[at] as usize] = true;
        at += 1;
    }
    table
};

/// Returns whether a byte is a `tchar` of RFC 9110 §5.6.2.
const fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_never_prints() {
        let credentials = Credentials::bearer(b"abc.def.ghi", DpopMode::Allowed, 100).unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials([redacted])");
    }
}
