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
            Self::Auth0 if is_auth0_machine(token) => Some(SubjectKind::Machine),
            // The client of the token is another one.
            Self::Auth0 if is_some_client(token) => None,
            Self::Auth0 => Some(SubjectKind::User),
            Self::KnownSigns => Signs::read(token).kind(token),
        }
    }
}

/// Returns whether the claims of Auth0's token profiles name a machine.
fn is_auth0_machine<C>(token: &VerifiedToken<C>) -> bool {
    let subject = token.subject();
    // The subject of a person has the connection before a `|`.
    let is_agent = subject.starts_with("agt_") && !subject.contains('|');
    let grant = token.member("gty").and_then(Value::as_str);
    is_agent || is_its_client(token) || grant.as_deref() == Some("client-credentials")
}

/// Returns whether the subject is the client of the token (RFC 9068 §2.2).
fn is_its_client<C>(token: &VerifiedToken<C>) -> bool {
    let subject = token.subject();
    token
        .client_id()
        .is_some_and(|client| subject == client || subject.strip_suffix("@clients") == Some(client))
}

fn is_some_client<C>(token: &VerifiedToken<C>) -> bool {
    let subject = token.subject();
    subject.ends_with("@clients") && !subject.contains('|')
}

/// The claims by which the tokens of known providers differ.
#[derive(Default)]
struct Signs {
    /// `idtyp` of Microsoft Entra: `app` or `user`.
    stated: Option<SubjectKind>,
    is_machine: bool,
    is_person: bool,
    /// Whether there was a login, which a machine does not have. People choose names and addresses: these must
    /// not make a person a machine.
    has_login: bool,
    has_auth_time: bool,
    /// `preferred_username`.
    user_name: Option<String>,
    email: Option<String>,
    is_email_verified: bool,
    is_of_cognito: bool,
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
            ("scp", _) => self.has_scp = text.is_some() || value.strings().is_some(),
            ("preferred_username", Some(name)) => self.user_name = Some(name.to_owned()),
            ("email", Some(address)) => self.email = Some(address.to_owned()),
            ("email_verified", _) => self.is_email_verified = value.as_bool() == Some(true),
            ("token_use", Some(_)) => self.is_of_cognito = true,
            // A service account of Keycloak has these.
            ("clientHost" | "clientAddress", Some(_)) => self.is_machine = true,
            ("gty", Some("client-credentials")) => self.is_machine = true,
            ("sub_profile", Some(profile)) => {
                self.is_machine |=
                    profile.split(' ').any(|kind| matches!(kind, "ai_agent" | "service"));
            }
            ("repository" | "run_id" | "project_path" | "pipeline_id", Some(_)) => {
                self.workflow += 1;
            }
            ("username" | "upn" | "unique_name" | "uid", Some(_)) => self.is_person = true,
            // The session, the methods and the time of a login (RFC 9068 §2.2.1).
            ("sid", Some(_)) => self.has_login = true,
            ("amr", _) => self.has_login |= value.any_element(|_| true),
            ("auth_time", _) if !value.is_null() => self.has_auth_time = true,
            _ => {}
        }
    }

    /// Returns the kind, if a sign says so. Beside a login, a sign of a machine says nothing.
    fn kind<C>(&self, token: &VerifiedToken<C>) -> Option<SubjectKind> {
        let subject = token.subject();
        // Amazon Cognito writes the time for machines, too.
        let has_login = self.has_login || self.has_auth_time && !self.is_of_cognito;
        let is_person = self.is_person || has_login || self.has_auth_time;
        let is_entra_application =
            self.entra_subject.as_deref() == Some(subject) && !self.has_scp && !is_person;
        let user_name = self.user_name.as_deref();
        let is_service_account = user_name.is_some_and(|name| is_service_account(name, token));
        let is_google_account = self.is_google_account(token);
        let is_machine = self.is_machine
            || is_its_client(token)
            || is_entra_application
            || is_service_account
            || is_google_account
            || self.workflow >= 2
            || subject.starts_with("system:serviceaccount:")
            || subject.starts_with("spiffe://");
        let names_a_person = user_name.is_some() || self.email.is_some() || subject.contains('|');
        match self.stated {
            Some(stated) => Some(stated),
            None if is_machine && has_login => None,
            None if is_machine => Some(SubjectKind::Machine),
            None if is_some_client(token) => None,
            None if is_person || names_a_person => Some(SubjectKind::User),
            None if self.entra_subject.is_some() && self.has_scp => Some(SubjectKind::User),
            None => None,
        }
    }

    /// Returns whether the address is that of a service account, which Google itself says.
    fn is_google_account<C>(&self, token: &VerifiedToken<C>) -> bool {
        let is_known = match token.issuer() {
            "https://accounts.google.com" => self.is_email_verified,
            "https://cloud.google.com/iap" => true,
            _ => false,
        };
        let is_account = |address: &str| address.ends_with(".gserviceaccount.com");
        is_known && self.email.as_deref().is_some_and(is_account)
    }
}

/// Returns whether a user name is the one that Keycloak creates for the client of the token, or one that
/// authentik creates for a provider.
fn is_service_account<C>(name: &str, token: &VerifiedToken<C>) -> bool {
    let of_client = name.strip_prefix("service-account-");
    let is_of_keycloak = of_client.is_some_and(|client| {
        token.client_id().is_some_and(|stated| stated.eq_ignore_ascii_case(client))
    });
    is_of_keycloak || name.starts_with("ak-") && name.ends_with("-client_credentials")
}
