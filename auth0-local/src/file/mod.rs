//! Keys and certificates in files.
#[cfg(feature = "cli")]
mod certificate;
mod key;
mod pem;

pub(crate) use key::TENANT_KEY;
pub(crate) use pem::{certificate_der, public_key_der};
#[cfg(feature = "cli")]
pub(crate) use {certificate::read_certificate, key::CLIENT_KEY};
