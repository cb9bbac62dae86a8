//! The issuers that a verifier trusts, by name.
use super::{Trusted, resolver::Resolve};
use crate::{
    error::{Error, ErrorCode},
    jose::{Algorithm, AlgorithmSet},
    telemetry::Escaped,
    token::{
        AcceptedBy, Claims,
        payload_text::{PayloadStr, optional},
    },
};
use std::{collections::HashMap, fmt, sync::Arc};

/// The issuers that are configured, and the resolver of others.
pub(crate) struct IssuerRegistry {
    first: Option<Arc<Trusted>>,
    /// By their names, and all by the other spelling that their names may have.
    others: HashMap<Box<str>, Arc<Trusted>>,
    /// All but the first, in the order of the configuration.
    order: Vec<Arc<Trusted>>,
    /// The algorithms with which any of them may sign.
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) resolver: Option<Arc<dyn Resolve>>,
}

impl IssuerRegistry {
    /// Creates a registry of issuers with different names, in the order of their positions.
    pub(crate) fn new(all: Vec<Trusted>, resolver: Option<Arc<dyn Resolve>>) -> Self {
        let mut all = all.into_iter().map(Arc::new);
        let first = all.next();
        let order: Vec<Arc<Trusted>> = all.collect();
        let mut others: HashMap<Box<str>, Arc<Trusted>> =
            order.iter().map(|trusted| (trusted.name().into(), Arc::clone(trusted))).collect();
        for trusted in first.iter().chain(&order) {
            // If both spellings are configured, and the keys of one are not discovered, each is an issuer of its own.
            if let Some(other) = trusted.keys.source().other_spelling()
                && first.as_ref().is_none_or(|first| first.name() != other.as_str())
            {
                others.entry(other.as_str().into()).or_insert_with(|| Arc::clone(trusted));
            }
        }
        let configured = first.iter().chain(&order).map(|trusted| trusted.validation.algorithms);
        let algorithms = match resolver {
            // The algorithms of a resolved issuer are only known with the issuer.
            Some(_) => Algorithm::ALL.into_iter().collect(),
            None => configured.fold(AlgorithmSet::NONE, AlgorithmSet::union),
        };
        Self { first, others, order, algorithms, resolver }
    }

    /// Returns the issuers that are configured.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Trusted>> {
        self.first.iter().chain(&self.order)
    }

    /// Returns the issuer if it is the only one that can be trusted.
    pub(crate) fn only(&self) -> Option<&Arc<Trusted>> {
        self.first.as_ref().filter(|_| self.order.is_empty() && self.resolver.is_none())
    }

    /// Returns a configured issuer by its name.
    pub(crate) fn named(&self, issuer: &str) -> Option<&Arc<Trusted>> {
        match &self.first {
            Some(first) if first.name() == issuer => Some(first),
            _ => self.others.get(issuer),
        }
    }

    /// Returns the configured issuer that has accepted a token.
    #[inline]
    pub(crate) fn that_accepted(&self, accepted_by: &Arc<AcceptedBy>) -> Option<&Arc<Trusted>> {
        let at_position = match accepted_by.position?.checked_sub(1) {
            None => self.first.as_ref(),
            Some(position) => self.order.get(position),
        };
        // It may be the position in another verifier.
        at_position.filter(|trusted| Arc::ptr_eq(&trusted.accepted_by, accepted_by))
    }

    /// Returns the refusal of a token whose issuer is not configured.
    pub(crate) fn mismatch(&self, stated: &str) -> Error {
        mismatch(stated, "", |other| self.named(other).is_some())
    }
}

/// Returns the issuer that a token names. It is compared with those that are trusted before the search for
/// a key, so that an untrusted issuer triggers no fetch.
pub(crate) fn stated(claims: &Claims<'_>, payload: &str) -> Result<PayloadStr, Error> {
    optional::<PayloadStr>("iss", claims.issuer, payload)?
        .ok_or_else(|| Error::new(ErrorCode::IssuerMismatch).because("the claim iss is missing"))
}

/// Returns the refusal of an issuer. `is_trusted` is called with the same name with one slash more, or less.
pub(crate) fn mismatch(
    stated: &str,
    trusted: &str,
    is_trusted: impl FnOnce(&str) -> bool,
) -> Error {
    let other = match stated.strip_suffix('/') {
        Some(bare) => bare.to_owned(),
        None => format!("{stated}/"),
    };
    let hint = if is_trusted(&other) { " (the difference is the slash at the end)" } else { "" };
    let comma = if trusted.is_empty() { "" } else { ", " };
    Error::new(ErrorCode::IssuerMismatch)
        .because(format!("iss is {}{hint}{comma}{trusted}", Escaped(stated)))
}

/// Returns the refusal of an issuer whose metadata spells it differently.
pub(crate) fn other_spelling(stated: &str, named: &str) -> Error {
    Error::new(ErrorCode::IssuerMismatch).because(format!(
        "iss is {}, and the issuer's metadata names it {named}; the difference is the slash at the end",
        Escaped(stated)
    ))
}

impl fmt::Debug for IssuerRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|trusted| trusted.name())).finish()
    }
}
