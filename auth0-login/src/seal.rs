//! Sealed text: what a browser keeps for this service, and can neither read nor change.
//!
//! A text is encrypted with AES-256-GCM under a key of its own, which HKDF derives from the secret, the purpose and a
//! random salt. The purpose is authenticated as well, so that a text is good for nothing else.
use auth0_core::ConfigError;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    rand,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;
use zeroize::Zeroizing;

/// A shorter secret could be guessed.
const MIN_SECRET_BYTES: usize = 32;

/// Each secret of the list is tried for nothing but its own texts, so that more cost nothing but memory.
const MAX_SECRETS: usize = 16;

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 4;
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// What a sealed text has beside its content, in bytes.
pub(crate) const OVERHEAD: usize = 1 + KEY_ID_BYTES + SALT_BYTES + NONCE_LEN + TAG_BYTES;

/// The secrets: the first one seals, all of them open.
pub(crate) struct Secrets(Vec<SecretKey>);

struct SecretKey {
    /// Names the secret in a sealed text.
    id: [u8; KEY_ID_BYTES],
    derivation: Prk,
}

/// A text that was opened.
pub(crate) struct Opened {
    pub(crate) content: Zeroizing<Vec<u8>>,
    /// Whether it was sealed with the newest secret.
    pub(crate) is_newest: bool,
}

impl Secrets {
    /// Creates them from the secrets, the newest first.
    pub(crate) fn new(secrets: &[Zeroizing<String>]) -> Result<Self, ConfigError> {
        const HINT: &str = "Create one with: openssl rand -base64 48";
        if secrets.is_empty() {
            return Err(ConfigError::new(format!(
                "login needs a secret for its cookies. Set AUTH0_SECRET, or add .secret(…). {HINT}"
            )));
        }
        if secrets.len() > MAX_SECRETS {
            return Err(ConfigError::new(format!(
                "AUTH0_SECRET has {} secrets. Remove old ones: at most {MAX_SECRETS} are read",
                secrets.len()
            )));
        }
        let keys = secrets.iter().enumerate().map(|(place, secret)| {
            if secret.len() >= MIN_SECRET_BYTES {
                return SecretKey::new(secret.as_bytes());
            }
            let which = match place {
                0 => "AUTH0_SECRET".to_owned(),
                _ => format!("the entry {} of AUTH0_SECRET", place + 1),
            };
            Err(ConfigError::new(format!(
                "{which} has {} bytes, and {MIN_SECRET_BYTES} or more are needed. {HINT}",
                secret.len()
            )))
        });
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// Seals a content for a purpose. `None` if the system has no randomness.
    pub(crate) fn seal(&self, purpose: &str, content: &[u8]) -> Option<String> {
        let newest = self.0.first()?;
        let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_LEN]);
        rand::fill(&mut salt).ok()?;
        rand::fill(&mut nonce).ok()?;
        let mut sealed = Vec::with_capacity(OVERHEAD + content.len());
        sealed.push(VERSION);
        sealed.extend(newest.id);
        sealed.extend(salt);
        sealed.extend(nonce);
        let mut text = content.to_vec();
        let key = newest.key(purpose, &salt)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::from(purpose), &mut text).ok()?;
        sealed.extend(text);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens a text that was sealed for this purpose. `None` for all other bytes.
    pub(crate) fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Opened> {
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        if bytes.len() < OVERHEAD {
            return None;
        }
        let text = bytes.split_off(OVERHEAD - TAG_BYTES);
        let (version, rest) = bytes.split_first()?;
        let (id, rest) = rest.split_at_checked(KEY_ID_BYTES)?;
        let (salt, nonce) = rest.split_at_checked(SALT_BYTES)?;
        if *version != VERSION {
            return None;
        }
        let place = self.0.iter().position(|key| key.id == id)?;
        let key = self.0.get(place)?.key(purpose, salt)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut content = Zeroizing::new(text);
        let length = key.open_in_place(nonce, Aad::from(purpose), &mut content).ok()?.len();
        content.truncate(length);
        Some(Opened { content, is_newest: place == 0 })
    }
}

