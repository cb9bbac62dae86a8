//! What a client cannot be.
use super::{AppType, Client, GRANT_TYPES, is_endpoint_url, is_redirect_url};
use crate::{directory::ClientGrant, error::LocalError};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::collections::HashSet;

impl Client {
    pub(crate) fn check(&self) -> Result<(), LocalError> {
        let id = &self.id;
        if id.is_empty() || self.secret.as_ref().is_some_and(String::is_empty) {
            return Err(LocalError::new(format!(
                "the client {id:?} has an empty id or secret. Write both, or leave out the secret of a \
                 public client"
            )));
        }
        let mut urls = self.callbacks.iter().chain(&self.allowed_logout_urls);
        if let Some(url) = urls.find(|url| !is_redirect_url(url)) {
            return Err(LocalError::new(format!(
                "the client {id} cannot redirect to {url:?}. Write an absolute URL without a fragment, for \
                 example http://localhost:3000/auth/callback"
            )));
        }
        if let Some(url) = self.backchannel_logout_urls.iter().find(|url| !is_endpoint_url(url)) {
            return Err(LocalError::new(format!(
                "the client {id} cannot receive logout tokens at {url:?}. Write an absolute URL of http or https \
                 without a fragment, for example http://localhost:3000/auth/backchannel-logout"
            )));
        }
        let mut grants = self.grant_types.iter().flatten();
        if let Some(grant) = grants.find(|grant| !GRANT_TYPES.contains(&grant.as_str())) {
            return Err(LocalError::new(format!(
                "the client {id} cannot have the grant {grant:?}. Write one of {}",
                GRANT_TYPES.join(", ")
            )));
        }
        self.public_keys.iter().try_for_each(|key| key.check(id))?;
        self.check_certificate()?;
        self.check_access()
    }

    fn check_certificate(&self) -> Result<(), LocalError> {
        let Some(thumbprint) = &self.certificate_thumbprint else { return Ok(()) };
        let is_hash = URL_SAFE_NO_PAD.decode(thumbprint).is_ok_and(|hash| hash.len() == 32);
        match is_hash && self.secret.is_none() {
            true => Ok(()),
            false => Err(LocalError::new(format!(
                "the client {} has a certificate_thumbprint that is not a SHA-256 in base64url, or a secret \
                 beside it. Write one of the two",
                self.id
            ))),
        }
    }

    fn check_access(&self) -> Result<(), LocalError> {
        let id = &self.id;
        let mut known = HashSet::new();
        let mut grants = self.client_grants.iter().flatten().map(ClientGrant::audience);
        if let Some(audience) = grants.find(|audience| !known.insert(*audience)) {
            return Err(LocalError::new(format!(
                "the client {id} has two client_grants for {audience:?}. Write one"
            )));
        }
        let is_api = self.app_type == Some(AppType::ResourceServer);
        if is_api != self.resource_server_identifier.is_some() {
            return Err(LocalError::new(format!(
                "the client {id} has only one of app_type resource_server and resource_server_identifier. Write \
                 both"
            )));
        }
        match self.default_organization.as_ref().is_some_and(|id| !id.starts_with("org_")) {
            true => Err(LocalError::new(format!(
                "the client {id} has a default_organization that does not begin with org_. Write it as org_acme"
            ))),
            false => Ok(()),
        }
    }
}
