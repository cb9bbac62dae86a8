use super::client::Target;
use crate::{
    description::{Description, ProfileName},
    organization::Organization,
    server::MINT_PATH,
};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

/// Print a token of the tenant that runs on this machine
#[derive(Args)]
pub(super) struct Token {
    /// The identifier of the API that it is for; the one that the tenant was started with unless
    /// set
    #[arg(long)]
    audience: Option<String>,
    /// The scopes, with spaces between them
    #[arg(long)]
    scope: Vec<String>,
    /// A permission of role-based access control; can be repeated
    #[arg(long)]
    permission: Vec<String>,
    /// The organization that the user logged in through
    #[arg(long, value_name = "org_ID[:NAME]")]
    org: Option<Organization>,
    /// The user
    #[arg(long, conflicts_with = "machine")]
    subject: Option<String>,
    /// The client that asked for it
    #[arg(long)]
    client: Option<String>,
    /// A token that a machine got for itself
    #[arg(long)]
    machine: bool,
    /// The shape of the token
    #[arg(long, value_enum, default_value = "auth0")]
    profile: ProfileName,
    /// A claim, whatever its type: --claim 'plan="pro"'; can be repeated
    #[arg(long, value_name = "NAME=JSON", value_parser = claim)]
    claim: Vec<(String, Value)>,
    /// It expired an hour ago
    #[arg(long)]
    expired: bool,
    /// How long it lives; a day unless set
    #[arg(long, value_name = "SECONDS", conflicts_with = "expired")]
    expires_in: Option<u64>,
    #[command(flatten)]
    target: Target,
}

impl Token {
    pub(super) async fn run(self) -> super::Result {
        let (description, target) = self.split();
        let Answer { access_token } = target.post(MINT_PATH, Some(&description)).await?;
        super::print(&access_token)
    }

    fn split(self) -> (Description, Target) {
        let description = Description {
            audience: self.audience,
            scope: (!self.scope.is_empty()).then(|| self.scope.join(" ")),
            permissions: (!self.permission.is_empty()).then_some(self.permission),
            organization: self.org,
            subject: self.subject,
            client: self.client,
            machine: self.machine,
            profile: self.profile,
            expired: self.expired,
            expires_in: self.expires_in,
            claims: self.claim.into_iter().collect(),
        };
        (description, self.target)
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
}

fn claim(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, json)) if !name.is_empty() => {
            let value = serde_json::from_str(json).map_err(|_| {
                format!("{json} is not JSON. Text stands in quotes: --claim '{name}=\"…\"'")
            })?;
            Ok((name.into(), value))
        }
        _ => Err("there is no name in it. Write NAME=JSON, for example plan='\"pro\"'".into()),
    }
}