impl SecretKey {
    fn new(secret: &[u8]) -> Result<Self, ConfigError> {
        let derivation = Salt::new(HKDF_SHA256, b"auth0-login").extract(secret);
        let mut id = [0; KEY_ID_BYTES];
        let named = derivation.expand(&[b"id"], Length(KEY_ID_BYTES));
        match named.and_then(|key| key.fill(&mut id)) {
            Ok(()) => Ok(Self { id, derivation }),
            Err(_) => Err(ConfigError::new("the secret for cookies cannot be used")),
        }
    }

    /// Derives the key of one text.
    fn key(&self, purpose: &str, salt: &[u8]) -> Option<LessSafeKey> {
        let info = [b"key".as_slice(), salt, purpose.as_bytes()];
        let key = UnboundKey::from(self.derivation.expand(&info, &AES_256_GCM).ok()?);
        Some(LessSafeKey::new(key))
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("count", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secrets(texts: &[&str]) -> Secrets {
        let texts: Vec<_> = texts.iter().map(|text| Zeroizing::new((*text).to_owned())).collect();
        Secrets::new(&texts).unwrap()
    }

    const OLD: &str = "0123456789abcdef0123456789abcdef";
    const NEW: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn what_was_sealed_is_opened_for_its_purpose_only() {
        let (old, both, new) = (secrets(&[OLD]), secrets(&[NEW, OLD]), secrets(&[NEW]));
        let sealed = old.seal("a", b"text").unwrap();
        let opened = old.open("a", sealed.as_bytes()).unwrap();
        assert!(**opened.content == *b"text" && opened.is_newest);
        let opened = both.open("a", sealed.as_bytes()).unwrap();
        assert!(**opened.content == *b"text" && !opened.is_newest);
        assert!(new.open("a", sealed.as_bytes()).is_none());
        assert!(old.open("b", sealed.as_bytes()).is_none());
        assert_ne!(old.seal("a", b"text").unwrap(), sealed, "each text has a key of its own");
        assert_eq!(sealed.len(), (OVERHEAD + 4).div_ceil(3) * 4 - (3 - (OVERHEAD + 4) % 3) % 3);
    }

    #[test]
    fn secrets_that_are_too_short() {
        let secret = |text: &str| Zeroizing::new(text.to_owned());
        let error =
            Secrets::new(&[secret("0123456789abcdef0123456789abcde")]).unwrap_err().to_string();
        assert!(error.starts_with("AUTH0_SECRET has 31 bytes"), "{error}");
        let error = Secrets::new(&[secret(OLD), secret("short")]).unwrap_err().to_string();
        assert!(error.starts_with("the entry 2 of AUTH0_SECRET has 5 bytes"), "{error}");
        assert!(!error.contains("short "), "{error}");
        assert!(Secrets::new(&[]).is_err());
        assert!(!format!("{:?}", secrets(&[OLD])).contains("0123"));
    }

    proptest! {
        #[test]
        fn any_content_comes_back(content in proptest::collection::vec(any::<u8>(), 0..300)) {
            let secrets = secrets(&[OLD]);
            let sealed = secrets.seal("a", &content).unwrap();
            prop_assert_eq!(&**secrets.open("a", sealed.as_bytes()).unwrap().content, &*content);
        }

        /// No bytes but those of `seal` are opened.
        #[test]
        fn other_bytes_are_not_opened(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let secrets = secrets(&[OLD]);
            prop_assert!(secrets.open("a", &bytes).is_none());
            prop_assert!(secrets.open("a", URL_SAFE_NO_PAD.encode(&bytes).as_bytes()).is_none());
        }

        #[test]
        fn a_changed_byte_is_noticed(place in 0_usize..60, bit in 0_u8..8) {
            let secrets = secrets(&[OLD]);
            let sealed = secrets.seal("a", b"a text of some length").unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(sealed).unwrap();
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            prop_assert!(secrets.open("a", URL_SAFE_NO_PAD.encode(bytes).as_bytes()).is_none());
        }
    }
}
