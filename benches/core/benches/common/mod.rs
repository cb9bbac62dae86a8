//! What is measured: tokens as Auth0 issues them, of 1 KiB unless said otherwise, and the floor: the
//! signature check of aws-lc-rs alone, with a key that was parsed before.
#![allow(dead_code, reason = "each benchmark takes what it needs")]
use auth0_core::{
    Algorithm, Auth0, Dpop, ErrorCode, Revocations, TrustedIssuer, VerifiedToken,
    adapter::{Connection, HeaderLines, HttpParts, RequestView},
    resolver::{IssuerResolver, ResolvedIssuers, ResolverContext},
    revocation::Revocation,
};
use auth0_testing::{SigningKey, Tenant, TokenBuilder};
use aws_lc_rs::{
    aead::{AES_128_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    signature::{self, ParsedPublicKey, RsaPublicKeyComponents},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use std::{borrow::Cow, hint::black_box, thread};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Signing {
    Rs256,
    Rs256With4096Bits,
    Ps256,
    Es256,
    EdDsa,
}

impl Signing {
    pub(crate) const ALL: [Self; 5] =
        [Self::Rs256, Self::Rs256With4096Bits, Self::Ps256, Self::Es256, Self::EdDsa];

    const fn algorithm(self) -> Algorithm {
        match self {
            Self::Rs256 | Self::Rs256With4096Bits => Algorithm::RS256,
            Self::Ps256 => Algorithm::PS256,
            Self::Es256 => Algorithm::ES256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }

    fn key(self) -> SigningKey {
        let algorithm = self.algorithm();
        match self {
            Self::Rs256With4096Bits => {
                SigningKey::from_pkcs8(algorithm, include_bytes!("rsa-4096.der")).unwrap()
            }
            // The same in every run, and without a search for primes.
            Self::Rs256 | Self::Ps256 => {
                let der = Tenant::new().signing_key().to_pkcs8().unwrap();
                SigningKey::from_pkcs8(algorithm, &der).unwrap().with_id("signing")
            }
            Self::Es256 | Self::EdDsa => SigningKey::generate(algorithm).unwrap(),
        }
    }
}

/// The payload of a forged token, which an attacker chooses so that reading it is costly. The issuer is not
/// trusted, unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Forged {
    /// An object of some 1,500 members.
    Members,
    /// So few that the token does not count as large.
    FewerMembers,
    MembersOfTrustedIssuer,
    /// Of a trusted issuer, with a made-up key.
    UnknownKey,
    /// Of a trusted issuer, with an algorithm that is not accepted.
    OtherAlgorithm,
    WithoutIssuer,
    EscapedMembers,
    /// Objects whose names differ only inside.
    Objects,
    EmptyObjects,
    EscapedStrings,
    /// Numbers that are nearly too large.
    Numbers,
}

impl Forged {
    pub(crate) const ALL: [Self; 11] = [
        Self::Members,
        Self::FewerMembers,
        Self::MembersOfTrustedIssuer,
        Self::UnknownKey,
        Self::OtherAlgorithm,
        Self::WithoutIssuer,
        Self::EscapedMembers,
        Self::Objects,
        Self::EmptyObjects,
        Self::EscapedStrings,
        Self::Numbers,
    ];

    const fn is_object(self) -> bool {
        !matches!(self, Self::Objects | Self::EmptyObjects | Self::EscapedStrings | Self::Numbers)
    }
}

/// A tenant, and verifiers of its tokens that have its keys.
pub(crate) struct Fixture {
    tenant: Tenant,
    key: SigningKey,
    signing: Signing,
}

impl Fixture {
    pub(crate) fn new(signing: Signing) -> Self {
        Self::with_keys(signing, 1)
    }

    /// The key set has this many keys; the one that signs comes first.
    pub(crate) fn with_keys(signing: Signing, keys: usize) -> Self {
        let tenant = Tenant::new();
        // Of one kind, so that they are equally costly to search through.
        for number in 1..keys {
            let other = SigningKey::generate(Algorithm::EdDSA).unwrap();
            tenant.add_key(other.with_id(format!("another-{number}")));
        }
        let key = signing.key();
        tenant.add_key(key.clone());
        tenant.withdraw_key(Tenant::new().signing_key().id()).unwrap();
        Self { tenant, key, signing }
    }

    pub(crate) fn verifier(&self, token_cache: usize) -> Auth0 {
        self.verifier_with_issuers(token_cache, 1)
    }

    /// Its keys are fixed, so that there is a verdict at once about every token.
    pub(crate) fn verifier_with_fixed_keys(&self) -> Auth0 {
        let issuer = TrustedIssuer::new(self.tenant.issuer()).key_set(self.tenant.key_set_json());
        let auth =
            Self::configured(self.tenant.builder_with([]).issuer(issuer), 0).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(auth.warm_up()).unwrap();
        auth
    }

    /// It trusts so many issuers, the tenant last of them.
    pub(crate) fn verifier_with_issuers(&self, token_cache: usize, issuers: usize) -> Auth0 {
        let others = (1..issuers).map(|number| format!("tenant-{number}.eu.auth0.com"));
        let builder = self.tenant.builder_with([]).domains(others).issuer(self.tenant.issuer());
        self.warm(Self::configured(builder, token_cache))
    }

    /// It knows so many revocations of others.
    pub(crate) fn verifier_with_revocations(&self, token_cache: usize, count: usize) -> Auth0 {
        let revocations = Revocations::in_memory();
        let auth = self.warm(self.builder(token_cache).revocations(&revocations));
        let issuer = self.tenant.issuer();
        let others =
            (0..count).map(|number| Revocation::subject(issuer, format!("auth0|{number}")));
        Self::revoke(&revocations, others);
        auth
    }

    /// The tokens of its issuer name their session. It knows so many revocations of other subjects, and one of each
    /// other kind, or none at all.
    pub(crate) fn verifier_with_all_kinds(&self, token_cache: usize, count: usize) -> Auth0 {
        let revocations = Revocations::in_memory();
        let builder = self.builder(token_cache).session_claim(["sid"]).revocations(&revocations);
        let auth = self.warm(builder);
        let issuer = self.tenant.issuer();
        let others =
            (0..count).map(|number| Revocation::subject(issuer, format!("auth0|{number}")));
        let kinds = [
            Revocation::organization_member(issuer, "org_other", "auth0|other"),
            Revocation::organization(issuer, "org_other"),
            Revocation::client(issuer, "other"),
            Revocation::token(issuer, "other"),
            Revocation::session(issuer, "other"),
        ];
        Self::revoke(&revocations, others.chain(kinds.into_iter().filter(|_| count > 0)));
        auth
    }

    /// On a thread, whose memory the allocator keeps apart: what the verification allocates costs the same then as
    /// without revocations.
    fn revoke(revocations: &Revocations, all: impl Iterator<Item = Revocation> + Send) {
        let add = || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            for revocation in all {
                runtime.block_on(revocations.revoke(revocation)).unwrap();
            }
        };
        thread::scope(|scope| scope.spawn(add).join().unwrap());
    }

    /// Returns the token of a header, verified.
    pub(crate) fn verified(&self, auth: &Auth0, header: &[u8]) -> VerifiedToken {
        let token = std::str::from_utf8(header).unwrap().strip_prefix("Bearer ").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(auth.verify(token)).unwrap()
    }

    fn warm(&self, builder: auth0_core::Builder) -> Auth0 {
        let auth = builder.build().unwrap();
        self.verified(&auth, &self.header(usize::MAX, 0));
        // Once for all: the header is known then, as it is in a service after its first token.
        authenticate(&auth, &self.header(usize::MAX, 0));
        auth
    }

    /// It has asked a resolver about so many hosts, that of the tenant last of them.
    pub(crate) fn verifier_with_resolver(&self, token_cache: usize, hosts: usize) -> Auth0 {
        let resolver = ResolvedIssuers::by(ByHost(self.tenant.issuer().to_owned()));
        let builder =
            self.tenant.builder_with([]).issuer_resolver(resolver.max_answers(2 * hosts.max(8)));
        let auth = Self::configured(builder, token_cache).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let header = self.header(usize::MAX, 0);
        for number in (1..hosts).rev() {
            let sent = Sent(format!("customer-{number}.test").into());
            let request = RequestView::new().authorization([&*header]).parts(&sent);
            runtime.block_on(auth.authenticate(&request)).unwrap_err();
        }
        let sent = Sent::default();
        let request = RequestView::new().authorization([&*header]).parts(&sent);
        runtime.block_on(auth.authenticate(&request)).unwrap();
        authenticate_sent(&auth, &header);
        auth
    }

    fn builder(&self, token_cache: usize) -> auth0_core::Builder {
        Self::configured(self.tenant.builder(), token_cache)
    }

    fn configured(builder: auth0_core::Builder, token_cache: usize) -> auth0_core::Builder {
        builder.algorithms(Algorithm::ALL).max_token_bytes(64 * 1024).token_cache(token_cache)
    }

    /// The `Authorization` header of a token that differs from others by its number, and is longer by
    /// about so many bytes.
    pub(crate) fn header(&self, number: usize, more: usize) -> Vec<u8> {
        format!("Bearer {}", self.token(number, more).mint()).into_bytes()
    }

    /// The `Authorization` header of a token that names all that can be revoked.
    pub(crate) fn header_with_all_names(&self) -> Vec<u8> {
        let token = self.token(0, 0).organization("org_acme", "acme").claim("sid", "a".repeat(32));
        format!("Bearer {}", token.claim("jti", "a".repeat(22)).mint()).into_bytes()
    }

    fn token(&self, number: usize, more: usize) -> TokenBuilder {
        self.tenant
            .token()
            .subject(&format!("auth0|6543210fedcba9876543{number:020}"))
            .scope("openid profile email read:messages write:messages")
            .permissions(["read:messages", "write:messages", "delete:messages"])
            .client("aBcDeFgHiJkLmNoPqRsTuVwXyZ012345")
            .claim("https://acme.com/roles", ["admin", "editor"])
            .claim("https://acme.com/plan", "enterprise-annual-with-support")
            .claim("https://acme.com/more", vec!["a string of 24 characters"; more / 36])
            .signed_by(&self.key)
    }

    /// The `Authorization` header of a forged token of 16 KiB. Its signature has the usual length.
    pub(crate) fn forged(&self, forged: Forged) -> Vec<u8> {
        let issuer = match forged {
            Forged::MembersOfTrustedIssuer | Forged::UnknownKey | Forged::OtherAlgorithm => {
                self.tenant.issuer()
            }
            _ => "https://made-up.eu.auth0.com/",
        };
        let alike = |number: usize| format!("a{:02}a", number % 32);
        let element = |number: usize| match forged {
            Forged::EscapedMembers => format!(r#","{number:x}\n":1"#),
            Forged::Objects if number % 32 == 31 => format!(r#""{}":1}}"#, alike(number)),
            Forged::Objects if number.is_multiple_of(32) => format!(r#",{{"{}":1,"#, alike(number)),
            Forged::Objects => format!(r#""{}":1,"#, alike(number)),
            Forged::EmptyObjects => ",{}".to_owned(),
            Forged::EscapedStrings => r#","\n""#.to_owned(),
            Forged::Numbers => ",1e308".to_owned(),
            _ => format!(r#","{number:x}":1"#),
        };
        let mut payload = format!(
            r#"{{"aud":"{}","sub":"auth0|1","iat":1,"exp":4102444800,"#,
            self.tenant.audience()
        );
        payload.push_str(if forged.is_object() { r#""x":{"x":1"# } else { r#""x":[1"# });
        let most = if matches!(forged, Forged::FewerMembers) { 7_900 } else { 11_800 };
        let mut number = 0;
        while payload.len() < most || (matches!(forged, Forged::Objects) && number % 32 > 0) {
            payload.push_str(&element(number));
            number += 1;
        }
        payload.push(if forged.is_object() { '}' } else { ']' });
        payload.push_str(&match forged {
            Forged::WithoutIssuer => "}".to_owned(),
            _ => format!(r#","\u0069ss":"{issuer}"}}"#),
        });
        let mut header = json!({ "typ": "at+jwt", "alg": "RS256", "kid": self.key.id() });
        match forged {
            Forged::UnknownKey => header["kid"] = "made-up".into(),
            Forged::OtherAlgorithm => header["alg"] = "HS256".into(),
            _ => {}
        }
        let [header, payload, signature] =
            [header.to_string().as_bytes(), payload.as_bytes(), &[7; 256]]
                .map(|part| URL_SAFE_NO_PAD.encode(part));
        format!("Bearer {header}.{payload}.{signature}").into_bytes()
    }

    pub(crate) fn floor(&self, more: usize) -> Floor {
        Floor::new(self.signing, &self.key, self.token(0, more).mint().as_bytes())
    }
}

/// The verdict, which is there at once: the keys are in memory.
pub(crate) fn authenticate(auth: &Auth0, header: &[u8]) {
    let request = RequestView::new().authorization([black_box(header)]);
    let token = auth.authenticate_now(&request).unwrap().unwrap();
    black_box(token.subject());
}

/// The verdict about a token that is refused, which is there at once.
pub(crate) fn refuse(auth: &Auth0, header: &[u8]) {
    let request = RequestView::new().authorization([black_box(header)]);
    let error = auth.authenticate_now(&request).unwrap().unwrap_err();
    let expected = [
        ErrorCode::IssuerMismatch,
        ErrorCode::SignatureInvalid,
        ErrorCode::KeyUnknown,
        ErrorCode::AlgorithmUnsupported,
    ];
    assert!(expected.contains(&error.code()), "{error:?}");
}

/// The same of a request whose host is known.
pub(crate) fn authenticate_sent(auth: &Auth0, header: &[u8]) {
    let sent = Sent::default();
    let request = RequestView::new().authorization([black_box(header)]).parts(&sent);
    let token = auth.authenticate_now(&request).unwrap().unwrap();
    black_box(token.subject());
}

/// Finds the issuer of one host, and none for others.
struct ByHost(String);

impl IssuerResolver for ByHost {
    type Key = String;

    fn key(&self, request: &ResolverContext<'_>) -> Option<String> {
        request.host().map(str::to_owned)
    }

    async fn resolve(
        &self,
        host: String,
    ) -> Result<Vec<TrustedIssuer>, Box<dyn std::error::Error + Send + Sync>> {
        let another = TrustedIssuer::new(format!("https://{host}/"));
        Ok(vec![if host == HOST { TrustedIssuer::new(&self.0) } else { another }])
    }
}

/// A request for this URL, or one of another host: what an adapter of a framework tells of one.
struct Sent(Cow<'static, str>);

impl Default for Sent {
    fn default() -> Self {
        Self(Cow::Borrowed(HOST))
    }
}

const HOST: &str = "api.tenant.test";

const URL: &str = "https://api.tenant.test/messages/4711";

impl HttpParts for Sent {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/messages/4711"
    }

    fn scheme(&self) -> Option<&str> {
        None
    }

    fn authority(&self) -> Option<&str> {
        None
    }

    fn header(&self, name: &str) -> HeaderLines<'_> {
        match name {
            "host" => HeaderLines::One(self.0.as_bytes()),
            _ => HeaderLines::Absent,
        }
    }

    fn connection(&self) -> Connection {
        Connection::new().tls(true)
    }
}

/// A client whose token is bound to its key, with a proof for each request.
pub(crate) struct Bound {
    fixture: Fixture,
    auth: Auth0,
    token: String,
    header: Vec<u8>,
}

impl Bound {
    pub(crate) fn new(token_cache: usize) -> Self {
        let fixture = Fixture::new(Signing::Rs256);
        let key = fixture.tenant.client_key();
        let token = fixture.token(0, 0).bound_to(&key).mint();
        let auth = fixture
            .builder(token_cache)
            .dpop(Dpop::required().replay_capacity(10_000_000))
            .build()
            .unwrap();
        let header = format!("DPoP {token}").into_bytes();
        let bound = Self { fixture, auth, token, header };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(bound.auth.warm_up()).unwrap();
        // Once for all: header, key and, if it may be remembered, the token are known then. This proof is remembered
        // beside the fixed one, in memory that is allocated with the first proof there.
        let first = bound.fixture.tenant.proof("GET", URL).for_token(&bound.token);
        bound.authenticate(first.claim("jti", "first-9").mint().as_bytes());
        bound
    }

    /// A proof that is the same in every run: what a signature of ECDSA costs to check depends on its
    /// random part. If the token changes, print [`proof`](Self::proof) into the file.
    pub(crate) fn fixed_proof(&self) -> Vec<u8> {
        include_str!("proof.jwt").trim_end().into()
    }

    /// A proof that was not used before.
    pub(crate) fn proof(&self) -> Vec<u8> {
        self.fixture.tenant.proof("GET", URL).for_token(&self.token).mint().into_bytes()
    }

    pub(crate) fn authenticate(&self, proof: &[u8]) {
        let sent = Sent::default();
        let request = RequestView::new()
            .authorization([black_box(&*self.header)])
            .proof([black_box(proof)])
            .parts(&sent);
        let token = self.auth.authenticate_now(&request).unwrap().unwrap();
        black_box(token.subject());
    }

    /// The two signature checks alone: the token's, and the proof's.
    pub(crate) fn floors(&self) -> (Floor, Floor) {
        let token = Floor::new(Signing::Rs256, &self.fixture.key, self.token.as_bytes());
        (token, Floor::new(Signing::Es256, &self.fixture.tenant.client_key(), &self.fixed_proof()))
    }
}

/// The signature check alone.
pub(crate) struct Floor {
    key: ParsedPublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
    token: Vec<u8>,
    tag_key: LessSafeKey,
}

impl Floor {
    fn new(signing: Signing, key: &SigningKey, token: &[u8]) -> Self {
        let jwk = key.jwk();
        let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let rsa = |parameters| {
            RsaPublicKeyComponents { n: member("n"), e: member("e") }
                .to_parsed_public_key(parameters)
                .unwrap()
        };
        let key = match signing {
            Signing::Rs256 | Signing::Rs256With4096Bits => {
                rsa(&signature::RSA_PKCS1_2048_8192_SHA256)
            }
            Signing::Ps256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Signing::Es256 => {
                let point = [vec![4], member("x"), member("y")].concat();
                ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).unwrap()
            }
            Signing::EdDsa => ParsedPublicKey::new(&signature::ED25519, member("x")).unwrap(),
        };
        let token = token.to_vec();
        let dot = token.iter().rposition(|byte| *byte == b'.').unwrap();
        let message = token[..dot].to_vec();
        let signature = URL_SAFE_NO_PAD.decode(&token[dot + 1..]).unwrap();
        let tag_key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM_SIV, &[7; 16]).unwrap());
        let floor = Self { key, message, signature, token, tag_key };
        // The first check prepares the key, which is for once.
        floor.verify();
        floor
    }

    pub(crate) fn verify(&self) {
        let Self { key, message, signature, .. } = self;
        black_box(key.verify_sig(black_box(message), black_box(signature))).unwrap();
    }

    /// The tag of the whole token, by which a remembered one is recognized.
    pub(crate) fn tag(&self) {
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let token = Aad::from(black_box(&self.token));
        let tag = self.tag_key.seal_in_place_separate_tag(nonce, token, &mut []);
        assert!(black_box(tag).is_ok());
    }
}
