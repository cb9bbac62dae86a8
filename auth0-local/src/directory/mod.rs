//! Who may log in, with which application, to which API.
mod api;
mod client;
mod client_grant;
mod client_key;
mod connected_account;
mod exchange_profile;
mod factor;
mod grant_types;
mod membership;
mod quota;
mod redirect;
mod user;
mod vault_access;

pub use api::Api;
pub use client::Client;
pub use client_grant::ClientGrant;
pub(crate) use client_grant::OrganizationUsage;
pub(crate) use client_key::CLIENT_ALGORITHMS;
pub use client_key::ClientKey;
pub use connected_account::ConnectedAccount;
pub use exchange_profile::TokenExchangeProfile;
pub(crate) use exchange_profile::is_reserved;
pub use factor::Factor;
pub(crate) use factor::FactorKind;
pub(crate) use grant_types::*;
pub use membership::Membership;
pub use quota::Quota;
pub(crate) use redirect::{is_loopback_url, is_native_url, is_website_url};
pub use user::User;

use crate::error::LocalError;
use std::{collections::VecDeque, sync::Arc};

/// The most clients that can be registered dynamically. One more removes the oldest.
const MAX_REGISTERED: usize = 1000;

/// The most users that logins create. One more removes the oldest.
const MAX_CREATED: usize = 1000;

/// The most deleted users that are kept, the newest.
const MAX_DELETED: usize = 10_000;

/// Auth0's own limit. Identifiers that clients send are kept with their tokens.
const MAX_IDENTIFIER_BYTES: usize = 600;

/// The users, clients and APIs of a tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    users: Vec<Arc<User>>,
    /// The users that logins without a password created, the oldest first.
    created: VecDeque<Arc<User>>,
    /// The `sub` of users that were deleted, the oldest first.
    deleted: VecDeque<String>,
    /// Whether one of the others was: then an empty tenant has no user.
    is_emptied: bool,
    clients: Vec<Arc<Client>>,
    /// The clients that registered themselves, the oldest first.
    registered: VecDeque<Arc<Client>>,
    /// The APIs with settings. If there are none, every identifier is that of an API.
    apis: Vec<Api>,
    exchange_profiles: Vec<Arc<TokenExchangeProfile>>,
}

impl Directory {
    /// Adds a user, or replaces the user with the same `sub`.
    pub(crate) fn add_user(&mut self, user: User) -> Result<(), LocalError> {
        user.check()?;
        self.forget(user.subject());
        self.deleted.retain(|subject| subject != user.subject());
        self.users.push(Arc::new(user));
        Ok(())
    }

    /// Replaces a user in its place, or adds it.
    pub(crate) fn replace_user(&mut self, user: User) -> Result<(), LocalError> {
        user.check()?;
        let mut users = self.users.iter_mut().chain(&mut self.created);
        match users.find(|known| known.subject() == user.subject()) {
            Some(known) => *known = Arc::new(user),
            None => self.users.push(Arc::new(user)),
        }
        Ok(())
    }

    /// Deletes a user, whom the tokens of others cannot name any more.
    pub(crate) fn delete_user(&mut self, subject: &str) {
        self.is_emptied |= !self.created.iter().any(|user| user.subject() == subject);
        self.forget(subject);
        if self.deleted.len() >= MAX_DELETED {
            self.deleted.pop_front();
        }
        self.deleted.push_back(subject.to_owned());
    }

    fn forget(&mut self, subject: &str) {
        self.users.retain(|known| known.subject() != subject);
        self.created.retain(|known| known.subject() != subject);
    }

    pub(crate) fn is_deleted(&self, subject: &str) -> bool {
        self.deleted.iter().any(|deleted| deleted == subject)
    }

    /// Returns the first user. An empty tenant has one, unless its last user was deleted.
    pub(crate) fn first_user(&self) -> Option<Arc<User>> {
        let of_an_empty_tenant = || Arc::new(User::of_an_empty_tenant());
        let first = self.users.first().cloned();
        first.or_else(|| (!self.is_emptied).then(of_an_empty_tenant))
    }

