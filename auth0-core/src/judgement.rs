//! How a token is judged: by its issuer's rules and keys, with what is at hand.
use crate::{
    auth0::{Auth0, Inner, escaped},
    claims::Claims,
    clock::Moment,
    credentials::Credentials,
    crypto::Message,
    error::{Error, ErrorCode},
    halt::{Halt, refusal, unavailable},
    issuers::{self, Trusted},
    jwks::{KnownHeader, Snapshot, Verdict},
    jws::{Compact, Header},
    resolver::{Answer, Looked, ResolverContext},
    token::{AccessToken, Remembered, Verified},
};
use std::sync::Arc;

/// What was asked for on behalf of this very request.
#[derive(Clone, Copy, Default)]
pub(crate) struct AtHand<'a> {
    pub(crate) answer: Option<&'a Answer>,
    pub(crate) trusted: Option<&'a Arc<Trusted>>,
    pub(crate) keys: Option<&'a Arc<Snapshot>>,
}

impl Auth0 {
    /// A token that was verified before and still is what it was. It may have come with another scheme
    /// then, so that is looked at again.
    pub(crate) fn remembered(
        &self,
        credentials: &Credentials<'_>,
        now: Moment,
    ) -> Option<Arc<Verified>> {
        self.0.tokens.get(credentials.token, |known| {
            let (Some(trusted), Some(remembered)) = (&known.trusted, known.remembered) else {
                return false;
            };
            if trusted.is_resolved() && !self.still_trusts(trusted, credentials, now) {
                return false;
            }
            let current = trusted.keys.usable(now.monotonic);
            let Some(keys) = current.as_ref().and_then(|current| current.as_ref()) else {
                return false;
            };
            let is_current = remembered.generation == keys.generation
                && credentials.scheme.is_enabled(trusted.dpop)
                && trusted.rules.check_times(&known.times, now.unix_time).is_ok();
            if is_current {
                trusted.keys.refresh_if_due(keys, now.monotonic);
            }
            is_current
        })
    }

    /// Whether an issuer that a resolver found once is trusted for this request.
    fn still_trusts(
        &self,
        trusted: &Arc<Trusted>,
        credentials: &Credentials<'_>,
        now: Moment,
    ) -> bool {
        let Inner { issuers, origin, .. } = &*self.0;
        let context = ResolverContext::new(trusted.name(), credentials.parts, origin);
        issuers.resolver.as_ref().is_some_and(|resolver| {
            matches!(resolver.look(&context, now.monotonic), Looked::Known(answer) if answer.trusts(trusted))
        })
    }

    /// Judges a token with what is at hand, of these or else of what the verifier has; without keys, as far
    /// as that goes.
    pub(crate) fn verify_with(
        &self,
        credentials: &Credentials<'_>,
        at_hand: AtHand<'_>,
        now: Moment,
    ) -> Result<AccessToken, Halt> {
        let Inner { issuers, tokens, .. } = &*self.0;
        let token = credentials.token;
        let compact = Compact::split(token)?;
        // What is wrong with the header is told first, though it is read last: nearly always it is one
        // that is known.
        let header_first = |error| self.refuse_after_header(&compact, error);
        let payload = compact.payload().map_err(header_first)?;
        let mut buffer = [0; _];
        let signature = compact.signature(&mut buffer).map_err(header_first)?;
        let claims = Claims::parse(&payload).map_err(header_first)?;
        let issuer = issuers::stated(&claims, &payload).map_err(header_first)?;
        let resolved;
        let trusted = match at_hand.trusted.or_else(|| issuers.named(issuer.of(&payload))) {
            Some(trusted) => trusted,
            None => {
                let stated = issuer.of(&payload);
                resolved = self.resolve_now(&compact, credentials, stated, at_hand.answer, now)?;
                &resolved
            }
        };

        let current;
        let keys = match at_hand.keys {
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
                read = Header::parse(compact.header, trusted.rules.algorithms)?;
                &read
            }
        };
        let refuse = |error| Halt::refused(error, header, Some(trusted), None);
        let algorithm = header.accepted().map_err(refuse)?;
        if !credentials.scheme.is_enabled(trusted.dpop) {
            return Err(refuse(Error::new(ErrorCode::SchemeUnsupported)));
        }
        let Some(keys) = keys else {
            return Err(Halt::KeysMissing { trusted: Arc::clone(trusted), header: header.clone() });
        };
        trusted.keys.refresh_if_due(keys, now.monotonic);
        // Which key a token without a kid means depends on what else is in the set.
        let is_remembered = !tokens.is_off() && header.key_id.is_some();
        let has_fingerprint = is_remembered || claims.confirmation.is_some();
        let message = Message::new(compact.signed, algorithm, has_fingerprint);
        let verdict = match known.and_then(KnownHeader::key) {
            Some(key) if key.verifies(&message, &signature) => Verdict::Valid(None),
            Some(_) => Verdict::Invalid,
            None => keys.keys.verify(header.key_id.as_deref(), algorithm, &message, &signature),
        };
        match verdict {
            Verdict::Valid(None) => {}
            Verdict::Valid(Some(key)) => {
                keys.keys.known_headers.learn(compact.header, header, &key);
            }
            Verdict::UnknownKey => {
                return Err(Halt::KeyUnknown {
                    trusted: Arc::clone(trusted),
                    header: header.clone(),
                    keys: Arc::clone(keys),
                });
            }
            verdict => return Err(refuse(refusal(&verdict))),
        }
        if let Some(tenure) = trusted.keys.tenure() {
            tenure.prove();
        }

