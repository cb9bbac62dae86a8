//! Tokens that are bound to a client certificate (RFC 8705 §3).
use super::mismatch;
use crate::{
    error::Error,
    request::{HttpParts, Origin, client_certificate},
    token::binding::Bound,
};

const PASS_ON: &str = "Let the server pass on a Connection with the certificate, or with the address of a trusted \
                       proxy (AUTH0_TRUSTED_PROXIES), which sends Client-Cert or X-Forwarded-Client-Cert";

const OVERWRITE: &str = "Let the proxy overwrite the headers Client-Cert and X-Forwarded-Client-Cert, and send one of \
                         them";

/// Checks that the client has presented the certificate.
pub(super) fn check(
    bound: &Bound,
    parts: Option<&dyn HttpParts>,
    origin: &Origin,
) -> Result<(), Error> {
    let expected = match bound {
        Bound::No => return Ok(()),
        Bound::ToNothing => {
            return Err(mismatch("the x5t#S256 of the token is not a SHA-256 thumbprint")
                .expecting("32 bytes in base64url without padding (RFC 8705 §3.1)")
                .advising("Correct the setting or Action of the issuer that writes cnf"));
        }
        Bound::To(expected) => expected,
    };
    let wanted = || format!("the client certificate with the x5t#S256 {}", expected.encode());
    let parts = parts.ok_or_else(|| {
        mismatch("the token came without a request").expecting(wanted()).advising(PASS_ON)
    })?;
    let presented = client_certificate::presented(parts, origin)
        .map_err(|seen| mismatch(seen).expecting(wanted()).advising(OVERWRITE))?;
    match presented {
        Some(presented) if presented.is(expected) => Ok(()),
        Some(presented) => Err(mismatch(format!(
            "the x5t#S256 of the client certificate is {}",
            presented.encode()
        ))
        .expecting(wanted())
        .advising(
            "Let the client use the certificate with which it requested the token, or request a new token",
        )),
        None => Err(mismatch("no client certificate is known")
            .expecting(wanted())
            .advising(PASS_ON)),
    }
}
