//! The issuers that a verifier trusts, each with its own keys and rules.
use crate::{
    challenge::ChallengeOptions,
    claims::{Claims, Text, optional},
    clock::Clock,
    crypto::{Algorithm, AlgorithmSet},
    dpop::DpopMode,
    error::{Error, ErrorCode},
    jwks::{Fetcher, Transport, cache::KeyCache},
    jws::Escaped,
    measure,
    policy::Requirement,
    resolver::Resolve,
    trusted_issuer::{Checked, Defaults, same_requirement},
    verifier::Rules,
};
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

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

impl Trusted {
    pub(crate) fn name(&self) -> &str {
        self.rules.issuer.as_str()
    }

    /// Whether it is trusted for some requests only.
    pub(crate) fn is_resolved(&self) -> bool {
        self.keys.tenure().is_some()
    }

    /// What metrics call it: its name, but for issuers that come and go.
    pub(crate) fn label(&self) -> &str {
        if self.is_resolved() { measure::RESOLVED } else { self.name() }
    }

    /// Whether it is trusted as this says, and its keys come from there.
    pub(crate) fn is(&self, checked: &Checked) -> bool {
        self.rules == checked.rules
            && self.dpop == checked.dpop
            && same_requirement(self.requirement.as_ref(), checked.requirement.as_ref())
            && self.keys.are_of(checked)
    }
}

/// What a verifier says of all issuers.
pub(crate) struct Terms {
    pub(crate) defaults: Defaults,
    /// How long their keys go on serving while they fail.
    pub(crate) stale_keys: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    /// One for each mode, shared by all issuers that have it.
    pub(crate) challenges: [Arc<ChallengeOptions>; 3],
}

impl Terms {
    pub(crate) fn fetcher(&self, checked: &Checked, transport: Transport) -> Arc<Fetcher> {
        Fetcher::new(checked, transport, Arc::clone(&self.clock))
    }

    pub(crate) fn trusted(&self, checked: Checked, keys: Arc<KeyCache>) -> Trusted {
        let Checked { rules, dpop, requirement, key_source: _ } = checked;
        Trusted { rules, keys, dpop, requirement, challenge: self.challenge(dpop) }
    }

    pub(crate) fn challenge(&self, mode: DpopMode) -> Arc<ChallengeOptions> {
        let [allowed, required, disabled] = &self.challenges;
        Arc::clone(match mode {
            DpopMode::Allowed => allowed,
            DpopMode::Required => required,
            DpopMode::Disabled => disabled,
        })
    }
}

/// Those that are configured, and what tells which others are trusted.
pub(crate) struct Issuers {
    first: Option<Arc<Trusted>>,
    others: HashMap<Box<str>, Arc<Trusted>>,
    /// In the order in which they were configured, without the first.
    order: Vec<Arc<Trusted>>,
    /// What any of them may sign with.
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) resolver: Option<Arc<dyn Resolve>>,
}

impl Issuers {
    /// Of different names.
    pub(crate) fn new(all: Vec<Trusted>, resolver: Option<Arc<dyn Resolve>>) -> Self {
        let mut all = all.into_iter().map(Arc::new);
        let first = all.next();
        let order: Vec<Arc<Trusted>> = all.collect();
        let others =
            order.iter().map(|trusted| (trusted.name().into(), Arc::clone(trusted))).collect();
        let configured = first.iter().chain(&order).map(|trusted| trusted.rules.algorithms);
        let algorithms = match resolver {
            // Which others may is known when the issuer is.
            Some(_) => Algorithm::ALL.into_iter().collect(),
            None => configured.fold(AlgorithmSet::NONE, AlgorithmSet::union),
        };
        Self { first, others, order, algorithms, resolver }
    }

    /// Those that are configured.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Trusted>> {
        self.first.iter().chain(&self.order)
    }

    /// The only one that can be trusted at all.
    pub(crate) fn only(&self) -> Option<&Arc<Trusted>> {
        self.first.as_ref().filter(|_| self.order.is_empty() && self.resolver.is_none())
    }

    /// A configured one.
    pub(crate) fn named(&self, issuer: &str) -> Option<&Arc<Trusted>> {
        match &self.first {
            Some(first) if first.name() == issuer => Some(first),
            _ => self.others.get(issuer),
        }
    }

    /// Why a token is refused whose issuer is none of those that are configured.
    pub(crate) fn mismatch(&self, stated: &str) -> Error {
        let ours = match (self.only(), self.order.len()) {
            (Some(only), _) => format!("trusted is {}", only.name()),
            (None, others) => format!("which is none of the {} that are trusted", others + 1),
        };
        mismatch(stated, &ours, |other| self.named(other).is_some())
    }
}

/// The issuer that a token says it is of. Compared with those that are trusted before any key is looked
/// for, so that a stranger's token costs no fetch.
pub(crate) fn stated(claims: &Claims<'_>, payload: &str) -> Result<Text, Error> {
    optional::<Text>("iss", claims.issuer, payload)?
        .ok_or_else(|| Error::new(ErrorCode::IssuerMismatch).because("the claim iss is missing"))
}

/// `is_trusted` is asked about the same name with a slash more, or less.
pub(crate) fn mismatch(
    stated: &str,
    trusted: &str,
    is_trusted: impl FnOnce(&str) -> bool,
) -> Error {
    let other = match stated.strip_suffix('/') {
        Some(bare) => bare.to_owned(),
        None => format!("{stated}/"),
    };
    let hint = if is_trusted(&other) { "; they differ in the slash at the end" } else { "" };
    Error::new(ErrorCode::IssuerMismatch)
        .because(format!("iss is {}, {trusted}{hint}", Escaped(stated)))
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|trusted| trusted.name())).finish()
    }
}
