//! The file of `serve --tenant`: users, clients and APIs in JSON.
use crate::{
    directory::{Api, Client, Quota, TokenExchangeProfile, User},
    error::LocalError,
    tenant::Builder,
};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path};

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(super) struct TenantDescription {
    users: Vec<User>,
    clients: Vec<Client>,
    apis: Vec<Api>,
    token_exchange_profiles: Vec<TokenExchangeProfile>,
    organization_quotas: BTreeMap<String, Quota>,
    mtls: Option<Mtls>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mtls {
    alias: String,
    api_key: String,
}

impl TenantDescription {
    /// Reads a file. The error does not quote it, because it may contain secrets.
    pub(super) fn read(file: &Path) -> Result<Self, LocalError> {
        let failed = |why: String| {
            LocalError::new(format!(
                "the file {} cannot be read: {why}. Write an object in JSON with users, clients and apis",
                file.display()
            ))
        };
        let json = fs::read(file).map_err(|error| failed(error.to_string()))?;
        serde_json::from_slice(&json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            failed(format!("line {line}, column {column} is not as expected"))
        })
    }

    pub(super) fn add_to(self, builder: Builder) -> Builder {
        let builder = self.users.into_iter().fold(builder, Builder::user);
        let builder = self.clients.into_iter().fold(builder, Builder::client);
        let builder = self.apis.into_iter().fold(builder, Builder::api);
        let profiles = self.token_exchange_profiles.into_iter();
        let builder = profiles.fold(builder, Builder::token_exchange_profile);
        let quotas = self.organization_quotas.into_iter();
        let builder =
            quotas.fold(builder, |builder, (id, quota)| builder.organization_quota(id, quota));
        match self.mtls {
            Some(Mtls { alias, api_key }) => builder.mtls(alias, api_key),
            None => builder,
        }
    }
}
