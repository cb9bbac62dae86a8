//! The files that keep keys from one start to the next: that of a tenant, and that of a client.
use crate::{error::LocalError, pem};
use auth0_core::{Algorithm, testing::SigningKey};
use std::{
    fmt::Display,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

const LABEL: &str = "PRIVATE KEY";

/// Twenty times an RSA key of 2048 bits.
const MAX_BYTES: u64 = 32 * 1024;

/// Which keys a file may hold.
pub(crate) struct KeyFile {
    /// The first one is that of a new key.
    algorithms: &'static [Algorithm],
    key: &'static str,
}

/// The key that a tenant signs tokens with.
pub(crate) const OF_TENANT: KeyFile =
    KeyFile { algorithms: &[Algorithm::RS256], key: "RSA key of 2048 bits or more" };

/// The key that a client makes DPoP proofs with.
#[cfg(feature = "cli")]
pub(crate) const OF_CLIENT: KeyFile = KeyFile {
    algorithms: &[Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256],
    key: "P-256 key (or P-384, Ed25519, RSA of 2048 bits or more)",
};

impl KeyFile {
    /// The key in the file, or a new one in a new file. An existing file is never written to.
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
                "{} holds no key that can be used, and is left as it is. It must be an unencrypted {} \
                 in PKCS#8, PEM or DER. Name a file that is not there yet and it will be made",
                path.display(),
                self.key
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
        "{} cannot be read: {error}. Name a file that you may read, or one that is not there yet",
        path.display()
    ))
}
