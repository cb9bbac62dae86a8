//! From the `Authorization` field to a token (RFC 9110 §11.4, RFC 6750 §2.1).
use crate::{
    error::{Error, ErrorCode},
    request::{FieldLines, RequestView},
};

/// A token as presented, not yet looked into but for its size.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) token: &'a [u8],
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials([redacted])")
    }
}

impl<'a> Credentials<'a> {
    pub(crate) fn parse(request: &RequestView<'a>, max_token_bytes: usize) -> Result<Self, Error> {
        let value = match request.authorization {
            FieldLines::Absent => return Err(Error::new(ErrorCode::TokenMissing)),
            FieldLines::One(value) => value,
            FieldLines::Several => return Err(malformed("there are several Authorization fields")),
        };
        let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
        if scheme.is_empty() || !scheme.iter().all(|byte| is_token_char(*byte)) {
            return Err(malformed("the Authorization field does not begin with a scheme"));
        }
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return Err(Error::new(ErrorCode::SchemeUnsupported));
        }
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        let token = rest.get(spaces..).unwrap_or_default();
        if token.is_empty() {
            return Err(malformed("no token follows the scheme Bearer"));
        }
        Self::bearer(token, max_token_bytes)
    }

    /// A token that came without a header field, under the same limits.
    pub(crate) fn bearer(token: &'a [u8], max_token_bytes: usize) -> Result<Self, Error> {
        if token.len() > max_token_bytes {
            return Err(malformed("the token is over the size limit"));
        }
        Ok(Self { token })
    }

    /// Whether it is one token at all. Asked when it turned out not to be a good one: the parts of
    /// a good one are base64url, which is a part of this alphabet.
    pub(crate) fn check_characters(&self) -> Result<(), Error> {
        if is_token68(self.token) {
            return Ok(());
        }
        Err(malformed("what follows the scheme Bearer is not one token"))
    }
}

fn malformed(cause: &'static str) -> Error {
    Error::new(ErrorCode::RequestMalformed).because(cause)
}

/// `token68` of RFC 9110 §11.2: the alphabet of base64 and base64url, with `=` only at the end.
fn is_token68(token: &[u8]) -> bool {
    let content = token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    content > 0
        && token.iter().take(content).all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
        })
}

/// `tchar` of RFC 9110 §5.6.2.
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
        let credentials = Credentials::bearer(b"abc.def.ghi", 100).unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials([redacted])");
    }
}
