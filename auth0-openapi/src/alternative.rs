//! One way to meet a requirement, as the document has it.
use auth0_core::{
    Requirement,
    policy::{self, Condition},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, btree_map::Entry};

const SCOPES: &str = "scopes";
const PERMISSIONS: &str = "permissions";
const ANONYMOUS: &str = "anonymous";
const NEVER: &str = "never";
/// The text of a requirement that the other members cannot express.
const REQUIREMENT: &str = "requirement";

/// The conditions of one alternative, by their names. In a sorted map, so that the document is the same whether or not
/// another crate turns on the feature of `serde_json` that preserves the order of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Alternative(BTreeMap<String, Term>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Term {
    Flag(bool),
    Seconds(u64),
    /// Each must be met.
    Names(Vec<String>),
}

impl Alternative {
    /// Any valid token.
    pub(crate) fn any_token() -> Self {
        let none = || Term::Names(Vec::new());
        Self(BTreeMap::from([(SCOPES.to_owned(), none()), (PERMISSIONS.to_owned(), none())]))
    }

    /// No token at all.
    pub(crate) fn anonymous() -> Self {
        Self::any_token().with(ANONYMOUS, Term::Flag(true))
    }

    /// A requirement that no token meets.
    pub(crate) fn never() -> Self {
        Self::any_token().with(NEVER, Term::Flag(true))
    }

    /// A requirement that cannot be listed.
    pub(crate) fn described(text: String) -> Self {
        Self::any_token().with(REQUIREMENT, Term::Names(vec![text]))
    }

    pub(crate) fn of(alternative: &policy::Alternative) -> Self {
        alternative.conditions().iter().fold(Self::any_token(), Self::and_condition)
    }

    fn and_condition(self, requirement: &Requirement) -> Self {
        let names = |name: &str| Term::Names(vec![name.to_owned()]);
        let is_set = Term::Flag(true);
        let (member, term) = match requirement.condition() {
            Some(Condition::Scope(text)) => match usable_scopes(text, requirement) {
                Some(scopes) => (SCOPES, Term::Names(scopes)),
                None => (REQUIREMENT, names(&requirement.to_string())),
            },
            Some(Condition::Permission(name)) if !name.is_empty() => (PERMISSIONS, names(name)),
            Some(Condition::Claim(_)) => ("claims", names(&requirement.to_string())),
            Some(Condition::Organization(id)) => ("organization", names(id)),
            Some(Condition::OrganizationName(name)) => ("organization_name", names(name)),
            Some(Condition::AnyOrganization) => ("any_organization", is_set),
            Some(Condition::OrganizationInPath(name)) => ("organization_in_path", names(name)),
            Some(Condition::OrganizationInHeader(name)) => ("organization_in_header", names(name)),
            Some(Condition::Acr(value)) => ("acr", names(value)),
            Some(Condition::Amr(value)) => ("amr", names(value)),
            Some(Condition::MaxAge(seconds)) => ("max_age", Term::Seconds(seconds)),
            Some(Condition::Machine) => ("machine", is_set),
            Some(Condition::User) => ("user", is_set),
            Some(Condition::NotAnonymous) => ("not_anonymous", is_set),
            Some(Condition::Client(id)) => ("client", names(id)),
            Some(Condition::Check(name)) => ("checks", names(name)),
            _ => (REQUIREMENT, names(&requirement.to_string())),
        };
        self.with(member, term)
    }

    /// Adds a condition to those of the same name.
    fn with(mut self, member: &str, term: Term) -> Self {
        match self.0.entry(member.to_owned()) {
            Entry::Vacant(place) => {
                place.insert(term);
            }
            Entry::Occupied(mut place) => place.get_mut().add(term),
        }
        self
    }

    /// Returns the alternative that requires both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        other.0.iter().fold(self.clone(), |all, (member, term)| all.with(member, term.clone()))
    }

    /// Returns whether every token that meets `other` meets this one, too.
    pub(crate) fn is_implied_by(&self, other: &Self) -> bool {
        self.is_anonymous() == other.is_anonymous()
            && self.0.iter().all(|(member, term)| {
                other.0.get(member).is_some_and(|theirs| term.is_implied_by(theirs))
            })
    }

    pub(crate) fn scopes(&self) -> &[String] {
        self.names(SCOPES)
    }

    pub(crate) fn permissions(&self) -> &[String] {
        self.names(PERMISSIONS)
    }

    fn names(&self, member: &str) -> &[String] {
        match self.0.get(member) {
            Some(Term::Names(names)) => names,
            _ => &[],
        }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.0.contains_key(ANONYMOUS)
    }

    pub(crate) fn is_never_met(&self) -> bool {
        self.0.contains_key(NEVER)
    }

    /// Returns whether any valid token is enough.
    pub(crate) fn is_any_token(&self) -> bool {
        *self == Self::any_token()
    }

    /// Returns the conditions beside scopes and permissions.
    pub(crate) fn others(&self) -> impl Iterator<Item = (&str, &Term)> {
        let others = |(member, _): &(&str, &Term)| ![SCOPES, PERMISSIONS].contains(member);
        self.0.iter().map(|(member, term)| (&**member, term)).filter(others)
    }
}

impl Term {
    fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Names(names), Self::Names(others)) => {
                for name in others {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
            // The younger login is required.
            (Self::Seconds(seconds), Self::Seconds(other)) => *seconds = other.min(*seconds),
            // A flag is either there or not.
            _ => {}
        }
    }

    fn is_implied_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Names(mine), Self::Names(theirs)) => mine.iter().all(|it| theirs.contains(it)),
            (Self::Seconds(mine), Self::Seconds(theirs)) => mine >= theirs,
            (mine, theirs) => mine == theirs,
        }
    }
}

/// Returns the scopes of a text; `None` if one of them cannot be requested, or if there is none.
fn usable_scopes(text: &str, requirement: &Requirement) -> Option<Vec<String>> {
    let usable = requirement.scopes();
    let is_usable =
        !usable.is_empty() && text.split_ascii_whitespace().all(|it| usable.contains(&it));
    is_usable.then(|| usable.into_iter().map(str::to_owned).collect())
}
