//! Private keys as PKCS #8, for tests that need two keys of one file.
pub(crate) const RSA_1: &[u8] = include_bytes!("../../../../auth0-testing/src/keys/rsa-1.der");
pub(crate) const RSA_2: &[u8] = include_bytes!("../../../../auth0-testing/src/keys/rsa-2.der");
pub(crate) const P256: &[u8] = include_bytes!("../../../../auth0-testing/src/keys/p256.der");
pub(crate) const P384: &[u8] = include_bytes!("../../../../auth0-testing/src/keys/p384.der");
pub(crate) const ED25519: &[u8] = include_bytes!("../../../../auth0-testing/src/keys/ed25519.der");
