//! The public view of a requirement, for documents and other protocols.
use super::requirement::{Kind, Requirement};
use std::borrow::Cow;

/// More alternatives than a person reads in the description of an API. Without a bound, twenty pairs in an
/// `all_of!` would be a million.
const MAX_ALTERNATIVES: usize = 64;

/// One way to meet a requirement: a token must meet each of its conditions. See
/// [`Requirement::alternatives`], which has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    conditions: Vec<Requirement>,
}

impl Alternative {
    /// Returns every condition: requirements that are neither `all_of!` nor `any_of!`. Empty if any valid
    /// token is enough.
    #[must_use]
    pub fn conditions(&self) -> &[Requirement] {
        &self.conditions
    }

    /// Returns the scopes that are required, each once.
    #[must_use]
    pub fn scopes(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for condition in &self.conditions {
            condition.collect_scopes(&mut names);
        }
        names
    }

    /// Returns the permissions (RBAC) that are required.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().filter_map(|condition| match &condition.0 {
            Kind::Permission(name) => Some(&**name),
            _ => None,
        })
    }

    fn of(condition: Requirement) -> Self {
        Self { conditions: vec![condition] }
    }

    /// Returns whether both have the same conditions, with the same functions as checks.
    fn is_same(&self, other: &Self) -> bool {
        self.conditions.len() == other.conditions.len()
            && self.conditions.iter().zip(&other.conditions).all(|(one, other)| one.is_same(other))
    }

    /// Returns the alternative that requires both, with each condition once.
    fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for condition in &other.conditions {
            if !both.conditions.iter().any(|known| known.is_same(condition)) {
                both.conditions.push(condition.clone());
            }
        }
        both
    }
}

impl Requirement {
    /// Returns every scope that the requirement names, each once and in order. A text that is not a
    /// scope-token (RFC 6749 §3.3) cannot be requested and is left out.
    ///
    /// ```
    /// use auth0_core::policy::*;
    ///
    /// let requirement = all_of![scope("read:a read:b"), any_scope(&["read:b", "admin"])];
    /// assert_eq!(requirement.scopes(), ["read:a", "read:b", "admin"]);
    /// ```
    #[must_use]
    pub fn scopes(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.collect_scopes(&mut names);
        names
    }

    /// Returns the ways to meet the requirement (disjunctive normal form): a token that meets every condition
    /// of one alternative is admitted. Without any alternative, no token is. Used for documents such as
    /// `OpenAPI`, and for clients that request scopes.
    ///
    /// `None` if there are more than 64 alternatives.
    ///
    /// ```
    /// use auth0_core::policy::*;
    ///
    /// let requirement = all_of![scope("read:a"), any_of![permission("b"), user()]];
    /// let alternatives = requirement.alternatives().unwrap();
    /// assert_eq!(alternatives.len(), 2);
    /// assert_eq!(alternatives[0].scopes(), ["read:a"]);
    /// assert_eq!(alternatives[0].permissions().collect::<Vec<_>>(), ["b"]);
    /// assert_eq!(alternatives[1].conditions(), [scope("read:a"), user()]);
    /// ```
    #[must_use]
    pub fn alternatives(&self) -> Option<Vec<Alternative>> {
        let one_of = |names: &[&'static str], condition: fn(Cow<'static, str>) -> Kind| {
            let each =
                |name: &&'static str| Alternative::of(Requirement(condition(Cow::Borrowed(*name))));
            distinct(names.iter().filter(|name| !name.is_empty()).map(each))
        };
        match &self.0 {
            Kind::Authenticated => Some(vec![Alternative { conditions: Vec::new() }]),
            Kind::AnyScope(names) => {
                // Of a text with spaces, `scope` requires every part, and `any_scope` has it as a name that
                // no token can have.
                let is_one_name = |name: &&&str| !name.contains(char::is_whitespace);
                let names: Vec<_> = names.iter().filter(is_one_name).copied().collect();
                one_of(&names, Kind::Scope)
            }
            Kind::AnyPermission(names) => one_of(names, Kind::Permission),
            Kind::All(list) => {
                let mut all = vec![Alternative { conditions: Vec::new() }];
                for requirement in list.get() {
                    let ways = requirement.alternatives()?;
                    if all.len() * ways.len() > MAX_ALTERNATIVES * MAX_ALTERNATIVES {
                        return None;
                    }
                    all = distinct(all.iter().flat_map(|one| ways.iter().map(|way| one.and(way))))?;
                }
                Some(all)
            }
            Kind::Any(list) => {
                let mut all = Vec::new();
                for requirement in list.get() {
                    all = distinct(all.into_iter().chain(requirement.alternatives()?))?;
                }
                Some(all)
            }
            _ => Some(vec![Alternative::of(self.clone())]),
        }
    }

    /// Returns the scopes of the first alternative: what a client requests that has no token yet.
    pub(crate) fn first_scopes(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.collect_first_scopes(&mut names);
        names
    }

    fn collect_first_scopes<'a>(&'a self, names: &mut Vec<&'a str>) {
        let is_new = |name: &&str| !names.contains(name);
        match &self.0 {
            Kind::AnyScope(scopes) => {
                let first = scopes.iter().find(|name| is_scope_token(name)).copied();
                names.extend(first.filter(is_new));
            }
            Kind::Any(list) => {
                if let Some(first) = list.get().first() {
                    first.collect_first_scopes(names);
                }
            }
            Kind::All(list) => {
                for requirement in list.get() {
                    requirement.collect_first_scopes(names);
                }
            }
            _ => self.collect_scopes(names),
        }
    }

    pub(super) fn collect_scopes<'a>(&'a self, names: &mut Vec<&'a str>) {
        let mut add = |name: &'a str| {
            if is_scope_token(name) && !names.contains(&name) {
                names.push(name);
            }
        };
        match &self.0 {
            Kind::Scope(scopes) => scopes.split_ascii_whitespace().for_each(add),
            Kind::AnyScope(scopes) => scopes.iter().for_each(|name| add(name)),
            Kind::All(list) | Kind::Any(list) => {
                for requirement in list.get() {
                    requirement.collect_scopes(names);
                }
            }
            _ => {}
        }
    }
}

/// RFC 6749 §3.3. Another text cannot be requested.
fn is_scope_token(name: &str) -> bool {
    let is_allowed = |byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
    !name.is_empty() && name.bytes().all(is_allowed)
}

/// Returns each alternative once; `None` if there are too many.
fn distinct(alternatives: impl IntoIterator<Item = Alternative>) -> Option<Vec<Alternative>> {
    let mut distinct: Vec<Alternative> = Vec::new();
    for alternative in alternatives {
        if !distinct.iter().any(|known| known.is_same(&alternative)) {
            distinct.push(alternative);
        }
        if distinct.len() > MAX_ALTERNATIVES {
            return None;
        }
    }
    Some(distinct)
}
