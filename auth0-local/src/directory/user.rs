use super::{ConnectedAccount, Factor, Membership};
use crate::{error::LocalError, secret::Hidden};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A user of the tenant.
///
/// ```
/// use auth0_local::{LocalTenant, Membership, User};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let ann = User::new("auth0|ann")
///     .name("Ann")
///     .email("ann@acme.com")
///     .claim("picture", "https://acme.com/ann.png")
///     .member_of(Membership::new("org_acme", "acme").permissions(["read:invoices"]))
///     .scopes(["read:messages"])
///     .token_claim("https://acme.com/plan", "pro");
/// let tenant = LocalTenant::builder().user(ann).start().await?;
/// assert!(tenant.answer_logins_as("auth0|ann").is_ok());
/// assert!(tenant.answer_logins_as("auth0|bob").is_err(), "no such user");
/// # Ok::<(), auth0_local::LocalError>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct User {
    #[serde(rename = "user_id")]
    subject: String,
    name: Option<String>,
    email: Option<String>,
    phone_number: Option<String>,
    password: Option<Hidden>,
    #[serde(default)]
    claims: Map<String, Value>,
    #[serde(default)]
    token_claims: Map<String, Value>,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    permissions: Vec<String>,
    #[serde(default)]
    organizations: Vec<Membership>,
    #[serde(default)]
    any_organization: bool,
    /// The organizations that the user left, in spite of `any_organization`.
    #[serde(skip)]
    left: Vec<Membership>,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    connected_accounts: Vec<ConnectedAccount>,
    #[serde(default)]
    factors: Vec<Factor>,
    #[serde(default)]
    mfa_required: bool,
    #[serde(default)]
    mfa_at_refresh: bool,
}

