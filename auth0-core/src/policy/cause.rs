//! The cause of a refusal by a requirement, for the log: what the token has, the part of the requirement that
//! is not met, and what to do.
use super::{
    evaluation::Circumstances,
    requirement::{ClaimTest, Kind, List, Requirement},
};
use crate::{
    error::Error,
    jose::json::Value,
    telemetry::{Escaped, listed_escaped},
    token::{SubjectKind, VerifiedToken},
};

/// How many alternatives are described.
const SHOWN_ALTERNATIVES: usize = 3;

impl Requirement {
    /// Adds the cause to the refusal of a token that does not meet this part of a requirement.
    pub(super) fn explain<C>(
        &self,
        error: Error,
        token: &VerifiedToken<C>,
        circumstances: Circumstances<'_>,
    ) -> Error {
        let wanted = self.wanted(circumstances);
        error
            .because(self.seen(token, circumstances))
            .expecting(wanted)
            .advising(self.advice(token))
    }

    fn wanted(&self, circumstances: Circumstances<'_>) -> String {
        match &self.0 {
            Kind::OrganizationOfRequest(source) => match source.read(circumstances.request) {
                Ok(Some(stated)) => format!("{self}, which is {}", Escaped(&stated)),
                _ => format!("{self}, which the request does not name exactly once"),
            },
            _ => self.to_string(),
        }
    }

    /// Describes the values of the token that the requirement reads.
    fn seen<C>(&self, token: &VerifiedToken<C>, circumstances: Circumstances<'_>) -> String {
        match &self.0 {
            Kind::Authenticated => "the token is valid".to_owned(),
            Kind::Scope(names) => {
                let missing = names.split_ascii_whitespace().filter(|name| !token.has_scope(name));
                let missing = listed_escaped(missing);
                format!("the scope {missing} is missing: {}", granted(token))
            }
            Kind::AnyScope(_) => granted(token),
            Kind::Permission(_) | Kind::AnyPermission(_) => permissions(token),
            Kind::Claim { name, test } => match token.member(name) {
                None => format!("the token has no claim {name:?}"),
                Some(value) => format!("the claim {name:?} is {}", test.found(value)),
            },
            Kind::Organization(_)
            | Kind::OrganizationName(_)
            | Kind::AnyOrganization
            | Kind::OrganizationOfRequest(_) => organization(token),
            Kind::Acr(_) => match token.acr() {
                Some(acr) => format!("the token's acr is {}", Escaped(acr)),
                None => "the token has no acr".to_owned(),
            },
            Kind::Amr(_) => match listed_escaped(token.amr()) {
                list if list.is_empty() => "the token has no amr".to_owned(),
                list => format!("the token's amr is {list}"),
            },
            Kind::MaxAge { .. } => match token.authenticated_at() {
                None => "the token has no auth_time".to_owned(),
                Some(moment) if moment > circumstances.now => format!(
                    "the token's auth_time is {} s ahead",
                    moment.saturating_sub(circumstances.now).as_secs()
                ),
                Some(moment) => format!(
                    "the login was {} s ago",
                    circumstances.now.saturating_sub(moment).as_secs()
                ),
            },
            Kind::Machine | Kind::User => match token.subject_kind() {
                Some(SubjectKind::User) => "the token is a person's".to_owned(),
                Some(SubjectKind::Machine) => "the token is a machine's".to_owned(),
                None => "the token does not say whether it is a person's or a machine's".to_owned(),
            },
            Kind::NotAnonymous => "the token is of an anonymous user".to_owned(),
            Kind::Client(_) => match token.client_id() {
                Some(client) => format!("the token is of the client {}", Escaped(client)),
                None => "the token names no client".to_owned(),
            },
            Kind::Check { name, .. } => format!("the check {name:?} has returned false"),
            Kind::All(list) | Kind::Any(list) => seen_by_all(list, token, circumstances),
        }
    }

    fn advice<C>(&self, token: &VerifiedToken<C>) -> String {
        let is_auth0 = token.accepted_by().is_auth0;
        match &self.0 {
            Kind::Scope(_) | Kind::AnyScope(_) if !is_auth0 => {
                "Let the client request it (the parameter scope), after the issuer may grant it. If the issuer \
                 writes scopes into another claim, name it with TrustedIssuer::scope_claim"
            }
            Kind::Permission(_) | Kind::AnyPermission(_) if !is_auth0 => {
                return format!(
                    "Let the issuer write it into the claim {:?} of access tokens, or name another claim with \
                     TrustedIssuer::permissions_claim",
                    token.accepted_by().permissions_claim
                );
            }
            Kind::Scope(_) | Kind::AnyScope(_) => {
                "Let the client request it (the parameter scope), after the API defines it (Dashboard > \
                 Applications > APIs > Permissions) and the client or user may have it"
            }
            Kind::Permission(_) | Kind::AnyPermission(_) if has_permissions(token) => {
                "Assign it to the user, a role of the user, or the machine (Dashboard > User Management, or \
                 Applications > APIs > Machine to Machine Applications), and get a new token"
            }
            Kind::Permission(_) | Kind::AnyPermission(_) => {
                "Turn on \"Enable RBAC\" and \"Add Permissions in the Access Token\" (Dashboard > Applications > \
                 APIs > Settings > RBAC Settings), and get a new token"
            }
            Kind::Claim { name, test } => {
                return match token.member(name).and_then(|value| test.other_type(value)) {
                    Some(write) => format!(
                        "Let the Action or the provider write the claim in this type, or require .{write}"
                    ),
                    None if !is_auth0 => {
                        "Let the issuer write the claim into access tokens, and get a new token".to_owned()
                    }
                    None => "Let an Action set the claim in access tokens (api.accessToken.setCustomClaim), \
                             and get a new token"
                        .to_owned(),
                };
            }
            Kind::Organization(_)
            | Kind::OrganizationName(_)
            | Kind::AnyOrganization
            | Kind::OrganizationOfRequest(_)
                if !is_auth0 =>
            {
                "Let the issuer write the organization into the claim org_id of access tokens"
            }
            Kind::Organization(_)
            | Kind::OrganizationName(_)
            | Kind::AnyOrganization
            | Kind::OrganizationOfRequest(_) => {
                "Let the user log in with the parameter organization of this organization"
            }
            Kind::Acr(_) | Kind::Amr(_) => {
                "Let the client log the user in again as the challenge says. If the claim is always missing, \
                 let an Action write it into access tokens, and require it with claim(…)"
            }
            Kind::MaxAge { .. } => {
                "Let the client log the user in again with the parameter max_age. If auth_time is always \
                 missing, let the issuer write it into access tokens"
            }
            Kind::Machine | Kind::User if token.subject_kind().is_none() => {
                "Tell the tokens of this provider apart with TrustedIssuer::subject_kind"
            }
            Kind::Machine => "Let the client use the client credentials grant, or allow persons",
            Kind::User | Kind::NotAnonymous => {
                "Let a user log in, or allow these tokens with any_of!"
            }
            Kind::Client(_) => "Let this client call the API, or add the other one with any_of!",
            Kind::Authenticated | Kind::Check { .. } => {
                "Compare the token with the function of this name in the application"
            }
            Kind::All(list) => return first_advice(list, token),
            Kind::Any(list) => {
                return format!("One of them is enough. {}", first_advice(list, token));
            }
        }
        .to_owned()
    }
}

