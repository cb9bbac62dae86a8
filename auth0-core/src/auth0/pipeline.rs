//! How a request is verified, step by step:
//!
//! ```text
//! credentials   which scheme, which token                 (`Credentials::parse`)
//! jws           parse within limits, alg allow-list
//! issuer        is the unverified iss trusted?            an untrusted issuer triggers no fetch
//! keys          the key for issuer, kid and alg           none can be fetched: 503, never 401
//! signature
//! validation    typ iss aud exp nbf iat
//! requirement   of the issuer, for each of its tokens
//! possession    DPoP proof, certificate                   the store of used proofs last
//! revocation    subject, organization, client, session, jti    before that store is asked, and after it
//! ```
//!
//! A token in the token cache skips the steps from `jws` to `validation`.
use super::{
    large_token::LARGE_HEADER,
    pending::{Pending, Refusal, Stop, keys_unavailable, record_use},
    verifier::Verifier,
};
use crate::{
    error::{Error, ErrorCode},
    issuer::{
        Trusted, registry,
        resolver::{Answer, Lookup, ResolverContext},
    },
    jose::{
        Message,
        jws::{Compact, Header},
    },
    keys::{Newer, SignatureCheck, Snapshot, WantedKey},
    policy::Circumstances,
    possession,
    request::Credentials,
    runtime::Moment,
    telemetry::{escaped, metrics},
    token::{CacheMark, Claims, SigningKey, VerifiedToken},
};
use std::{ops::Deref, sync::Arc};

/// What was fetched or called for this request.
#[derive(Clone, Copy, Default)]
pub(super) struct Inputs<'a> {
    pub(super) answer: Option<&'a Answer>,
    pub(super) trusted: Option<&'a Arc<Trusted>>,
    pub(super) keys: Option<&'a Arc<Snapshot>>,
}

/// An issuer that is trusted for this request.
pub(super) enum TrustedRef<'a> {
    Configured(&'a Arc<Trusted>),
    Resolved(Arc<Trusted>),
}

impl Verifier {
    /// Runs all steps with the data in memory.
    pub(super) fn run(&self, credentials: &Credentials<'_>) -> Result<VerifiedToken, Stop> {
        let now = self.now()?;
        if let Some((verified, trusted)) = self.cached(credentials, now) {
            let token = VerifiedToken::new(verified, credentials.scheme);
            tracing::debug!(
                target: "auth0", issuer = token.issuer(), client_id = token.client_id().map(escaped),
                "found an access token in the cache"
            );
            let verdict = self.check_possession(token, &trusted, credentials, now);
            // After a wait for revocations, all is checked again.
            let is_admitted = match &verdict {
                Ok(_) => true,
                Err(Stop::Pending(pending)) => matches!(**pending, Pending::ReplayStore { .. }),
                Err(Stop::Refused(_)) => false,
            };
            if is_admitted {
                metrics::cache_hit(trusted.metrics_label());
            }
            return verdict;
        }
        self.run_uncached(credentials, now)
    }

    /// Runs all steps of a token that is not in the cache.
    #[inline(never)] // so that the path of cached tokens is short
    fn run_uncached(
        &self,
        credentials: &Credentials<'_>,
        now: Moment,
    ) -> Result<VerifiedToken, Stop> {
        if let Some(parts) = credentials.parts {
            self.origin.report_unknown_peer(parts);
        }
        let verdict = self
            .check_token(credentials, Inputs::default(), now)
            .and_then(|(token, trusted)| self.check_possession(token, &trusted, credentials, now));
        match verdict {
            Err(Stop::Refused(mut refusal)) => {
                if refusal.is_of_form() {
                    credentials.check_characters()?;
                }
                refusal.error = credentials.explain(refusal.error);
                Err(Stop::Refused(refusal))
            }
            verdict => verdict,
        }
    }

    /// Returns the time, if the clock is set.
    #[inline]
    pub(super) fn now(&self) -> Result<Moment, Error> {
        let now = self.clock.moment();
        self.clock_check.check(now)?;
        Ok(now)
    }

