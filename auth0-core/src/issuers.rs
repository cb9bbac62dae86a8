//! The issuers that a verifier trusts, each with its own keys and rules.
use crate::{
    builder::ConfigError,
    challenge::ChallengeOptions,
    claims::{Claims, Text, optional},
    crypto::AlgorithmSet,
    dpop::DpopMode,
    error::{Error, ErrorCode},
    jwks::cache::KeyCache,
    jws::Escaped,
    policy::Requirement,
    verifier::Rules,
};
use std::{collections::HashMap, fmt, sync::Arc};

/// An issuer that is trusted.
#[derive(Debug)]
pub(crate) struct Trusted {
    pub(crate) rules: Rules,
    pub(crate) keys: Arc<KeyCache>,
    pub(crate) dpop: DpopMode,
    /// What every token of it must meet.
    pub(crate) requirement: Option<Requirement>,
    pub(crate) challenge: Arc<ChallengeOptions>,
}

/// At least one.
pub(crate) struct Issuers {
    first: Arc<Trusted>,
    others: HashMap<Box<str>, Arc<Trusted>>,
    /// In the order in which they were configured, without the first.
    order: Vec<Arc<Trusted>>,
    /// What any of them may sign with.
    pub(crate) algorithms: AlgorithmSet,
}

impl Issuers {
    /// Of different names.
    pub(crate) fn new(all: Vec<Trusted>) -> Result<Self, ConfigError> {
        let mut all = all.into_iter().map(Arc::new);
        let first = all.next().ok_or_else(|| ConfigError::new("no issuer is set"))?;
        let order: Vec<Arc<Trusted>> = all.collect();
        let name = |trusted: &Arc<Trusted>| trusted.rules.issuer.as_str().into();
        let others = order.iter().map(|trusted| (name(trusted), Arc::clone(trusted))).collect();
        let algorithms = order
            .iter()
            .fold(first.rules.algorithms, |all, trusted| all.union(trusted.rules.algorithms));
        Ok(Self { first, others, order, algorithms })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Trusted>> {
        std::iter::once(&self.first).chain(&self.order)
    }

    /// The only one.
    pub(crate) fn only(&self) -> Option<&Arc<Trusted>> {
        self.order.is_empty().then_some(&self.first)
    }

    pub(crate) fn named(&self, issuer: &str) -> Option<&Arc<Trusted>> {
        if self.first.rules.issuer.as_str() == issuer {
            return Some(&self.first);
        }
        self.others.get(issuer)
    }

    /// The one that a token says it is of. Asked before any key is looked for, so that a stranger's
    /// token costs no fetch.
    pub(crate) fn of(
        &self,
        claims: &Claims<'_>,
        payload: &str,
    ) -> Result<(&Arc<Trusted>, Text), Error> {
        let mismatch = |cause| Error::new(ErrorCode::IssuerMismatch).because(cause);
        let Some(issuer) = optional::<Text>("iss", claims.issuer, payload)? else {
            return Err(mismatch("the claim iss is missing".to_owned()));
        };
        let stated = issuer.of(payload);
        if let Some(trusted) = self.named(stated) {
            return Ok((trusted, issuer));
        }
        let ours = match self.only() {
            Some(only) => format!("trusted is {}", only.rules.issuer),
            None => format!("which is none of the {} that are trusted", self.order.len() + 1),
        };
        let other = match stated.strip_suffix('/') {
            Some(bare) => bare.to_owned(),
            None => format!("{stated}/"),
        };
        let slash = self.named(&other).is_some();
        let hint = if slash { "; they differ in the slash at the end" } else { "" };
        Err(mismatch(format!("iss is {}, {ours}{hint}", Escaped(stated))))
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|trusted| trusted.rules.issuer.as_str())).finish()
    }
}
