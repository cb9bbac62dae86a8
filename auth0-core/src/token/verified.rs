//! The content of a verified token.
use super::{
    SubjectKinds, Times,
    binding::Binding,
    payload_text::{PayloadStr, PayloadStrs},
    withdrawn::{PublishedKeys, SigningKey},
};
use crate::{
    error::ChallengeOptions,
    jose::TokenTag,
    revocation::{IssuerHash, RevocationCheck, TokenMarks, WeakRevocations},
    runtime::Clock,
};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};

/// The content of a verified token. The strings are spans of the payload.
pub(crate) struct Verified {
    pub(crate) payload: Box<str>,
    pub(crate) issuer: PayloadStr,
    pub(crate) subject: PayloadStr,
    pub(crate) audiences: PayloadStrs,
    pub(crate) times: Times,
    pub(crate) token_id: Option<PayloadStr>,
    pub(crate) client_id: Option<PayloadStr>,
    pub(crate) scope: Option<PayloadStr>,
    pub(crate) permissions: PayloadStrs,
    pub(crate) organization_id: Option<PayloadStr>,
    pub(crate) organization_name: Option<PayloadStr>,
    pub(crate) session_id: Option<PayloadStr>,
    pub(crate) authenticated_at: Option<Duration>,
    pub(crate) authentication_class: Option<PayloadStr>,
    pub(crate) authentication_methods: PayloadStrs,
    /// The key or certificate that the client must prove to hold.
    pub(crate) binding: Option<Box<Binding>>,
    pub(crate) accepted_by: Arc<AcceptedBy>,
    /// The key that has signed it, if its end ends connections.
    pub(crate) signed_with: Option<SigningKey>,
    /// The marks of what can be revoked, if it is cached.
    pub(crate) revocation_marks: Option<Box<TokenMarks>>,
    /// The mark by which the token cache recognizes the token. `None` if it is not cached.
    pub(crate) cached: Option<CacheMark>,
}

/// The data of the issuer that an accepted token needs. It does not contain the issuer's keys, so that a
/// token that an application keeps does not keep them refreshed.
#[derive(Debug)]
pub(crate) struct AcceptedBy {
    pub(crate) challenge: Arc<ChallengeOptions>,
    pub(crate) leeway: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    /// The name of the issuer in metrics.
    pub(crate) metrics_label: Box<str>,
    /// Whether it is a tenant of Auth0.
    pub(crate) is_auth0: bool,
    /// The claim that its permissions are read from, for the log.
    pub(crate) permissions_claim: Box<str>,
    /// How its tokens tell persons from machines.
    pub(crate) subject_kinds: SubjectKinds,
    /// Its position among the issuers that are configured. `None` if a resolver has found it, and trusts it for some
    /// requests only.
    pub(crate) position: Option<usize>,
    pub(crate) revocable: Option<Revocable>,
    /// Its keys, if connections end with them. Weak, so that a token does not keep them refreshed.
    pub(crate) published_keys: Option<Weak<dyn PublishedKeys>>,
}

/// How tokens of an issuer are found among the revocations.
#[derive(Debug)]
pub(crate) struct Revocable {
    /// Weak, so that a token that an application keeps does not keep the store being read.
    pub(crate) revocations: WeakRevocations,
    pub(crate) issuer: IssuerHash,
}

/// The mark by which a token is recognized that was verified before.
#[derive(Clone, Copy)]
pub(crate) struct CacheMark {
    pub(crate) tag: TokenTag,
    /// The generation of the keys that verified it.
    pub(crate) generation: u64,
}

impl Verified {
    /// Creates an arbitrary token, for tests of the cache.
    #[cfg(test)]
    pub(crate) fn for_tests(payload: String, cached: CacheMark) -> Self {
        Self {
            payload: payload.into(),
            issuer: PayloadStr::Copy("".into()),
            subject: PayloadStr::Copy("".into()),
            audiences: PayloadStrs::Empty,
            times: Times::default(),
            token_id: None,
            client_id: None,
            scope: None,
            permissions: PayloadStrs::Empty,
            organization_id: None,
            organization_name: None,
            session_id: None,
            authenticated_at: None,
            authentication_class: None,
            authentication_methods: PayloadStrs::Empty,
            binding: None,
            accepted_by: Arc::new(AcceptedBy {
                challenge: Arc::default(),
                leeway: Duration::ZERO,
                clock: Arc::new(crate::runtime::SystemClock::new()),
                metrics_label: "".into(),
                is_auth0: true,
                permissions_claim: "permissions".into(),
                subject_kinds: SubjectKinds::Auth0,
                position: Some(0),
                revocable: None,
                published_keys: None,
            }),
            signed_with: None,
            revocation_marks: None,
            cached: Some(cached),
        }
    }

    /// Returns the names that can be revoked, if its verifier has revocations. The payload is there.
    pub(crate) fn revocation_check(&self) -> Option<RevocationCheck<'_>> {
        let Revocable { issuer, .. } = *self.accepted_by.revocable.as_ref()?;
        fn optional<'a>(text: Option<&'a PayloadStr>, payload: &'a str) -> Option<&'a str> {
            text.map(|text| text.of(payload))
        }
        let payload = &*self.payload;
        Some(RevocationCheck {
            issuer,
            subject: self.subject.of(payload),
            organization: optional(self.organization_id.as_ref(), payload),
            client: optional(self.client_id.as_ref(), payload),
            token: optional(self.token_id.as_ref(), payload),
            session: optional(self.session_id.as_ref(), payload),
            issued_at: self.times.issued_at,
        })
    }

    /// Returns the bytes of memory that it takes, without the overhead of the allocator.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [
            self.token_id.as_ref(),
            self.client_id.as_ref(),
            self.scope.as_ref(),
            self.organization_id.as_ref(),
            self.organization_name.as_ref(),
            self.session_id.as_ref(),
            self.authentication_class.as_ref(),
            Some(&self.issuer),
            Some(&self.subject),
        ];
        let lists = [&self.audiences, &self.permissions, &self.authentication_methods];
        size_of::<Self>()
            + self.payload.len()
            + self.binding.as_ref().map_or(0, |_| size_of::<Binding>())
            + self.revocation_marks.as_ref().map_or(0, |_| size_of::<TokenMarks>())
            + texts.into_iter().flatten().map(PayloadStr::copied_bytes).sum::<usize>()
            + lists.into_iter().map(PayloadStrs::copied_bytes).sum::<usize>()
    }
}