    /// Waits for what is pending, and continues.
    pub(super) async fn resume(
        &self,
        credentials: &Credentials<'_>,
        pending: Pending,
    ) -> Result<VerifiedToken, Box<Refusal>> {
        let mut pending = pending;
        let mut has_waited = false;
        loop {
            let verdict = match pending {
                Pending::Issuer { header, question } => {
                    let answer = question
                        .await
                        .map_err(|why| Refusal::new(why.into_error(), &header, None, None))?;
                    let inputs = Inputs { answer: Some(&answer), ..Inputs::default() };
                    self.check_all(credentials, inputs)
                }
                Pending::Keys { trusted, header } => {
                    let keys = trusted.keys.keys().await.map_err(|reason| {
                        Refusal::new(
                            keys_unavailable(&reason, &trusted),
                            &header,
                            Some(&trusted),
                            None,
                        )
                    })?;
                    self.check_all(credentials, Inputs::with_keys(&trusted, &keys))
                }
                Pending::Key { trusted, header, keys, check } => {
                    let refuse = |check| Err(Refusal::of_signature(check, &header, &trusted));
                    let is_unknown = matches!(check, SignatureCheck::UnknownKey);
                    let doubted = (!is_unknown).then(|| Arc::clone(&keys));
                    let wanted = WantedKey { id: header.key_id.clone(), doubted };
                    let newer = match trusted.keys.newer_with(&wanted, &keys).await {
                        Ok(Newer::Found(newer)) => newer,
                        Ok(Newer::Absent | Newer::OverBudget) => return refuse(&check),
                        // With the keys at hand, the token is not good.
                        Err(_) if !is_unknown => return refuse(&check),
                        Err(reason) => {
                            let error = keys_unavailable(&reason, &trusted);
                            return Err(Refusal::new(error, &header, Some(&trusted), None));
                        }
                    };
                    match self.check_all(credentials, Inputs::with_keys(&trusted, &newer)) {
                        Err(Stop::Pending(next)) => match *next {
                            // One fetch is enough.
                            Pending::Key { check, .. } => return refuse(&check),
                            next => Err(next.into()),
                        },
                        verdict => verdict,
                    }
                }
                Pending::Revocations { trusted, client_id } => {
                    self.await_revocations(trusted, client_id, has_waited).await?;
                    has_waited = true;
                    self.check_all(credentials, Inputs::default())
                }
                Pending::ReplayStore { token, trusted, proven } => {
                    let outcome = self.dpop.replay.record(&proven.used).await;
                    let token = record_use(token, &trusted, proven.next_nonce, outcome)?;
                    self.check_revocation_again(&token, &trusted).await?;
                    return Ok(token);
                }
            };
            match verdict {
                Ok(token) => return Ok(token),
                Err(Stop::Refused(refusal)) => return Err(refusal),
                Err(Stop::Pending(next)) => pending = *next,
            }
        }
    }

    fn check_all(
        &self,
        credentials: &Credentials<'_>,
        inputs: Inputs<'_>,
    ) -> Result<VerifiedToken, Stop> {
        let now = self.now()?;
        let (token, trusted) = self.check_token(credentials, inputs, now)?;
        self.check_possession(token, &trusted, credentials, now)
    }

