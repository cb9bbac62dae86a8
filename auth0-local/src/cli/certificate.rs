//! The certificate that a token is to be bound to.
use crate::{error::LocalError, pem};
use std::{fs::File, io::Read, path::Path};

const LABEL: &str = "CERTIFICATE";

/// So that a request with it, in base64, stays below what a tenant reads.
const MAX_BYTES: u64 = 32 * 1024;

const SEQUENCE: u8 = 0x30;

/// The DER of the first certificate in a file, PEM or DER.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LocalError> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes)).map_err(
        |error| {
            LocalError::new(format!(
                "{} cannot be read: {error}. Name a file that you may read",
                path.display()
            ))
        },
    )?;
    let der = pem::der(&bytes, LABEL).filter(|der| is_certificate(der));
    der.map(Into::into).ok_or_else(|| {
        LocalError::new(format!(
            "{} holds no certificate. It must be one of X.509, PEM or DER",
            path.display()
        ))
    })
}

/// Whether it looks like one (RFC 5280 §4.1): a sequence to the end of the file that begins with a
/// sequence, which a key does not. Nothing of it matters but its hash.
fn is_certificate(der: &[u8]) -> bool {
    let Some((&SEQUENCE, rest)) = der.split_first() else { return false };
    let Some((&first, rest)) = rest.split_first() else { return false };
    let digits = if first < 0x80 { 0 } else { usize::from(first & 0x7f) };
    let Some((long, content)) = rest.split_at_checked(digits) else { return false };
    let length = match long {
        [] => usize::from(first),
        [one] => usize::from(*one),
        [one, two] => usize::from(*one) << 8 | usize::from(*two),
        _ => return false,
    };
    content.len() == length && content.first() == Some(&SEQUENCE)
}
