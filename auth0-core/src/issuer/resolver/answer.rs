//! The answer of a resolver.
use crate::{
    error::{Error, ErrorCode},
    identifier::Issuer,
    issuer::{IssuerConfig, Trusted, registry::mismatch},
    runtime::BoxFuture,
    telemetry::Escaped,
    token::AcceptedBy,
};
use std::{collections::HashMap, error::Error as StdError, sync::Arc, time::Duration};

/// How long the resolver is not called again for a key after it failed.
const COOLDOWN: Duration = Duration::from_secs(1);

/// The issuers that are trusted for requests of one key.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(super) by_name: HashMap<Box<str>, Arc<Trusted>>,
    /// The reason why one of them cannot be trusted. It does not affect others.
    pub(super) broken: Option<Box<str>>,
}

/// The reason why it is not known which issuers are trusted, for the log.
#[derive(Clone, Debug)]
pub(crate) struct Unresolved {
    pub(crate) cause: Arc<str>,
    pub(crate) retry_in: Duration,
}

pub(crate) type Outcome = Result<Arc<Answer>, Unresolved>;

/// The question to a resolver, as a future that does nothing until it is polled.
pub(crate) type Question = BoxFuture<'static, Outcome>;

/// The result of a lookup without a call of the resolver.
pub(crate) enum Lookup {
    Known(Arc<Answer>),
    /// No issuer is trusted for such a request, for this reason.
    NoIssuers(String),
    Failed(Unresolved),
    Ask(Question),
}

impl From<Outcome> for Lookup {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(answer) => Self::Known(answer),
            Err(why) => Self::Failed(why),
        }
    }
}

impl Answer {
    /// Returns the issuer of this name, also in the other spelling that its name may have.
    fn named(&self, issuer: &str) -> Option<&Arc<Trusted>> {
        self.by_name.get(issuer).or_else(|| {
            let other = match issuer.strip_suffix('/') {
                Some(bare) => self.by_name.get(bare),
                None => self.by_name.get(&*format!("{issuer}/")),
            }?;
            let is_it = |spelling: Issuer| spelling.as_str() == issuer;
            other.keys.source().other_spelling().is_some_and(is_it).then_some(other)
        })
    }

    /// Returns the configuration in the spelling that the answer has already, if its metadata settles which is right.
    pub(super) fn spelt(&self, config: IssuerConfig) -> IssuerConfig {
        let other = config.key_source.other_spelling();
        let known = other.and_then(|other| self.by_name.get(other.as_str()));
        match known.filter(|known| known.keys.source().other_spelling().is_some()) {
            Some(known) => config.spelt(known.validation.issuer.clone()),
            None => config,
        }
    }

    /// Returns the issuer of this name if it is trusted, or the reason why it is not.
    pub(crate) fn find(&self, issuer: &str) -> Result<&Arc<Trusted>, NotFound<'_>> {
        match (self.named(issuer), &self.broken) {
            (Some(trusted), _) => Ok(trusted),
            (None, Some(why)) => Err(NotFound::Broken(why)),
            (None, None) => Err(NotFound::Untrusted),
        }
    }

    /// Returns the issuer that has accepted a token.
    pub(crate) fn that_accepted(
        &self,
        issuer: &str,
        accepted_by: &Arc<AcceptedBy>,
    ) -> Option<&Arc<Trusted>> {
        let trusted = self.named(issuer)?;
        Arc::ptr_eq(&trusted.accepted_by, accepted_by).then_some(trusted)
    }

    pub(crate) fn mismatch(&self, stated: &str) -> Error {
        let trusted =
            format!("which is none of the {} that the resolver trusts for it", self.by_name.len());
        mismatch(stated, &trusted, |other| self.by_name.contains_key(other))
    }
}

/// The reason why an answer has no issuer of a name.
pub(crate) enum NotFound<'a> {
    Untrusted,
    Broken(&'a str),
}

impl NotFound<'_> {
    pub(crate) fn into_error(self, answer: &Answer, stated: &str) -> Error {
        match self {
            Self::Untrusted => answer.mismatch(stated),
            Self::Broken(why) => Unresolved::because(format!(
                "the resolver found an issuer that cannot be trusted, which may be this one: {why}"
            ))
            .into_error(),
        }
    }
}

impl Unresolved {
    pub(super) fn because(cause: impl Into<Arc<str>>) -> Self {
        Self { cause: cause.into(), retry_in: COOLDOWN }
    }

    /// Too many questions for keys that had no issuers wait, or this one waited too long.
    pub(super) fn crowded() -> Self {
        Self::because(
            "too many requests wait for the resolver. If they are a flood, let IssuerResolver::may_exist refuse \
             made-up keys, and name the proxies (AUTH0_TRUSTED_PROXIES), so that clients are told apart; \
             otherwise raise ResolvedIssuers::max_calls",
        )
    }

    /// Describes an error with its causes, which say more than the error alone.
    pub(super) fn failed(error: &(dyn StdError + 'static)) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::because(format!("the resolver failed: {}", Escaped(&text)))
    }

    pub(crate) fn into_error(self) -> Error {
        Error::new(ErrorCode::IssuersUnavailable)
            .because(self.cause.to_string())
            .retry_after(self.retry_in)
    }
}
