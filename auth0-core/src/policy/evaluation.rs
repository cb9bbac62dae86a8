//! The evaluation of requirements: what a token lacks, and the refusal for it.
use super::{
    RequestContext,
    organization::{is_named, is_of},
    requirement::{Kind, Requirement, Source},
};
use crate::{
    error::{Error, ErrorCode, StepUp},
    token::{MFA, SubjectKind, VerifiedToken},
};
use std::{borrow::Cow, time::Duration};

/// The inputs of an evaluation in addition to the token.
#[derive(Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    /// The time since 1970.
    pub(crate) now: Duration,
    /// How far clocks may differ.
    pub(crate) leeway: Duration,
    pub(crate) request: Option<&'a dyn RequestContext>,
}

/// A condition that is not met.
struct Unmet<'a> {
    /// The part of the requirement that decides the code.
    part: &'a Requirement,
    code: ErrorCode,
    acr_values: Vec<&'a str>,
    max_age: Option<u64>,
}

impl Requirement {
    pub(crate) fn check_under<C>(
        &self,
        token: &VerifiedToken<C>,
        circumstances: Circumstances<'_>,
    ) -> Result<(), Error> {
        let Some(unmet) = self.unmet(token, circumstances) else { return Ok(()) };
        let error = Error::new(unmet.code).with_scheme(token.scheme());
        let error = unmet.part.explain(error, token, circumstances);
        Err(match unmet.code {
            ErrorCode::InsufficientScope => error.needing_scope(self.scopes().join(" ")),
            ErrorCode::StepUpRequired => error.needing_login(StepUp {
                acr_values: unmet.acr_values.join(" "),
                max_age: unmet.max_age,
            }),
            ErrorCode::Misconfigured => error
                .because(match circumstances.request {
                    Some(_) => "the route does not have the path parameter, or has it twice",
                    None => "the requirement needs a request, and there is none",
                })
                .expecting(unmet.part.to_string())
                .advising(
                    "Put the requirement on the route with this parameter, and use \
                     Auth0::authorize_request where there is no extractor",
                ),
            _ => error,
        })
    }

    /// Returns whether a token meets the requirement, without a log entry. One that needs a value of the request is
    /// not met.
    ///
    /// ```
    /// use auth0_core::policy::*;
    /// use auth0_testing::Tenant;
    ///
    /// let token = Tenant::new().token().scope("read:a").verified();
    /// assert!(scope("read:a").is_met_by(&token));
    /// assert!(!organization_in_path("org").is_met_by(&token));
    /// ```
    #[must_use]
    pub fn is_met_by<C>(&self, token: &VerifiedToken<C>) -> bool {
        let accepted_by = token.accepted_by();
        let now = if self.needs_time() { accepted_by.clock.unix_time() } else { Duration::ZERO };
        let circumstances = Circumstances { now, leeway: accepted_by.leeway, request: None };
        self.unmet(token, circumstances).is_none()
    }

