//! Files that keep a key between starts: the key of a tenant, and the key of a client.
use super::pem;
use crate::error::LocalError;
use auth0_core::Algorithm;
use auth0_testing::SigningKey;
use std::{
    fmt::Display,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

const LABEL: &str = "PRIVATE KEY";

/// Twenty times an RSA key of 2048 bits.
const MAX_BYTES: u64 = 32 * 1024;

/// The kinds of key that a file may contain.
pub(crate) struct KeyFile {
    /// The first one is the algorithm of a new key.
    algorithms: &'static [Algorithm],
    /// The kinds of key, for error messages.
    description: &'static str,
}

/// The key that a tenant signs tokens with.
pub(crate) const TENANT_KEY: KeyFile =
    KeyFile { algorithms: &[Algorithm::RS256], description: "RSA key of 2048 bits or more" };

/// The key that a client makes DPoP proofs with.
#[cfg(feature = "cli")]
pub(crate) const CLIENT_KEY: KeyFile = KeyFile {
    algorithms: &[Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256],
    description: "P-256 key (or P-384, Ed25519, RSA of 2048 bits or more)",
};

impl KeyFile {
    /// Returns the key in the file, or creates the file with a new key. An existing file is never
    /// written to.
    pub(crate) fn read_or_create(&self, path: &Path) -> Result<SigningKey, LocalError> {
        match File::open(path) {
            Ok(file) => self.read(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.create(path),
            Err(error) => Err(unreadable(path, &error)),
        }
    }

    fn read(&self, path: &Path, file: File) -> Result<SigningKey, LocalError> {
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
        let key_in = |der: &[u8]| {
            self.algorithms.iter().find_map(|it| SigningKey::from_pkcs8(*it, der).ok())
        };
        pem::der(&bytes, LABEL).and_then(|der| key_in(&der)).ok_or_else(|| {
            LocalError::new(format!(
                "{} contains no usable key, and was not changed. It must contain an unencrypted {} in \
                 PKCS#8, PEM or DER. Name a file that does not exist yet to create one",
                path.display(),
                self.description
            ))
        })
    }

    fn create(&self, path: &Path) -> Result<SigningKey, LocalError> {
        let failed = |error: &dyn Display| {
            LocalError::new(format!(
                "{} cannot be created: {error}. Name a file in a directory that exists and that you \
                 may write to",
                path.display()
            ))
        };
        let algorithm = self.algorithms.first().copied().unwrap_or(Algorithm::RS256);
        let key = SigningKey::generate(algorithm)?;
        let pem = pem::pem(&key.to_pkcs8()?, LABEL);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|error| failed(&error))?;
        file.write_all(pem.as_bytes()).map_err(|error| failed(&error))?;
        Ok(key)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> LocalError {
    LocalError::new(format!(
        "{} cannot be read: {error}. Name a file that you may read, or one that does not exist yet",
        path.display()
    ))
}
