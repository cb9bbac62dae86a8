use super::{certificate, client::Target, member::member};
use crate::{
    description::{Description, ProfileName},
    error::LocalError,
    key_file,
    organization::Organization,
    server::MINT_PATH,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use std::path::PathBuf;

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
    /// Bind it to this key of the client (DPoP): P-256 (or P-384, Ed25519, RSA) in PKCS#8, PEM or DER.
    /// A P-256 key is made if the file is not there
    #[arg(long, value_name = "FILE")]
    dpop_key: Option<PathBuf>,
    /// Bind it to this certificate of the client (mTLS), PEM or DER
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// A claim, whatever its type: --claim 'plan="pro"'; can be repeated
    #[arg(long, value_name = "NAME=JSON", value_parser = member)]
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
        let (description, target) = self.split()?;
        let Answer { access_token } = target.post(MINT_PATH, Some(&description)).await?;
        super::print(&access_token)
    }

    fn split(self) -> Result<(Description, Target), LocalError> {
        let key =
            self.dpop_key.map(|file| key_file::OF_CLIENT.read_or_create(&file)).transpose()?;
        let certificate = self.certificate.map(|file| certificate::read(&file)).transpose()?;
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