    /// Returns the hint about a token that does not meet the requirement, where the request is not known.
    pub(crate) fn hint_for(&self, token: &VerifiedToken) -> Option<Cow<'static, str>> {
        let accepted_by = token.accepted_by();
        let now = accepted_by.clock.unix_time();
        self.hint(token, Circumstances { now, leeway: accepted_by.leeway, request: None })
    }

    /// Returns the condition that is not met; `None` if the requirement is met.
    fn unmet<'a, C>(
        &'a self,
        token: &VerifiedToken<C>,
        circumstances: Circumstances<'_>,
    ) -> Option<Unmet<'a>> {
        let (is_met, code) = match &self.0 {
            Kind::Authenticated => return None,
            Kind::Scope(names) => {
                let mut names = names.split_ascii_whitespace().peekable();
                let is_met = names.peek().is_some() && names.all(|name| token.has_scope(name));
                (is_met, ErrorCode::InsufficientScope)
            }
            Kind::AnyScope(names) => {
                (names.iter().any(|name| token.has_scope(name)), ErrorCode::InsufficientScope)
            }
            Kind::Permission(name) => {
                let is_met = !name.is_empty() && token.has_permission(name);
                (is_met, ErrorCode::InsufficientPermissions)
            }
            Kind::AnyPermission(names) => {
                let is_met =
                    names.iter().any(|name| !name.is_empty() && token.has_permission(name));
                (is_met, ErrorCode::InsufficientPermissions)
            }
            Kind::Claim { name, test } => {
                let is_met = token.member(name).is_some_and(|value| test.is_passed_by(value));
                (is_met, ErrorCode::RequirementNotMet)
            }
            Kind::Organization(id) => {
                let is_met = !id.is_empty() && token.organization_id() == Some(id);
                (is_met, ErrorCode::OrganizationMismatch)
            }
            Kind::OrganizationName(name) => {
                (!name.is_empty() && is_named(token, name), ErrorCode::OrganizationMismatch)
            }
            Kind::AnyOrganization => {
                let is_met = token.organization_id().is_some_and(|id| !id.is_empty());
                (is_met, ErrorCode::OrganizationMismatch)
            }
            Kind::OrganizationOfRequest(source) => match source.read(circumstances.request) {
                Ok(stated) => {
                    let is_met = stated.is_some_and(|stated| is_of(token, &stated));
                    (is_met, ErrorCode::OrganizationMismatch)
                }
                Err(NotThere) => (false, ErrorCode::Misconfigured),
            },
            Kind::Acr(value) => {
                let unmet = || Unmet::step_up(self, vec![value], None);
                return (value.is_empty() || token.acr() != Some(value)).then(unmet);
            }
            Kind::Amr(value) => {
                let acr_values = if value == "mfa" { vec![MFA] } else { Vec::new() };
                let is_met = !value.is_empty() && token.amr().any(|method| method == value);
                return (!is_met).then(|| Unmet::step_up(self, acr_values, None));
            }
            Kind::MaxAge { seconds } => {
                let good_for = Duration::from_secs(*seconds).saturating_add(circumstances.leeway);
                let latest = circumstances.now.saturating_add(circumstances.leeway);
                let is_met = token.authenticated_at().is_some_and(|moment| {
                    moment <= latest && circumstances.now <= moment.saturating_add(good_for)
                });
                return (!is_met).then(|| Unmet::step_up(self, Vec::new(), Some(*seconds)));
            }
            Kind::Machine => {
                (token.subject_kind() == Some(SubjectKind::Machine), ErrorCode::RequirementNotMet)
            }
            Kind::User => {
                (token.subject_kind() == Some(SubjectKind::User), ErrorCode::RequirementNotMet)
            }
            Kind::NotAnonymous => {
                (!token.subject().starts_with("anon@"), ErrorCode::RequirementNotMet)
            }
            Kind::Client(id) => {
                let is_met = !id.is_empty() && token.client_id() == Some(id);
                (is_met, ErrorCode::RequirementNotMet)
            }
            Kind::Check { passes, .. } => {
                (passes(&token.without_claims()), ErrorCode::RequirementNotMet)
            }
            Kind::All(list) => {
                let unmet = list.get().iter().filter_map(|r| r.unmet(token, circumstances));
                return unmet.reduce(Unmet::and);
            }
            Kind::Any(list) => {
                let mut all = Unmet::new(self, ErrorCode::RequirementNotMet);
                for requirement in list.get() {
                    all = all.or(requirement.unmet(token, circumstances)?);
                }
                return Some(Unmet { part: self, ..all });
            }
        };
        (!is_met).then(|| Unmet::new(self, code))
    }

    /// Returns a hint for the log: the claim that has a value which was expected in another one.
    pub(crate) fn hint<C>(
        &self,
        token: &VerifiedToken<C>,
        circumstances: Circumstances<'_>,
    ) -> Option<Cow<'static, str>> {
        let stands_elsewhere = |name: &str, here: &str, there: &str| {
            Some(Cow::Owned(format!("{name:?} is in `{there}`, not in `{here}`")))
        };
        match &self.0 {
            Kind::Scope(names) => names
                .split_ascii_whitespace()
                .find(|name| !token.has_scope(name) && token.has_permission(name))
                .and_then(|name| stands_elsewhere(name, "scope", "permissions")),
            Kind::AnyScope(names) => names
                .iter()
                .find(|name| token.has_permission(name))
                .filter(|_| !names.iter().any(|name| token.has_scope(name)))
                .and_then(|name| stands_elsewhere(name, "scope", "permissions")),
            Kind::Permission(name) if !token.has_permission(name) && token.has_scope(name) => {
                stands_elsewhere(name, "permissions", "scope")
            }
            Kind::AnyPermission(names) => names
                .iter()
                .find(|name| token.has_scope(name))
                .filter(|_| !names.iter().any(|name| token.has_permission(name)))
                .and_then(|name| stands_elsewhere(name, "permissions", "scope")),
            Kind::Organization(_)
            | Kind::OrganizationName(_)
            | Kind::AnyOrganization
            | Kind::OrganizationOfRequest(_)
                if token.organization_id().is_none() =>
            {
                Some("the token has no org_id: log in through an organization".into())
            }
            Kind::Acr(_) if token.acr().is_none() => {
                Some("the token has no acr: the tenant must put it into access tokens".into())
            }
            Kind::Amr(_) if token.amr().next().is_none() => {
                Some("the token has no amr: the tenant must put it into access tokens".into())
            }
            Kind::MaxAge { .. } if token.authenticated_at().is_none() => {
                Some("the token has no auth_time: the tenant must put it into access tokens".into())
            }
            Kind::All(list) => list.get().iter().find_map(|r| r.hint(token, circumstances)),
            Kind::Any(list) => {
                // If one is met, the others do not matter.
                self.unmet(token, circumstances)?;
                list.get().iter().find_map(|r| r.hint(token, circumstances))
            }
            _ => None,
        }
    }
}

