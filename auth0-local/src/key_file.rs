//! The file that keeps a tenant's key from one start to the next.
use crate::error::LocalError;
use auth0_core::{Algorithm, testing::SigningKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    fmt::Display,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// The line length of RFC 7468 §2.
const LINE: usize = 64;

/// Twenty times a key of 2048 bits.
const MAX_BYTES: u64 = 32 * 1024;

/// The key in the file, or a new one in a new file. An existing file is never written to.
pub(crate) fn read_or_create(path: &Path) -> Result<SigningKey, LocalError> {
    match File::open(path) {
        Ok(file) => read(path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn read(path: &Path, file: File) -> Result<SigningKey, LocalError> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    let der = match std::str::from_utf8(&bytes) {
        Ok(text) => der_of_pem(text),
        Err(_) => Some(bytes),
    };
    der.and_then(|der| SigningKey::from_pkcs8(Algorithm::RS256, &der).ok()).ok_or_else(|| {
        LocalError::new(format!(
            "{} holds no key that can be used, and is left as it is. It must be an unencrypted RSA key \
             of 2048 bits or more in PKCS#8, PEM or DER. Name a file that is not there yet and it \
             will be made",
            path.display()
        ))
    })
}

fn create(path: &Path) -> Result<SigningKey, LocalError> {
    let failed = |error: &dyn Display| {
        LocalError::new(format!(
            "{} cannot be created: {error}. Name a file in a directory that exists and that you may \
             write to",
            path.display()
        ))
    };
    let key = SigningKey::generate(Algorithm::RS256)?;
    let pem = pem(&key.to_pkcs8()?);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| failed(&error))?;
    file.write_all(pem.as_bytes()).map_err(|error| failed(&error))?;
    Ok(key)
}

/// RFC 7468 §10. Text before and after the key is passed over, as openssl does.
fn der_of_pem(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}

fn pem(der: &[u8]) -> String {
    let mut pem = format!("{BEGIN}\n");
    for (index, character) in STANDARD.encode(der).chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem + "\n" + END + "\n"
}

fn unreadable(path: &Path, error: &io::Error) -> LocalError {
    LocalError::new(format!(
        "{} cannot be read: {error}. Name a file that you may read, or one that is not there yet",
        path.display()
    ))
}
