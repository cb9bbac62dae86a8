//! Large tokens: what refuses one cheaply is checked before its claims are read.
use super::{
    pending::{Refusal, Stop},
    pipeline::Inputs,
    verifier::Verifier,
};
use crate::{
    error::{Error, ErrorCode},
    jose::{
        Message, json,
        jws::{Compact, Header},
    },
    keys::SignatureCheck,
    request::Credentials,
    runtime::Moment,
};
use std::sync::Arc;

/// A larger header is only read if nothing else refuses the token. Usual ones have a tenth of this, in base64url.
pub(super) const LARGE_HEADER: usize = 4 * 1024;

impl Verifier {
    /// Checks header, issuer and signature of a large token before its claims are read, because for a forged
    /// token reading them would be most of the work. What passes goes through all steps as usual.
    #[cold]
    pub(super) fn check_large(
        &self,
        compact: &Compact<'_>,
        credentials: &Credentials<'_>,
        inputs: Inputs<'_>,
        now: Moment,
    ) -> Result<(), Stop> {
        let is_header_large = compact.header.len() > LARGE_HEADER;
        if !is_header_large {
            let header = Header::parse(compact.header, self.issuers.algorithms)?;
            header.accepted().map_err(|error| Refusal::new(error, &header, None, None))?;
        }
        let payload = compact.payload().map_err(|error| self.after_header(compact, error))?;
        let Some(stated) = json::first_string(&payload, "iss") else {
            let error = Error::new(ErrorCode::IssuerMismatch);
            return Err(error.because("the claim iss is missing or not a string").into());
        };
        let trusted = match inputs.trusted.or_else(|| self.issuers.named(&stated)) {
            Some(trusted) => Arc::clone(trusted),
            None => self.resolve(compact, credentials, &stated, inputs.answer, now)?,
        };
        let current = trusted.keys.usable(now.monotonic);
        let Some(keys) = inputs.keys.or_else(|| current.as_ref()?.as_ref()) else { return Ok(()) };
        if is_header_large {
            return Ok(());
        }
        let header = Header::parse(compact.header, trusted.validation.algorithms)?;
        let Ok(algorithm) = header.accepted() else { return Ok(()) };
        if let Some(check) = keys.keys.has_no_key(header.key_id.as_deref(), algorithm) {
            return Err(Stop::of_signature(check, &trusted, &header, keys));
        }
        let mut buffer = [0; _];
        let signature =
            compact.signature(&mut buffer).map_err(|error| self.after_header(compact, error))?;
        let message = Message::new(compact.signed, algorithm, false);
        match keys.keys.verify(header.key_id.as_deref(), algorithm, &message, &signature) {
            SignatureCheck::Valid { .. } => Ok(()),
            check => Err(Stop::of_signature(check, &trusted, &header, keys)),
        }
    }
}
