//! What an administrator does: `auth0-local block`, `unblock`, `delete-user`, `remove-member` and
//! `delete-organization`.
use super::client::Target;
use crate::server::{
    BLOCK_PATH, DELETE_ORGANIZATION_PATH, DELETE_USER_PATH, REMOVE_MEMBER_PATH, UNBLOCK_PATH,
};
use clap::Args;
use serde_json::{Value, json};

/// Block a user, who cannot log in or refresh tokens, and print what changed, as JSON
#[derive(Args)]
pub(super) struct BlockCommand {
    /// The user, by `user_id`
    user: String,
    #[command(flatten)]
    target: Target,
}

/// End the block of a user, and print what changed, as JSON
#[derive(Args)]
pub(super) struct UnblockCommand {
    /// The user, by `user_id`
    user: String,
    #[command(flatten)]
    target: Target,
}

/// Delete a user with all sessions and refresh tokens, and print the user, as JSON
#[derive(Args)]
pub(super) struct DeleteUserCommand {
    /// The user, by `user_id`
    user: String,
    #[command(flatten)]
    target: Target,
}

/// Remove a user from an organization, and print both, as JSON
#[derive(Args)]
pub(super) struct RemoveMemberCommand {
    /// The organization, by its id or name
    organization: String,
    /// The user, by `user_id`
    user: String,
    #[command(flatten)]
    target: Target,
}

/// Delete an organization, and print it and its members, as JSON
#[derive(Args)]
pub(super) struct DeleteOrganizationCommand {
    /// The organization, by its id or name
    organization: String,
    #[command(flatten)]
    target: Target,
}

impl BlockCommand {
    pub(super) async fn run(self) -> super::Result {
        change(&self.target, BLOCK_PATH, &json!({ "user": self.user })).await
    }
}

impl UnblockCommand {
    pub(super) async fn run(self) -> super::Result {
        change(&self.target, UNBLOCK_PATH, &json!({ "user": self.user })).await
    }
}

impl DeleteUserCommand {
    pub(super) async fn run(self) -> super::Result {
        change(&self.target, DELETE_USER_PATH, &json!({ "user": self.user })).await
    }
}

impl RemoveMemberCommand {
    pub(super) async fn run(self) -> super::Result {
        let member = json!({ "organization": self.organization, "user": self.user });
        change(&self.target, REMOVE_MEMBER_PATH, &member).await
    }
}

impl DeleteOrganizationCommand {
    pub(super) async fn run(self) -> super::Result {
        let organization = json!({ "organization": self.organization });
        change(&self.target, DELETE_ORGANIZATION_PATH, &organization).await
    }
}

async fn change(target: &Target, path: &str, body: &Value) -> super::Result {
    let answer: Value = target.post(path, Some(body)).await?;
    super::print(&answer.to_string())
}
