//! The keys of the issuer, and tokens that they sign or seem to sign.
use auth0_core::Algorithm;
use auth0_testing::SigningKey;
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// The published keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    EdDsa,
    Es256,
    Rs256,
}

impl Key {
    pub(super) const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    pub(super) const fn algorithm(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::EdDSA,
            Self::Es256 => Algorithm::ES256,
            Self::Rs256 => Algorithm::RS256,
        }
    }

    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::EdDsa => "ed",
            Self::Es256 => "es",
            Self::Rs256 => "rs",
        }
    }

    const fn pkcs8(self) -> &'static [u8] {
        match self {
            Self::EdDsa => include_bytes!("../../../../auth0-testing/src/keys/ed25519.der"),
            Self::Es256 => include_bytes!("../../../../auth0-testing/src/keys/p256.der"),
            Self::Rs256 => include_bytes!("../../../../auth0-testing/src/keys/rsa-1.der"),
        }
    }

    /// Returns the entry of the key set.
    pub(super) fn jwk(self) -> Value {
        SigningKey::from_pkcs8(self.algorithm(), self.pkcs8()).unwrap().with_id(self.id()).jwk()
    }
}

/// The private keys.
pub(super) struct Keys {
    ed25519: Ed25519KeyPair,
    p256: EcdsaKeyPair,
    rsa: RsaKeyPair,
    /// It is not published.
    attacker: Ed25519KeyPair,
    random: SystemRandom,
}

impl Keys {
    pub(super) fn new() -> Self {
        let p256 = (&ECDSA_P256_SHA256_FIXED_SIGNING, Key::Es256.pkcs8());
        Self {
            ed25519: Ed25519KeyPair::from_pkcs8(Key::EdDsa.pkcs8()).unwrap(),
            p256: EcdsaKeyPair::from_pkcs8(p256.0, p256.1).unwrap(),
            rsa: RsaKeyPair::from_pkcs8(Key::Rs256.pkcs8()).unwrap(),
            attacker: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap(),
            random: SystemRandom::new(),
        }
    }

    pub(super) fn sign(&self, key: Key, header: &str, payload: &str) -> String {
        join(header, payload, |message| match key {
            Key::EdDsa => self.ed25519.sign(message).as_ref().to_vec(),
            Key::Es256 => self.p256.sign(&self.random, message).unwrap().as_ref().to_vec(),
            Key::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature).unwrap();
                signature
            }
        })
    }

    pub(super) fn sign_as_attacker(&self, header: &str, payload: &str) -> String {
        join(header, payload, |message| self.attacker.sign(message).as_ref().to_vec())
    }
}

/// Signs with the public key as the secret of `HS256`: the classic algorithm confusion.
pub(super) fn with_public_key(key: Key, payload: &str) -> String {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key.jwk().to_string().as_bytes());
    let header = format!(r#"{{"alg":"HS256","kid":"{}"}}"#, key.id());
    join(&header, payload, |message| hmac::sign(&secret, message).as_ref().to_vec())
}

pub(super) fn unsigned(key: Key, payload: &str) -> String {
    join(&format!(r#"{{"alg":"none","kid":"{}"}}"#, key.id()), payload, |_| Vec::new())
}

fn join(header: &str, payload: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let signature = sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