    /// Runs the steps from `jws` to `validation`, with these inputs or with the data in memory.
    fn check_token<'a>(
        &'a self,
        credentials: &Credentials<'_>,
        inputs: Inputs<'a>,
        now: Moment,
    ) -> Result<(VerifiedToken, TrustedRef<'a>), Stop> {
        // jws. An error of the header is reported first, although the header is read last: nearly always the
        // header is in the cache.
        let compact = Compact::split(credentials.token)?;
        if compact.is_large() {
            self.check_large(&compact, credentials, inputs, now)?;
        }
        let payload = compact.payload().map_err(|error| self.after_header(&compact, error))?;
        let mut buffer = [0; _];
        let signature =
            compact.signature(&mut buffer).map_err(|error| self.after_header(&compact, error))?;
        let claims = Claims::parse(&payload).map_err(|error| self.after_header(&compact, error))?;

        // issuer
        let issuer = registry::stated(&claims, &payload)
            .map_err(|error| self.after_header(&compact, error))?;
        let stated = issuer.of(&payload);
        let trusted = match inputs.trusted.or_else(|| self.issuers.named(stated)) {
            Some(trusted) => TrustedRef::Configured(trusted),
            None => {
                let answer = inputs.answer;
                TrustedRef::Resolved(self.resolve(&compact, credentials, stated, answer, now)?)
            }
        };

        // keys
        let current;
        let keys = match inputs.keys {
            Some(keys) => Some(keys),
            None => {
                current = trusted.keys.usable(now.monotonic);
                current.as_ref().and_then(|current| current.as_ref())
            }
        };
        let known_headers = keys.map(|keys| keys.keys.known_headers.load());
        let known = known_headers.as_ref().and_then(|headers| headers.find(compact.header));
        let read;
        let header = match known {
            Some(known) => &known.header,
            None => {
                read = Header::parse(compact.header, trusted.validation.algorithms)?;
                &read
            }
        };
        let refuse = |error: Error| Refusal::new(error, header, Some(&trusted), None);
        let algorithm = header.accepted().map_err(|error| refuse(error.into()))?;
        if !credentials.scheme.is_enabled(trusted.dpop) {
            return Err(refuse(Error::new(ErrorCode::SchemeUnsupported)).into());
        }
        let Some(keys) = keys else {
            let (trusted, header) = (Arc::clone(&trusted), header.clone());
            return Err(Pending::Keys { trusted, header }.into());
        };
        trusted.keys.refresh_if_due(keys, now.monotonic);
        if *keys.issuer.as_str() != *stated {
            return Err(refuse(registry::other_spelling(stated, keys.issuer.as_str())).into());
        }

        // signature. Without a kid, the key of a token depends on the other keys of the set.
        let is_cacheable = !self.tokens.is_off() && header.key_id.is_some();
        let has_token_hash = claims.confirmation.is_some();
        let message = Message::new(compact.signed, algorithm, has_token_hash);
        let signer =
            keys.keys.signer(known, compact.header, header, algorithm, &message, &signature);
        let key = signer.map_err(|check| Stop::of_signature(check, &trusted, header, keys))?;
        trusted.keys.prove();

        // validation. The signature is good, so the client id comes from the issuer.
        let mut verified = trusted
            .validation
            .check(issuer, header, &claims, &payload, &trusted.accepted_by, now.unix_time)
            .map_err(|error| Refusal::new(error, header, Some(&trusted), claims.client_id()))?;
        if let Some(revocations) = &self.revocations {
            revocations.note_lifetime(verified.times.issued_at, verified.times.expires_at);
        }
        verified.payload = payload.into();
        if trusted.accepted_by.published_keys.is_some() {
            verified.signed_with = Some(SigningKey { key: key.into_owned(), algorithm });
        }
        let is_cached = is_cacheable && self.tokens.takes(&verified);
        if is_cached {
            let marks = verified.revocation_check().map(|check| check.marks());
            verified.revocation_marks = marks.map(Box::new);
            let tag = self.tokens.tag(credentials.token);
            verified.cached = tag.map(|tag| CacheMark { tag, generation: keys.generation });
        }
        if let Some(binding) = &mut verified.binding {
            binding.set_token(message.token_hash(credentials.token));
        }
        let verified = Arc::new(verified);
        if verified.cached.is_some() {
            self.tokens.insert(credentials.token, &verified);
        }
        let token = VerifiedToken::new(verified, credentials.scheme);
        tracing::debug!(
            target: "auth0", issuer = token.issuer(), client_id = token.client_id().map(escaped),
            alg = algorithm.as_str(), kid = header.key_id.as_deref().map(escaped),
            "verified an access token"
        );
        Ok((token, trusted))
    }

    /// Checks the issuer's requirement, and what the token is bound to.
    #[inline]
    fn check_possession(
        &self,
        token: VerifiedToken,
        trusted: &Arc<Trusted>,
        credentials: &Credentials<'_>,
        now: Moment,
    ) -> Result<VerifiedToken, Stop> {
        if let Some(requirement) = &trusted.requirement {
            let leeway = trusted.validation.leeway;
            let circumstances = Circumstances { now: now.unix_time, leeway, request: None };
            requirement
                .check_under(&token, circumstances)
                .map_err(|error| Refusal::of_token(error, &token, trusted))?;
        }
        if token.binding().is_none() && credentials.is_plain() {
            self.check_revocation(&token, trusted, now)?;
            return Ok(token);
        }
        self.check_proof(token, trusted, credentials, now)
    }

    #[inline(never)] // so that the path of bearer tokens is short
    fn check_proof(
        &self,
        token: VerifiedToken,
        trusted: &Arc<Trusted>,
        credentials: &Credentials<'_>,
        now: Moment,
    ) -> Result<VerifiedToken, Stop> {
        let Self { dpop, origin, .. } = self;
        let proven = possession::check(
            token.binding(),
            credentials,
            trusted.dpop,
            dpop,
            origin,
            now.unix_time,
        )
        .map_err(|error| Refusal::of_token(error, &token, trusted))?;
        self.check_revocation(&token, trusted, now)?;
        let Some(proven) = proven else { return Ok(token) };
        match dpop.replay.record_now(&proven.used) {
            Some(outcome) => Ok(record_use(token, trusted, proven.next_nonce, outcome)?),
            None => {
                let (trusted, proven) = (Arc::clone(trusted), Box::new(proven));
                Err(Pending::ReplayStore { token, trusted, proven }.into())
            }
        }
    }

    /// Returns the issuer of a token that is not configured: from this answer of the resolver, or from a
    /// cached one.
    pub(super) fn resolve(
        &self,
        compact: &Compact<'_>,
        credentials: &Credentials<'_>,
        stated: &str,
        answer: Option<&Answer>,
        now: Moment,
    ) -> Result<Arc<Trusted>, Stop> {
        let refuse = |error: Error| self.after_header(compact, error);
        let known;
        let answer = match (answer, &self.issuers.resolver) {
            (Some(answer), _) => answer,
            (None, None) => return Err(refuse(self.issuers.mismatch(stated)).into()),
            (None, Some(resolver)) => {
                let context = ResolverContext::new(stated, credentials.parts, &self.origin);
                match resolver.look_up(&context, now.monotonic) {
                    Lookup::Known(answer) => known = answer,
                    Lookup::NoIssuers(why) => {
                        let error = registry::mismatch(stated, &why, |_| false);
                        return Err(refuse(error).into());
                    }
                    Lookup::Failed(why) => return Err(refuse(why.into_error()).into()),
                    Lookup::Ask(question) => {
                        // The resolver is not called for a token that every answer would refuse.
                        let header = Header::parse(compact.header, self.issuers.algorithms)?;
                        if let Err(error) = header.accepted() {
                            return Err(Refusal::new(error, &header, None, None).into());
                        }
                        return Err(Pending::Issuer { header, question }.into());
                    }
                }
                &known
            }
        };
        let found = answer.find(stated).map_err(|why| refuse(why.into_error(answer, stated)))?;
        Ok(Arc::clone(found))
    }

    /// Refuses a token for its header, if that is a reason, and otherwise for its payload or signature part.
    pub(super) fn after_header(
        &self,
        compact: &Compact<'_>,
        error: impl Into<Error>,
    ) -> Box<Refusal> {
        if compact.header.len() > LARGE_HEADER {
            return error.into().into();
        }
        match Header::parse(compact.header, self.issuers.algorithms) {
            Err(earlier) => Error::from(earlier).into(),
            Ok(header) => match header.accepted() {
                Err(earlier) => Refusal::new(earlier, &header, None, None),
                Ok(_) => Refusal::new(error, &header, None, None),
            },
        }
    }
}

impl<'a> Inputs<'a> {
    const fn with_keys(trusted: &'a Arc<Trusted>, keys: &'a Arc<Snapshot>) -> Self {
        Self { answer: None, trusted: Some(trusted), keys: Some(keys) }
    }
}

impl Deref for TrustedRef<'_> {
    type Target = Arc<Trusted>;

    fn deref(&self) -> &Arc<Trusted> {
        match self {
            Self::Configured(trusted) => trusted,
            Self::Resolved(trusted) => trusted,
        }
    }
}
