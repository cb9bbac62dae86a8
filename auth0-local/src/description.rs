use crate::organization::Organization;
use auth0_core::testing::{Profile, Tenant, TokenBuilder};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// The client of a machine's token that names none.
const MACHINE: &str = "local-machine";

/// Ten years. What is far beyond would overflow a clock.
const MAX_LIFETIME_SECONDS: u64 = 10 * 365 * 24 * 60 * 60;

/// The token that `POST /__local/token` is asked for: what differs from a user's good one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Description {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) permissions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) organization: Option<Organization>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    pub(crate) machine: bool,
    pub(crate) profile: ProfileName,
    pub(crate) expired: bool,
    /// In seconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_in: Option<u64>,
    /// The thumbprint of the key that it is bound to (RFC 9449 §6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jkt: Option<String>,
    /// The certificate that it is bound to (RFC 8705 §3.1): base64 of the DER, as in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<String>,
    /// Set last, so that they can make a token wrong on purpose.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) claims: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProfileName {
    #[default]
    Auth0,
    Rfc9068,
}

impl Description {
    /// # Errors
    /// It contradicts itself; the sentence says how.
    pub(crate) fn token(&self, tenant: &Tenant) -> Result<TokenBuilder, String> {
        let mut token = tenant.token().profile(match self.profile {
            ProfileName::Auth0 => Profile::Auth0,
            ProfileName::Rfc9068 => Profile::Rfc9068,
        });
        token = match (&self.client, self.machine) {
            (Some(client), true) => token.machine(client),
            (None, true) => token.machine(MACHINE),
            (Some(client), false) => token.client(client),
            (None, false) => token,
        };
        if let Some(audience) = &self.audience {
            token = token.audience(audience);
        }
        if let Some(scope) = &self.scope {
            token = token.scope(scope);
        }
        if let Some(permissions) = &self.permissions {
            token = token.permissions(permissions);
        }
        if let Some(organization) = &self.organization {
            token = organization.put_into(token);
        }
        if let Some(subject) = &self.subject {
            token = token.subject(subject);
        }
        token = match (self.expired, self.expires_in) {
            (true, Some(_)) => {
                return Err("a token cannot be expired and expire later. Leave one out".into());
            }
            (true, None) => token.expired(),
            (false, Some(seconds)) if seconds > MAX_LIFETIME_SECONDS => {
                return Err(format!(
                    "a token cannot live for {seconds} s. Write {MAX_LIFETIME_SECONDS} or less"
                ));
            }
            (false, Some(seconds)) => token.expires_in(Duration::from_secs(seconds)),
            (false, None) => token,
        };
        if let Some(thumbprint) = &self.jkt {
            token = token.bound_to_thumbprint(thumbprint);
        }
        if let Some(certificate) = &self.certificate {
            let der = STANDARD.decode(certificate).map_err(|error| {
                format!("the certificate is not base64: {error}. Send the DER in base64")
            })?;
            token = token.bound_to_certificate(&der);
        }
        Ok(self.claims.iter().fold(token, |token, (name, value)| token.claim(name, value)))
    }

    /// What Auth0 says of such a token: bound to a certificate, it is sent under the scheme `DPoP` too.
    pub(crate) const fn token_type(&self) -> &'static str {
        if self.jkt.is_some() || self.certificate.is_some() { "DPoP" } else { "Bearer" }
    }
}
