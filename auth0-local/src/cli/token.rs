//! `auth0-local token`.
use super::{client::Target, member::member};
use crate::{
    error::LocalError,
    file::{CLIENT_KEY, read_certificate},
    server::MINT_PATH,
    token::{Organization, ProfileName, TokenDescription},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use std::path::PathBuf;

/// Print a token of the tenant that is running on this machine
#[derive(Args)]
pub(super) struct TokenCommand {
    /// The identifier of the API that the token is for; by default that of `auth0-local serve`
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
    /// The client that requested the token
    #[arg(long)]
    client: Option<String>,
    /// Print the token of a machine, which has no user
    #[arg(long)]
    machine: bool,
    /// The profile of the token
    #[arg(long, value_enum, default_value = "auth0")]
    profile: ProfileName,
    /// Bind the token to this key of the client (DPoP): P-256 (or P-384, Ed25519, RSA) in PKCS#8,
    /// PEM or DER. A missing file is created with a P-256 key
    #[arg(long, value_name = "FILE")]
    dpop_key: Option<PathBuf>,
    /// Bind the token to this certificate of the client (mTLS), PEM or DER
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Set a claim to a value of any type: --claim 'plan="pro"'; can be repeated
    #[arg(long, value_name = "NAME=JSON", value_parser = member)]
    claim: Vec<(String, Value)>,
    /// Print a token that expired an hour ago
    #[arg(long)]
    expired: bool,
    /// The lifetime; a day by default
    #[arg(long, value_name = "SECONDS", conflicts_with = "expired")]
    expires_in: Option<u64>,
    #[command(flatten)]
    target: Target,
}

impl TokenCommand {
    pub(super) async fn run(self) -> super::Result {
        let (description, target) = self.split()?;
        let Answer { access_token } = target.post(MINT_PATH, Some(&description)).await?;
        super::print(&access_token)
    }

    /// Reads the files, and separates the description of the token from the tenant's address.
    fn split(self) -> Result<(TokenDescription, Target), LocalError> {
        let key = self.dpop_key.map(|file| CLIENT_KEY.read_or_create(&file)).transpose()?;
        let certificate = self.certificate.map(|file| read_certificate(&file)).transpose()?;
        let description = TokenDescription {
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
            jkt: key.map(|key| key.thumbprint()),
            certificate: certificate.map(|der| STANDARD.encode(der)),
            claims: self.claim.into_iter().collect(),
        };
        Ok((description, self.target))
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
}
