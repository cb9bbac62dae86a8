//! What a resolver has said.
use super::Asking;
use crate::{
    error::{Error, ErrorCode},
    issuers::{Trusted, mismatch},
    jws::Escaped,
};
use std::{collections::HashMap, error::Error as StdError, sync::Arc, time::Duration};

/// How long the resolver is spared after it failed, for each key.
const COOLDOWN: Duration = Duration::from_secs(1);

/// The issuers that are trusted for requests of one key.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(super) by_name: HashMap<Box<str>, Arc<Trusted>>,
    /// Why one of them could not be made sense of. Others are none the worse.
    pub(super) broken: Option<Box<str>>,
}

/// Why it is not known which issuers are trusted, for the log.
#[derive(Clone, Debug)]
pub(crate) struct Unresolved {
    pub(crate) cause: Arc<str>,
    pub(crate) retry_in: Duration,
}

pub(super) type Outcome = Result<Arc<Answer>, Unresolved>;

/// What is known without asking.
pub(crate) enum Looked {
    Known(Arc<Answer>),
    /// No issuer is trusted for such a request, because of this.
    Nobody(String),
    Failed(Unresolved),
    Ask(Asking),
}

impl Looked {
    pub(super) fn of(outcome: Outcome) -> Self {
        match outcome {
            Ok(answer) => Self::Known(answer),
            Err(why) => Self::Failed(why),
        }
    }
}

impl Answer {
    /// The issuer of this name, if it is trusted. Else, why not: because it is not, or because nobody knows.
    pub(crate) fn find(&self, issuer: &str) -> Result<&Arc<Trusted>, NotFound<'_>> {
        match (self.by_name.get(issuer), &self.broken) {
            (Some(trusted), _) => Ok(trusted),
            (None, Some(why)) => Err(NotFound::Broken(why)),
            (None, None) => Err(NotFound::Stranger),
        }
    }

    pub(crate) fn trusts(&self, trusted: &Arc<Trusted>) -> bool {
        self.by_name.get(trusted.name()).is_some_and(|known| Arc::ptr_eq(known, trusted))
    }

    pub(crate) fn mismatch(&self, stated: &str) -> Error {
        let trusted =
            format!("which is none of the {} that the resolver trusts for it", self.by_name.len());
        mismatch(stated, &trusted, |other| self.by_name.contains_key(other))
    }
}

/// Why an answer has no issuer of a name.
pub(crate) enum NotFound<'a> {
    Stranger,
    Broken(&'a str),
}

impl NotFound<'_> {
    pub(crate) fn into_error(self, answer: &Answer, stated: &str) -> Error {
        match self {
            Self::Stranger => answer.mismatch(stated),
            Self::Broken(why) => Unresolved::because(format!(
                "the resolver found an issuer that cannot be trusted, and perhaps it is this one: {why}"
            ))
            .into_error(),
        }
    }
}

impl Unresolved {
    pub(super) fn because(cause: impl Into<Arc<str>>) -> Self {
        Self { cause: cause.into(), retry_in: COOLDOWN }
    }

    /// With its causes, which say more than it does.
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
