//! Public keys that are parsed once.
use super::{Algorithm, digest::Message};
use aws_lc_rs::signature::{
    self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
};

/// A public key, ready to verify signatures of one algorithm.
#[derive(Debug)]
pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// Creates an RSA key from its modulus and exponent, big-endian without leading zeros.
    pub(crate) fn rsa(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Option<Self> {
        let parameters = rsa_parameters(algorithm)?;
        RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).ok().map(Self)
    }

    /// Creates a P-256 or P-384 key from its coordinates, each as long as the field.
    pub(crate) fn ecdsa(algorithm: Algorithm, x: &[u8], y: &[u8]) -> Option<Self> {
        let (parameters, length): (&'static EcdsaVerificationAlgorithm, _) = match algorithm {
            Algorithm::ES256 => (&signature::ECDSA_P256_SHA256_FIXED, 32),
            Algorithm::ES384 => (&signature::ECDSA_P384_SHA384_FIXED, 48),
            _ => return None,
        };
        if x.len() != length || y.len() != length {
            return None;
        }
        // An uncompressed point of SEC 1 §2.3.3; aws-lc checks that it is on the curve.
        let point = [&[4], x, y].concat();
        ParsedPublicKey::new(parameters, point).ok().map(Self)
    }

    /// Creates an Ed25519 key from its 32 bytes.
    pub(crate) fn ed25519(x: &[u8]) -> Option<Self> {
        if x.len() != 32 {
            return None;
        }
        ParsedPublicKey::new(&signature::ED25519, x).ok().map(Self)
    }

    pub(crate) fn verifies(&self, message: &Message<'_>, signature: &[u8]) -> bool {
        match message.digest() {
            Some(digest) => self.0.verify_digest_sig(digest, signature).is_ok(),
            None => self.0.verify_sig(message.bytes(), signature).is_ok(),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref() == other.0.as_ref()
    }
}

/// Returns the parameters of an RSA algorithm.
const fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => return None,
    })
}
