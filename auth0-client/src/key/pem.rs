//! Private keys in PEM (RFC 7468).
use auth0_core::ConfigError;
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use std::{
    fs::File,
    io::{self, Read},
};
use zeroize::Zeroizing;

/// Several times the size of an RSA key of 8192 bits with certificates around it.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// A private key in DER, and the form that it has.
pub(super) fn private_key(pem: &str) -> Option<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()
}

/// Returns the PEM that a text is, or that the file has which it names. Environment files keep line ends as `\n`.
pub(crate) fn text_or_file(name: &str, value: &str) -> Result<Zeroizing<String>, ConfigError> {
    let value = value.trim().trim_matches(['"', '\'']).trim();
    if value.contains("-----BEGIN") {
        return Ok(Zeroizing::new(value.replace("\\n", "\n").replace("\\r", "")));
    }
    // Without the value, which may be a key in another form.
    let refused = |why: String| {
        ConfigError::new(format!(
            "{name} is neither PEM (it has no line -----BEGIN …-----) nor the path of a file with PEM: {why}"
        ))
    };
    let failed = |error: io::Error| refused(error.kind().to_string());
    let file = File::open(value).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(refused("it is not a regular file".into()));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(refused(format!("the file has more than {MAX_FILE_BYTES} bytes")));
    }
    match text.contains("-----BEGIN") {
        true => Ok(text),
        false => Err(refused("the file has no such line".into())),
    }
}
