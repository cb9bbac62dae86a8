//! What an administrator does to users and organizations.
use super::LocalTenant;
use crate::error::LocalError;

impl LocalTenant {
    /// Blocks the user with this `sub`, as an administrator does: the user cannot log in (`access_denied`), refresh
    /// tokens (`invalid_grant`) or be the subject of an exchange. Access tokens that exist stay valid.
    ///
    /// Adds the event `user.updated` with `"blocked": true`.
    ///
    /// # Errors
    /// The tenant has no such user.
    pub fn block(&self, user: &str) -> Result<(), LocalError> {
        self.running.set_blocked(user, true)
    }

    /// Ends the block of a user, whose sessions and refresh tokens can be used again.
    ///
    /// Adds the event `user.updated` with `"blocked": false`.
    ///
    /// # Errors
    /// The tenant has no such user.
    pub fn unblock(&self, user: &str) -> Result<(), LocalError> {
        self.running.set_blocked(user, false)
    }

    /// Deletes a user with all sessions, refresh tokens and second factors. Access tokens that exist stay valid.
    ///
    /// Adds the event `user.deleted`.
    ///
    /// # Errors
    /// The tenant has no such user.
    pub fn delete_user(&self, user: &str) -> Result<(), LocalError> {
        self.running.delete_user(user)
    }

    /// Removes a user from an organization, which is named by its id or name. The user cannot log in to it any more, or
    /// refresh the tokens of a login to it.
    ///
    /// Adds the event `organization.member.deleted`.
    ///
    /// # Errors
    /// The tenant has no such user, or the user is not a member.
    pub fn remove_member(&self, organization: &str, user: &str) -> Result<(), LocalError> {
        self.running.remove_member(organization, user).map(drop)
    }

    /// Deletes an organization, which is named by its id or name. Returns the users who were members.
    ///
    /// Adds the event `organization.deleted`, and no events of its members.
    ///
    /// # Errors
    /// No user is a member.
    pub fn delete_organization(&self, organization: &str) -> Result<Vec<String>, LocalError> {
        self.running.delete_organization(organization).map(|(_, members)| members)
    }
}
