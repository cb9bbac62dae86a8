//! Tokens that are bound to a client certificate (RFC 8705 §3).
use super::mismatch;
use crate::{
    error::Error,
    request::{HttpParts, Origin, client_certificate},
    token::binding::Bound,
};

/// Checks that the client has presented the certificate.
pub(super) fn check(
    bound: &Bound,
    parts: Option<&dyn HttpParts>,
    origin: &Origin,
) -> Result<(), Error> {
    let expected = match bound {
        Bound::No => return Ok(()),
        Bound::ToNothing => {
            return Err(mismatch("the x5t#S256 of the token is not a SHA-256 thumbprint"));
        }
        Bound::To(expected) => expected,
    };
    let parts = parts.ok_or_else(|| {
        mismatch("the token is bound to a client certificate, and the request has none")
    })?;
    match client_certificate::presented(parts, origin).map_err(mismatch)? {
        Some(presented) if presented.is(expected) => Ok(()),
        Some(_) => Err(mismatch("the token is bound to another client certificate")),
        None => Err(mismatch(
            "the token is bound to a client certificate, and none is known. The server has to pass on \
             a Connection with it, or with the address of a trusted proxy, which sends Client-Cert or \
             X-Forwarded-Client-Cert",
        )),
    }
}
