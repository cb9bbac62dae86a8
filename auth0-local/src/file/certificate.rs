//! The certificate to which a token is bound.
use super::pem;
use crate::error::LocalError;
use std::{fs::File, io::Read, path::Path};

const LABEL: &str = "CERTIFICATE";

/// A request with this many bytes in base64 stays below the tenant's limit of 64 KiB.
const MAX_BYTES: u64 = 32 * 1024;

/// The DER tag of a sequence.
const SEQUENCE: u8 = 0x30;

/// Returns the DER of the first certificate in a file, which is PEM or DER.
pub(crate) fn read_certificate(path: &Path) -> Result<Vec<u8>, LocalError> {
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
            "{} contains no certificate. It must contain an X.509 certificate, PEM or DER",
            path.display()
        ))
    })
}

/// Reports whether this has the outline of a certificate (RFC 5280 §4.1): a sequence that ends with
/// the file and begins with a sequence. A key does not begin like that. The content is not parsed,
/// because a binding needs only its hash.
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