/// The error where there is no request, or its route has no such parameter.
pub(super) struct NotThere;

impl Source {
    /// Reads the value. Returns `Ok(None)` if the client has sent none, or several.
    pub(super) fn read<'a>(
        self,
        request: Option<&'a dyn RequestContext>,
    ) -> Result<Option<Cow<'a, str>>, NotThere> {
        let request = request.ok_or(NotThere)?;
        match self {
            Self::Path(name) => request.path_parameter(name).map(Some).ok_or(NotThere),
            Self::Header(name) => {
                let value = request.header(name);
                Ok(value.and_then(|value| str::from_utf8(value).ok()).map(Cow::Borrowed))
            }
        }
    }
}

impl<'a> Unmet<'a> {
    const fn new(part: &'a Requirement, code: ErrorCode) -> Self {
        Self { part, code, acr_values: Vec::new(), max_age: None }
    }

    const fn step_up(
        part: &'a Requirement,
        acr_values: Vec<&'a str>,
        max_age: Option<u64>,
    ) -> Self {
        Self { part, code: ErrorCode::StepUpRequired, acr_values, max_age }
    }

    /// Combines two conditions that are both not met. The one that another login does not correct comes
    /// first, because otherwise the user would log in for nothing.
    fn and(mut self, other: Self) -> Self {
        self.name(other.acr_values);
        let max_age = self.max_age.into_iter().chain(other.max_age).min();
        let first = |code| match code {
            ErrorCode::Misconfigured => 0,
            ErrorCode::InsufficientScope => 1,
            ErrorCode::OrganizationMismatch => 2,
            ErrorCode::InsufficientPermissions => 3,
            ErrorCode::StepUpRequired => 5,
            _ => 4,
        };
        let (part, code) = if first(other.code) < first(self.code) {
            (other.part, other.code)
        } else {
            (self.part, self.code)
        };
        Self { part, code, max_age, ..self }
    }

    /// Combines two conditions of which one is enough. The one that the client can correct best comes first.
    fn or(mut self, other: Self) -> Self {
        let first = |code| match code {
            ErrorCode::Misconfigured => 0,
            ErrorCode::InsufficientScope => 1,
            ErrorCode::StepUpRequired => 2,
            ErrorCode::OrganizationMismatch => 3,
            ErrorCode::InsufficientPermissions => 4,
            _ => 5,
        };
        let says_nothing = self.acr_values.is_empty() && self.max_age.is_none();
        let says_more = other.code == self.code && says_nothing;
        if first(other.code) < first(self.code) || says_more {
            return other;
        }
        let is_alike = other.code == self.code && self.max_age.is_none() && other.max_age.is_none();
        if is_alike && !self.acr_values.is_empty() {
            self.name(other.acr_values); // RFC 9470 §3: any one of the values
        }
        self
    }

    fn name(&mut self, acr_values: Vec<&'a str>) {
        for value in acr_values {
            if !self.acr_values.contains(&value) {
                self.acr_values.push(value);
            }
        }
    }
}
