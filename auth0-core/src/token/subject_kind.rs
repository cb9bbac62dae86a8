//! Whether a token was issued for a person or to a machine. No single claim says so at all providers.
use super::VerifiedToken;
use crate::jose::json::{self, Value};

/// The kind of a token's subject: see [`VerifiedToken::subject_kind`](crate::VerifiedToken::subject_kind).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubjectKind {
    /// A person, for whom a client acts. An anonymous session of Auth0 counts as a person.
    User,
    /// A client, a service account or an agent that acts for itself.
    Machine,
}

/// How the tokens of an issuer tell persons from machines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum SubjectKinds {
    /// By Auth0's claims: a subject that is not a machine is a person.
    Auth0,
    /// By the signs of known providers. Without a sign it is not known.
    #[default]
    KnownSigns,
    /// By a function of the application.
    Custom(fn(&VerifiedToken) -> Option<SubjectKind>),
}

impl PartialEq for SubjectKinds {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Auth0, Self::Auth0) | (Self::KnownSigns, Self::KnownSigns) => true,
            (Self::Custom(a), Self::Custom(b)) => std::ptr::fn_addr_eq(*a, *b),
            _ => false,
        }
    }
}

impl SubjectKinds {
    pub(super) fn of<C>(self, token: &VerifiedToken<C>) -> Option<SubjectKind> {
        match self {
            Self::Custom(of) => of(&token.without_claims()),
            Self::Auth0 | Self::KnownSigns => {
                let subject = token.subject();
                let is_client = token.client_id() == Some(subject) || is_auth0_machine(token);
                let is_some_client = subject.ends_with("@clients") && !subject.contains('|');
                match self {
                    _ if is_client => Some(SubjectKind::Machine),
                    // The client of the token is another one.
                    _ if is_some_client => None,
                    Self::Auth0 => Some(SubjectKind::User),
                    _ => Signs::read(token).kind(token),
                }
            }
        }
    }
}

/// Returns whether the claims of Auth0's token profiles name a machine.
fn is_auth0_machine<C>(token: &VerifiedToken<C>) -> bool {
    let subject = token.subject();
    // The subject of a person has the connection before a `|`.
    let is_agent = subject.starts_with("agt_") && !subject.contains('|');
    let is_client =
        token.client_id().is_some_and(|client| subject.strip_suffix("@clients") == Some(client));
    let grant = token.member("gty").and_then(Value::as_str);
    is_agent || is_client || grant.as_deref() == Some("client-credentials")
}

/// The claims by which the tokens of known providers differ.
#[derive(Default)]
struct Signs {
    /// `idtyp` of Microsoft Entra: `app` or `user`.
    stated: Option<SubjectKind>,
    is_machine: bool,
    is_person: bool,
    /// `oid` of Microsoft Entra is the subject, and there are no scopes: an application without a user.
    entra_subject: Option<String>,
    has_scp: bool,
    /// Two claims that the tokens of a workflow of GitHub or GitLab have.
    workflow: u8,
}

impl Signs {
    fn read<C>(token: &VerifiedToken<C>) -> Self {
        let mut signs = Self::default();
        let read = json::check_object(token.payload(), |name, value| signs.take(name, value));
        debug_assert!(read.is_ok(), "the payload was checked before");
        signs
    }

    fn take(&mut self, name: &str, value: Value<'_>) {
        let text = value.as_str();
        let text = text.as_deref().filter(|text| !text.is_empty());
        match (name, text) {
            ("idtyp", Some("app")) => self.stated = Some(SubjectKind::Machine),
            ("idtyp", Some("user")) => self.stated = Some(SubjectKind::User),
            ("oid", Some(id)) => self.entra_subject = Some(id.to_owned()),
            ("scp", Some(_)) => self.has_scp = true,
            ("preferred_username", Some(name)) => match is_service_account(name) {
                true => self.is_machine = true,
                false => self.is_person = true,
            },
            ("email", Some(address)) if address.ends_with(".gserviceaccount.com") => {
                self.is_machine = true;
            }
            // A service account of Keycloak has these.
            ("clientHost" | "clientAddress", Some(_)) => self.is_machine = true,
            ("sub_profile", Some(profile)) => {
                self.is_machine |=
                    profile.split(' ').any(|kind| matches!(kind, "ai_agent" | "service"));
            }
            ("repository" | "run_id" | "project_path" | "pipeline_id", Some(_)) => {
                self.workflow += 1;
            }
            ("email" | "username" | "upn" | "unique_name" | "uid" | "sid", Some(_)) => {
                self.is_person = true;
            }
            // The methods and the time of a login (RFC 9068 §2.2.1).
            ("amr" | "auth_time", _) if !value.is_null() => self.is_person = true,
            _ => {}
        }
    }

    /// Returns the kind, if a sign says so. A sign of a machine counts more than one of a person.
    fn kind<C>(&self, token: &VerifiedToken<C>) -> Option<SubjectKind> {
        let subject = token.subject();
        let is_entra_application =
            self.entra_subject.as_deref() == Some(subject) && !self.has_scp && !self.is_person;
        let is_machine = self.is_machine
            || is_entra_application
            || self.workflow >= 2
            || subject.starts_with("system:serviceaccount:")
            || subject.starts_with("spiffe://")
            // The audience is the client, as in Spring Authorization Server.
            || token.audiences().any(|audience| audience == subject);
        match self.stated {
            Some(stated) => Some(stated),
            None if is_machine => Some(SubjectKind::Machine),
            None if self.is_person || subject.contains('|') => Some(SubjectKind::User),
            None if self.entra_subject.is_some() && self.has_scp => Some(SubjectKind::User),
            None => None,
        }
    }
}

/// Returns whether a user name is one that Keycloak or authentik creates for a client.
fn is_service_account(name: &str) -> bool {
    name.starts_with("service-account-")
        || name.starts_with("ak-") && name.ends_with("-client_credentials")
}
