//! Private keys as PKCS #8, for tests that need two keys of one file.
pub(crate) const RSA_1: &[u8] = include_bytes!("../../../src/testing/keys/rsa-1.der");
pub(crate) const RSA_2: &[u8] = include_bytes!("../../../src/testing/keys/rsa-2.der");
pub(crate) const P256: &[u8] = include_bytes!("../../../src/testing/keys/p256.der");
pub(crate) const P384: &[u8] = include_bytes!("../../../src/testing/keys/p384.der");
pub(crate) const ED25519: &[u8] = include_bytes!("../../../src/testing/keys/ed25519.der");
