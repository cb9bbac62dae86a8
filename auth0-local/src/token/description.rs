//! The token that `POST /__local/token` mints.
use super::Organization;
use auth0_testing::{Profile, Tenant, TokenBuilder};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// The default client of a machine's token.
const MACHINE: &str = "local-machine";

/// Ten years. A much longer lifetime would overflow a clock.
const MAX_LIFETIME_SECONDS: u64 = 10 * 365 * 24 * 60 * 60;

/// Describes a token by its differences from a valid token of a user.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TokenDescription {
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
    /// The thumbprint of the key to which the token is bound (RFC 9449 §6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jkt: Option<String>,
    /// The certificate to which the token is bound (RFC 8705 §3.1): base64 of the DER, as in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<String>,
    /// Set last, so that they can make a token invalid on purpose.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) claims: Map<String, Value>,
}

/// The names of [`Profile`] on the command line and in JSON.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProfileName {
    #[default]
    Auth0,
    Rfc9068,
}

impl TokenDescription {
    /// Begins the described token.
    ///
    /// # Errors
    /// The description contradicts itself, or a value is invalid.
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
            token = organization.add_to(token);
        }
        if let Some(subject) = &self.subject {
            token = token.subject(subject);
        }
        token = match (self.expired, self.expires_in) {
            (true, Some(_)) => {
                return Err(
                    "`expired` and `expires_in` contradict each other. Leave one out".into()
                );
            }
            (true, None) => token.expired(),
            (false, Some(seconds)) if seconds > MAX_LIFETIME_SECONDS => {
                return Err(format!(
                    "a lifetime of {seconds} s is too long. Write {MAX_LIFETIME_SECONDS} or less"
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

    /// Returns the `token_type` that Auth0 reports for such a token. Certificate-bound tokens have
    /// the type `DPoP`, too.
    pub(crate) const fn token_type(&self) -> &'static str {
        if self.jkt.is_some() || self.certificate.is_some() { "DPoP" } else { "Bearer" }
    }
}