fn first_advice<C>(list: &List, token: &VerifiedToken<C>) -> String {
    match list.get().first() {
        Some(first) => first.advice(token),
        None => "The list is empty, which no token meets. Correct the requirement".to_owned(),
    }
}

fn seen_by_all<C>(
    list: &List,
    token: &VerifiedToken<C>,
    circumstances: Circumstances<'_>,
) -> String {
    let mut seen: Vec<String> = Vec::new();
    for part in list.get().iter().take(SHOWN_ALTERNATIVES) {
        let text = part.seen(token, circumstances);
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    if seen.is_empty() {
        "the list of requirements is empty".to_owned()
    } else {
        seen.join(", and ")
    }
}

fn granted<C>(token: &VerifiedToken<C>) -> String {
    match listed_escaped(token.scopes()) {
        list if list.is_empty() => "the token has no scope".to_owned(),
        list => format!("the token's scope is {list}"),
    }
}

fn permissions<C>(token: &VerifiedToken<C>) -> String {
    match listed_escaped(token.permissions()) {
        list if !list.is_empty() => format!("the token's permissions are {list}"),
        _ if has_permissions(token) => "the token's permissions are empty".to_owned(),
        _ => format!("the token has no claim {:?}", token.accepted_by().permissions_claim),
    }
}

fn has_permissions<C>(token: &VerifiedToken<C>) -> bool {
    token.permissions().next().is_some() || token.member("permissions").is_some()
}

fn organization<C>(token: &VerifiedToken<C>) -> String {
    match (token.organization_id(), token.organization_name()) {
        (None, _) => "the token has no org_id".to_owned(),
        (Some(id), None) => format!("the token's org_id is {}", Escaped(id)),
        (Some(id), Some(name)) => {
            format!("the token's org_id is {}, and its org_name {}", Escaped(id), Escaped(name))
        }
    }
}

impl ClaimTest {
    /// Describes the value of a claim without its content.
    fn found(&self, value: Value<'_>) -> &'static str {
        match (self, kind_of(value)) {
            (Self::Equals(_), "a string") => "another string",
            (Self::Contains(_), "a string") => "a string, which is another one",
            (Self::Contains(_), "an array") => "an array without it",
            (Self::EqualsNumber(_) | Self::EqualsInteger(_), "a number") => "another number",
            (Self::EqualsBool(_), "a boolean") => "the other boolean",
            (_, kind) => kind,
        }
    }

    /// Returns what to write for the value in its type, if the value is the expected one in another type.
    fn other_type(&self, value: Value<'_>) -> Option<String> {
        let text = value.as_str();
        match self {
            Self::EqualsBool(boolean) => {
                let boolean = boolean.to_string();
                let is_it = text.is_some_and(|text| text.eq_ignore_ascii_case(&boolean));
                is_it.then(|| format!("equals({boolean:?})"))
            }
            Self::EqualsNumber(number) => {
                let is_it = text.as_deref().and_then(|text| text.parse().ok()) == Some(*number);
                is_it.then(|| format!("equals({:?})", number.to_string()))
            }
            Self::EqualsInteger(number) => {
                let is_it = text.as_deref().and_then(|text| text.parse().ok()) == Some(*number);
                is_it.then(|| format!("equals({:?})", number.to_string()))
            }
            Self::Equals(wanted) => {
                if value.any_element(|element| element.as_str().is_some_and(|text| text == *wanted))
                {
                    return Some(format!("contains({wanted:?})"));
                }
                if value.as_bool().is_some_and(|boolean| boolean.to_string() == **wanted) {
                    return Some(format!("equals_bool({wanted})"));
                }
                let number = value.as_number().filter(|number| wanted.parse() == Ok(*number));
                number.map(|number| format!("equals_number({number:?})"))
            }
            Self::Contains(_) => None,
        }
    }
}

/// Returns the JSON type of a value.
fn kind_of(value: Value<'_>) -> &'static str {
    match value.raw().as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'[') => "an array",
        Some(b'{') => "an object",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}