    /// Adds a client, or replaces the client with the same id.
    pub(crate) fn add_client(&mut self, client: Client) -> Result<(), LocalError> {
        client.check()?;
        self.clients.retain(|known| known.id() != client.id());
        self.clients.push(Arc::new(client));
        Ok(())
    }

    pub(crate) fn add_api(&mut self, api: Api) -> Result<(), LocalError> {
        api.check()?;
        self.apis.retain(|known| known.identifier() != api.identifier());
        self.apis.push(api);
        Ok(())
    }

    pub(crate) fn add_exchange_profile(
        &mut self,
        profile: TokenExchangeProfile,
    ) -> Result<(), LocalError> {
        profile.check()?;
        self.exchange_profiles.push(Arc::new(profile));
        Ok(())
    }

    pub(crate) fn register(&mut self, client: Client) {
        if self.registered.len() >= MAX_REGISTERED {
            self.registered.pop_front();
        }
        self.registered.push_back(Arc::new(client));
    }

    pub(crate) fn users(&self) -> &[Arc<User>] {
        &self.users
    }

    pub(crate) fn user(&self, subject: &str) -> Option<Arc<User>> {
        self.all_users().find(|user| user.subject() == subject).cloned()
    }

    /// Returns the user that a `login_hint` names: by `sub` or by e-mail address.
    pub(crate) fn user_hinted(&self, hint: &str) -> Option<Arc<User>> {
        self.all_users().find(|user| user.is_named(hint)).cloned()
    }

    /// Returns the user who receives messages at this e-mail address or phone number.
    pub(crate) fn user_at(&self, recipient: &str) -> Option<Arc<User>> {
        self.all_users().find(|user| user.is_reached_at(recipient)).cloned()
    }

    /// Keeps a user whom a login created.
    pub(crate) fn create_user(&mut self, user: User) -> Arc<User> {
        if self.created.len() >= MAX_CREATED {
            self.created.pop_front();
        }
        self.deleted.retain(|subject| subject != user.subject());
        let user = Arc::new(user);
        self.created.push_back(Arc::clone(&user));
        user
    }

    pub(crate) fn all_users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.iter().chain(&self.created)
    }

    pub(crate) fn client(&self, id: &str) -> Option<Arc<Client>> {
        self.all_clients().find(|client| client.id() == id).cloned()
    }

    /// Returns the clients that receive logout tokens.
    pub(crate) fn clients_to_log_out(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.all_clients().filter(|client| !client.own_backchannel_logout_urls().is_empty())
    }

    /// Returns the clients, those of the configuration first.
    pub(crate) fn all_clients(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.clients.iter().chain(&self.registered)
    }

    pub(crate) fn apis(&self) -> &[Api] {
        &self.apis
    }

    pub(crate) fn api(&self, identifier: &str) -> Option<&Api> {
        self.apis.iter().find(|api| api.identifier() == identifier)
    }

    /// Returns the profile that reads subject tokens of a type.
    pub(crate) fn exchange_profile(&self, kind: &str) -> Option<Arc<TokenExchangeProfile>> {
        let mut profiles = self.exchange_profiles.iter();
        profiles.find(|profile| profile.subject_token_type() == kind).cloned()
    }

    /// Returns whether a client can request tokens for an API. A client that is not registered may use any.
    pub(crate) fn offers(&self, identifier: &str, client: &Client) -> bool {
        let is_known = client.is_open() || self.apis.is_empty() || self.api(identifier).is_some();
        is_known && identifier.len() <= MAX_IDENTIFIER_BYTES
    }

    /// Returns whether a configured client redirects to this origin. One that registered itself does not count.
    pub(crate) fn has_origin(&self, origin: &str) -> bool {
        self.clients.iter().any(|client| client.has_origin(origin))
    }
}
