//! The one seam to aws-lc-rs: algorithms, and public keys that are parsed once.
use aws_lc_rs::{
    digest,
    signature::{
        self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
    },
};
use std::fmt;

/// A signature algorithm that can be accepted (RFC 7518 §3.1, RFC 8037 §3.1).
///
/// Symmetric algorithms (`HS256` and its kin) and `none` are not here: they cannot be configured,
/// and a token that names one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what Auth0 signs with unless told otherwise.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256: Auth0's other choice.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519. It is also accepted under the name `Ed25519`, which RFC 9864 puts in place of `EdDSA`.
    EdDSA,
}

impl Algorithm {
    /// Every algorithm that can be configured.
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// The name in the `alg` member, for example `RS256`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    /// Whether what is signed is the SHA-256 of the message, so that one state can serve both the
    /// signature and the [`Fingerprint`].
    const fn signs_sha256(self) -> bool {
        matches!(self, Self::RS256 | Self::PS256 | Self::ES256)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDSA);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    const fn rsa_parameters(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
            Self::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
            Self::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
            Self::ES256 | Self::ES384 | Self::EdDSA => return None,
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which algorithms are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AlgorithmSet(u16);

impl AlgorithmSet {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & (1 << algorithm as u16) != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| self.contains(*algorithm))
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        Self(algorithms.into_iter().fold(0, |set, algorithm| set | 1 << algorithm as u16))
    }
}

/// A public key, ready to verify signatures of one algorithm.
#[derive(Debug)]
pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// An RSA key from its modulus and exponent, big-endian without leading zeros.
    pub(crate) fn rsa(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Option<Self> {
        let parameters = algorithm.rsa_parameters()?;
        RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).ok().map(Self)
    }

    /// A P-256 or P-384 key from its coordinates, each as long as the field.
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

    /// An Ed25519 key from its 32 bytes.
    pub(crate) fn ed25519(x: &[u8]) -> Option<Self> {
        if x.len() != 32 {
            return None;
        }
        ParsedPublicKey::new(&signature::ED25519, x).ok().map(Self)
    }

    pub(crate) fn verifies(&self, message: &Message<'_>, signature: &[u8]) -> bool {
        match &message.digest {
            Some(digest) => self.0.verify_digest_sig(digest, signature).is_ok(),
            None => self.0.verify_sig(message.bytes, signature).is_ok(),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref() == other.0.as_ref()
    }
}

/// What a signature covers, hashed once for all that is asked of it.
pub(crate) struct Message<'a> {
    bytes: &'a [u8],
    digest: Option<digest::Digest>,
    /// The state behind the digest, to be continued.
    state: Option<digest::Context>,
}

impl<'a> Message<'a> {
    /// `has_fingerprint` tells whether [`fingerprint`](Self::fingerprint) will be asked for.
    pub(crate) fn new(bytes: &'a [u8], algorithm: Algorithm, has_fingerprint: bool) -> Self {
        if !algorithm.signs_sha256() {
            return Self { bytes, digest: None, state: None };
        }
        let mut state = digest::Context::new(&digest::SHA256);
        state.update(bytes);
        if has_fingerprint {
            Self { bytes, digest: Some(state.clone().finish()), state: Some(state) }
        } else {
            Self { bytes, digest: Some(state.finish()), state: None }
        }
    }

    /// The fingerprint of `token`, which begins with this message.
    pub(crate) fn fingerprint(self, token: &[u8]) -> Fingerprint {
        match (self.state, token.get(self.bytes.len()..)) {
            (Some(mut state), Some(rest)) => {
                state.update(rest);
                state.finish().into()
            }
            _ => Fingerprint::of(token),
        }
    }
}

/// The SHA-256 of a whole token as it was sent: what it is recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; digest::SHA256_OUTPUT_LEN]);

impl Fingerprint {
    pub(crate) fn of(token: &[u8]) -> Self {
        digest::digest(&digest::SHA256, token).into()
    }

    pub(crate) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) const fn into_bytes(self) -> [u8; digest::SHA256_OUTPUT_LEN] {
        self.0
    }
}

impl From<digest::Digest> for Fingerprint {
    fn from(sha256: digest::Digest) -> Self {
        let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(sha256.as_ref());
        Self(bytes)
    }
}