impl User {
    /// Creates a user with this `sub`, for example `auth0|ann`.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            name: None,
            email: None,
            phone_number: None,
            password: None,
            claims: Map::new(),
            token_claims: Map::new(),
            scopes: None,
            permissions: Vec::new(),
            organizations: Vec::new(),
            any_organization: false,
            left: Vec::new(),
            blocked: false,
            connected_accounts: Vec::new(),
            factors: Vec::new(),
            mfa_required: false,
            mfa_at_refresh: false,
        }
    }

    /// Returns the user of a tenant to which no user was added.
    pub(crate) fn of_an_empty_tenant() -> Self {
        let user = Self::new("auth0|65f1c0ffee").name("Ann Example").email("ann@example.com");
        user.member_of_any_organization()
    }

    /// Sets the name: a claim of the scope `profile`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the e-mail address, which counts as verified: claims of the scope `email`.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Sets the phone number, which counts as verified: claims of the scope `phone`. It is written as in
    /// `+15550100`.
    pub fn phone_number(mut self, number: impl Into<String>) -> Self {
        self.phone_number = Some(number.into());
        self
    }

    /// Sets the password of the grants `password` and `password-realm`. Unset, these refuse the user.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Hidden::new(password));
        self
    }

    /// Sets a claim of the ID token and of `/userinfo`, of any type. A standard claim needs its scope: the
    /// others of OpenID Connect are those of `profile`. A claim with a namespace needs none.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.claims.insert(name.into(), json!(value));
        self
    }

    /// Sets a claim of every access and ID token, as an Action does: for example
    /// `https://acme.com/roles`.
    pub fn token_claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.token_claims.insert(name.into(), json!(value));
        self
    }

    /// Limits the scopes of APIs that the user can grant. Others are omitted from tokens, without an
    /// error. Unset, all are granted.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the permissions of the user (RBAC). Without any, access tokens have no `permissions`.
    pub fn permissions<P: Into<String>>(
        mut self,
        permissions: impl IntoIterator<Item = P>,
    ) -> Self {
        self.permissions = permissions.into_iter().map(Into::into).collect();
        self
    }

    /// Makes the user a member of an organization. Can be repeated.
    pub fn member_of(mut self, membership: Membership) -> Self {
        self.organizations.push(membership);
        self
    }

    /// Makes the user a member of every organization that a request asks for, as `org_acme`,
    /// `org_acme:name` or `name`. Those of [`member_of`](Self::member_of) come first.
    pub fn member_of_any_organization(mut self) -> Self {
        self.any_organization = true;
        self
    }

    /// Blocks the user, who cannot log in: see [`LocalTenant::block`](crate::LocalTenant::block).
    pub fn blocked(self) -> Self {
        self.with_blocked(true)
    }

    pub(crate) fn with_blocked(mut self, blocked: bool) -> Self {
        self.blocked = blocked;
        self
    }

    /// Removes the user from an organization.
    pub(crate) fn without_membership(mut self, membership: Membership) -> Self {
        self.organizations.retain(|own| own.id() != membership.id());
        if self.any_organization && !self.has_left(&membership) {
            self.left.push(membership);
        }
        self
    }

    /// Adds an account at another provider, or replaces the one with the same connection and `login_hint`. A request
    /// without a `login_hint` gets the first one of its connection.
    pub fn account(mut self, account: ConnectedAccount) -> Self {
        match self.connected_accounts.iter_mut().find(|known| known.is_same(&account)) {
            Some(known) => *known = account,
            None => self.connected_accounts.push(account),
        }
        self
    }

    /// Returns the accounts at other providers.
    pub(crate) fn accounts(&self) -> &[ConnectedAccount] {
        &self.connected_accounts
    }

    /// Removes the accounts of a connection, or the one with this hint. Returns how many there were.
    pub(crate) fn remove_accounts(&mut self, connection: &str, login_hint: Option<&str>) -> usize {
        let before = self.connected_accounts.len();
        self.connected_accounts.retain(|account| !account.is_named(connection, login_hint));
        before - self.connected_accounts.len()
    }

    /// Adds a second factor. The grants of a password and of a one-time code then answer `mfa_required`.
    pub fn factor(mut self, factor: Factor) -> Self {
        self.factors.push(factor);
        self
    }

    /// Requires a second factor of a user who has none yet, and must associate one.
    pub fn require_mfa(mut self) -> Self {
        self.mfa_required = true;
        self
    }

    /// Requires the second factor at each use of a refresh token, too, as an Action can.
    pub fn mfa_at_refresh(mut self) -> Self {
        self.mfa_at_refresh = true;
        self
    }

    pub(super) fn check(&self) -> Result<(), LocalError> {
        if self.subject.trim().is_empty() {
            return Err(LocalError::new(
                "a user has an empty user_id. Write one, for example auth0|ann",
            ));
        }
        if self.organizations.iter().any(|membership| !membership.id().starts_with("org_")) {
            return Err(LocalError::new(format!(
                "an organization of {} has an id that does not begin with org_. Write it as org_acme",
                self.subject
            )));
        }
        self.connected_accounts.iter().try_for_each(|account| account.check(&self.subject))?;
        self.factors.iter().try_for_each(|factor| factor.check(&self.subject))
    }

    /// Returns the account of a connection that a hint names, or the first one.
    pub(crate) fn connected_account(
        &self,
        connection: &str,
        login_hint: Option<&str>,
    ) -> Option<&ConnectedAccount> {
        self.connected_accounts.iter().find(|account| account.is_named(connection, login_hint))
    }

    pub(crate) fn factors(&self) -> &[Factor] {
        &self.factors
    }

    pub(crate) const fn must_enroll(&self) -> bool {
        self.mfa_required
    }

    pub(crate) const fn steps_up_at_refresh(&self) -> bool {
        self.mfa_at_refresh
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    pub(crate) const fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Returns the text that a page shows for the user.
    pub(crate) fn label(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).unwrap_or(&self.subject)
    }

    pub(super) fn is_named(&self, hint: &str) -> bool {
        self.subject == hint || self.email.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(hint))
    }

    pub(crate) fn own_email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// Returns whether messages to this e-mail address or phone number reach the user.
    pub(crate) fn is_reached_at(&self, recipient: &str) -> bool {
        self.phone_number.as_deref() == Some(recipient)
            || self.email.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(recipient))
    }

    pub(crate) fn has_password(&self, sent: &str) -> bool {
        self.password.as_ref().is_some_and(|own| own.is(sent))
    }

    pub(crate) fn can_grant(&self, scope: &str) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|known| known == scope))
    }

    pub(crate) fn own_permissions(&self) -> &[String] {
        &self.permissions
    }

    pub(crate) fn token_claims(&self) -> &Map<String, Value> {
        &self.token_claims
    }

    pub(crate) fn own_organizations(&self) -> &[Membership] {
        &self.organizations
    }

    /// Returns the membership of an organization by its id or name.
    pub(crate) fn membership(&self, organization: &str) -> Option<Membership> {
        let own = self.own_membership(organization).cloned();
        let other = || any(organization).filter(|it| self.any_organization && !self.has_left(it));
        own.or_else(other)
    }

    /// Returns the membership of an organization that is the user's own, not one of every organization.
    pub(crate) fn own_membership(&self, organization: &str) -> Option<&Membership> {
        self.organizations.iter().find(|one| one.is_named(organization))
    }

    fn has_left(&self, membership: &Membership) -> bool {
        let (id, name) = (membership.id(), membership.name());
        self.left.iter().any(|left| left.is_named(id) || left.is_named(name))
    }

    /// Returns what an event says about the user.
    pub(crate) fn event_object(&self) -> Map<String, Value> {
        let scopes = ["profile", "email", "phone"].map(str::to_owned);
        let mut object = self.profile(&scopes);
        object.insert("user_id".into(), json!(self.subject));
        object.insert("blocked".into(), json!(self.blocked));
        object
    }

    /// Returns the claims of the ID token and of `/userinfo` for the granted scopes.
    pub(crate) fn profile(&self, scopes: &[String]) -> Map<String, Value> {
        let mut all = Map::new();
        if let Some(name) = &self.name {
            all.insert("name".into(), json!(name));
        }
        if let Some(email) = &self.email {
            let nickname = email.split('@').next().unwrap_or_default();
            all.insert("nickname".into(), json!(nickname));
            all.insert("email".into(), json!(email));
            all.insert("email_verified".into(), json!(true));
        }
        if let Some(number) = &self.phone_number {
            all.insert("phone_number".into(), json!(number));
            all.insert("phone_number_verified".into(), json!(true));
        }
        all.extend(self.claims.clone());
        all.retain(|name, _| {
            scope_of(name).is_none_or(|scope| scopes.iter().any(|it| it == scope))
        });
        all
    }
}

/// Returns the scope that a claim needs (OpenID Connect Core §5.4), or `None` for one with a namespace.
fn scope_of(claim: &str) -> Option<&'static str> {
    match claim {
        "email" | "email_verified" => Some("email"),
        "phone_number" | "phone_number_verified" => Some("phone"),
        "address" => Some("address"),
        name if name.contains("://") => None,
        _ => Some("profile"),
    }
}

/// Reads an organization as requests write it: `org_acme`, `org_acme:name`, or its name only.
fn any(organization: &str) -> Option<Membership> {
    let (id, name) = match organization.split_once(':') {
        Some((id, name)) => (id.to_owned(), name),
        None => match organization.strip_prefix("org_") {
            Some(name) => (organization.to_owned(), name),
            None => (format!("org_{organization}"), organization),
        },
    };
    let is_id = id.strip_prefix("org_").is_some_and(|rest| !rest.is_empty());
    (is_id && !name.is_empty()).then(|| Membership::new(id, name))
}