        let mut verified = trusted
            .rules
            .check(issuer, header, &claims, &payload, now.unix_time)
            // The signature is good, so the client is who the issuer says.
            .map_err(|error| Halt::refused(error, header, Some(trusted), claims.client_id()))?;
        verified.payload = payload.into();
        verified.trusted = Some(Arc::clone(trusted));
        let is_remembered = is_remembered && tokens.takes(&verified);
        if is_remembered || verified.binding.is_some() {
            let fingerprint = message.fingerprint(token);
            if let Some(binding) = &mut verified.binding {
                binding.set_token(fingerprint);
            }
            verified.remembered =
                is_remembered.then_some(Remembered { fingerprint, generation: keys.generation });
        }
        let verified = Arc::new(verified);
        if verified.remembered.is_some() {
            tokens.insert(token, &verified);
        }
        let token = AccessToken::new(verified, credentials.scheme);
        tracing::debug!(
            target: "auth0", issuer = token.issuer(), client_id = token.client_id().map(escaped),
            alg = algorithm.as_str(), kid = header.key_id.as_deref().map(escaped),
            "verified an access token"
        );
        Ok(token)
    }

    /// A token that is refused for its payload or signature part, if its header is none to refuse it for.
    fn refuse_after_header(&self, compact: &Compact<'_>, error: Error) -> Halt {
        match Header::parse(compact.header, self.0.issuers.algorithms) {
            Err(earlier) => earlier.into(),
            Ok(header) => {
                let error = header.accepted().err().unwrap_or(error);
                Halt::refused(error, &header, None, None)
            }
        }
    }

    /// The issuer of a token, where none that is configured has its name, by this answer or by one that is
    /// known.
    fn resolve_now(
        &self,
        compact: &Compact<'_>,
        credentials: &Credentials<'_>,
        stated: &str,
        answer: Option<&Answer>,
        now: Moment,
    ) -> Result<Arc<Trusted>, Halt> {
        let Inner { issuers, origin, .. } = &*self.0;
        let refuse = |error| self.refuse_after_header(compact, error);
        let known;
        let answer = match (answer, &issuers.resolver) {
            (Some(answer), _) => answer,
            (None, None) => return Err(refuse(issuers.mismatch(stated))),
            (None, Some(resolver)) => {
                let context = ResolverContext::new(stated, credentials.parts, origin);
                match resolver.look(&context, now.monotonic) {
                    Looked::Known(answer) => known = answer,
                    Looked::Nobody(why) => {
                        return Err(refuse(issuers::mismatch(stated, &why, |_| false)));
                    }
                    Looked::Failed(why) => return Err(refuse(why.into_error())),
                    Looked::Ask(asking) => {
                        // Not for a token that is refused whatever the answer.
                        let header = Header::parse(compact.header, issuers.algorithms)?;
                        let refuse = |error| Halt::refused(error, &header, None, None);
                        header.accepted().map_err(refuse)?;
                        return Err(Halt::IssuerUnknown { header, asking });
                    }
                }
                &known
            }
        };
        answer.find(stated).map(Arc::clone).map_err(|why| refuse(why.into_error(answer, stated)))
    }

    /// Judges after having asked the issuer for keys.
    pub(crate) async fn judge_with_keys(
        &self,
        credentials: &Credentials<'_>,
        trusted: Arc<Trusted>,
        header: Header,
    ) -> Result<AccessToken, Halt> {
        let keys =
            trusted.keys.keys().await.map_err(|reason| {
                Halt::refused(unavailable(&reason), &header, Some(&trusted), None)
            })?;
        let at_hand = AtHand { trusted: Some(&trusted), keys: Some(&keys), answer: None };
        let verdict = self.verify_with(credentials, at_hand, self.0.clock.moment());
        match verdict {
            Err(Halt::KeyUnknown { trusted, header, keys }) => {
                self.judge_with_newer_keys(credentials, trusted, header, keys).await
            }
            verdict => verdict,
        }
    }

    /// Judges after having asked the issuer for the key that the token names, and `keys` lack.
    pub(crate) async fn judge_with_newer_keys(
        &self,
        credentials: &Credentials<'_>,
        trusted: Arc<Trusted>,
        header: Header,
        keys: Arc<Snapshot>,
    ) -> Result<AccessToken, Halt> {
        let Some(key_id) = header.key_id.as_deref() else {
            return Err(Halt::KeyUnknown { trusted, header, keys });
        };
        let newer =
            trusted.keys.newer_with(key_id, &keys).await.map_err(|reason| {
                Halt::refused(unavailable(&reason), &header, Some(&trusted), None)
            })?;
        let Some(newer) = newer else { return Err(Halt::KeyUnknown { trusted, header, keys }) };
        let at_hand = AtHand { trusted: Some(&trusted), keys: Some(&newer), answer: None };
        self.verify_with(credentials, at_hand, self.0.clock.moment())
    }
}
