//! All ways to meet a requirement.
use crate::alternative::Alternative;
use auth0_core::Requirement;

/// A document with more is of no use for a reader. The core has the same bound for one requirement.
const MAX_ALTERNATIVES: usize = 64;

/// The ways to meet a requirement. Each is needed: none follows from another. Without any, a request needs no token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Alternatives(Vec<Alternative>);

impl Alternatives {
    pub(crate) fn of(requirement: &Requirement) -> Self {
        Self(match requirement.alternatives() {
            Some(all) if all.is_empty() => vec![Alternative::never()],
            Some(all) => needed(all.iter().map(Alternative::of)),
            None => vec![Alternative::described(requirement.to_string())],
        })
    }

    /// Returns those of a document, in which each may occur once for each scheme.
    pub(crate) fn from_listed(listed: Vec<Alternative>) -> Self {
        Self(needed(listed))
    }

    /// A request without a token is admitted, too.
    pub(crate) fn or_anonymous(self) -> Self {
        match self.0.is_empty() {
            true => self,
            false => Self(needed(self.0.into_iter().chain([Alternative::anonymous()]))),
        }
    }

    /// Returns whether a request needs no token.
    pub(crate) const fn is_public(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the alternatives behind two guards.
    pub(crate) fn and(&self, other: &Self) -> Self {
        if self.0.is_empty() || other.0.is_empty() {
            return if self.0.is_empty() { other.clone() } else { self.clone() };
        }
        // The guard that needs a token refuses a request that the other one admits without.
        let is_possible = |(one, other): &(&Alternative, &Alternative)| {
            one.is_anonymous() == other.is_anonymous()
        };
        let pairs = self.0.iter().flat_map(|one| other.0.iter().map(move |other| (one, other)));
        let all = needed(pairs.filter(is_possible).map(|(one, other)| one.and(other)));
        match all.len() > MAX_ALTERNATIVES {
            true => {
                let text = format!("more than {MAX_ALTERNATIVES} alternatives");
                Self(vec![Alternative::described(text)])
            }
            false => Self(all),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Alternative> {
        self.0.iter()
    }
}

/// Returns the alternatives without those that follow from others: with `a` enough, `a` and `b` is no alternative.
fn needed(all: impl IntoIterator<Item = Alternative>) -> Vec<Alternative> {
    let mut needed: Vec<Alternative> = Vec::new();
    for one in all {
        if !needed.iter().any(|known| known.is_implied_by(&one)) {
            needed.retain(|known| !one.is_implied_by(known));
            needed.push(one);
        }
    }
    needed
}
