//! The fault of each endpoint, and its forms as text and JSON.
use super::{Fault, FaultKind};
use crate::{endpoint::Endpoint, error::LocalError};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// The current fault of each endpoint. An endpoint that is not in it has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Faults(BTreeMap<Endpoint, Fault>);

impl Faults {
    pub(crate) fn fault(&self, endpoint: Endpoint) -> Fault {
        self.0.get(&endpoint).copied().unwrap_or_default()
    }

    /// Returns the fault of one request, and counts it.
    pub(crate) fn meet(&mut self, endpoint: Endpoint, chance: f64) -> Option<FaultKind> {
        let mut fault = self.fault(endpoint);
        let kind = fault.meet(chance);
        self.set(endpoint, fault);
        kind
    }

    pub(crate) fn set(&mut self, endpoint: Endpoint, fault: Fault) {
        if fault == Fault::none() {
            self.0.remove(&endpoint);
        } else {
            self.0.insert(endpoint, fault);
        }
    }

    /// Returns the faults to show: always those of the documents, and those of other endpoints if they
    /// have one.
    fn shown(&self) -> impl Iterator<Item = (Endpoint, Fault)> {
        let is_shown =
            |endpoint: &Endpoint| endpoint.is_document() || self.0.contains_key(endpoint);
        Endpoint::ALL.into_iter().filter(is_shown).map(|endpoint| (endpoint, self.fault(endpoint)))
    }
}

/// Writes `metadata=none jwks=500`, which `auth0-local fault` accepts.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (endpoint, fault)) in self.shown().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{}={fault}", endpoint.name())?;
        }
        Ok(())
    }
}

/// The JSON of requests to `/__local/faults` and of their responses. An endpoint that is left out
/// keeps its fault.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FaultChanges {
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorize: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    userinfo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoke: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    register: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passwordless: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    par: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backchannel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<String>,
}

impl FaultChanges {
    /// Applies all changes or, if one cannot be parsed, none.
    pub(crate) fn apply_to(&self, faults: &mut Faults) -> Result<(), LocalError> {
        let mut changed = faults.clone();
        for (text, endpoint) in [
            (&self.metadata, Endpoint::Metadata),
            (&self.jwks, Endpoint::KeySet),
            (&self.authorize, Endpoint::Authorize),
            (&self.token, Endpoint::Token),
            (&self.userinfo, Endpoint::UserInfo),
            (&self.revoke, Endpoint::Revoke),
            (&self.logout, Endpoint::Logout),
            (&self.register, Endpoint::Register),
            (&self.mfa, Endpoint::Mfa),
            (&self.passwordless, Endpoint::Passwordless),
            (&self.par, Endpoint::PushedRequest),
            (&self.backchannel, Endpoint::Backchannel),
            (&self.device, Endpoint::Device),
            (&self.events, Endpoint::Events),
        ] {
            if let Some(text) = text {
                changed.set(endpoint, text.parse()?);
            }
        }
        *faults = changed;
        Ok(())
    }

    /// Returns the faults after these changes to a tenant without faults.
    #[cfg(feature = "cli")]
    pub(crate) fn faults(&self) -> Result<Faults, LocalError> {
        let mut faults = Faults::default();
        self.apply_to(&mut faults)?;
        Ok(faults)
    }

    pub(crate) fn set(&mut self, endpoint: Endpoint, fault: Fault) {
        let member = match endpoint {
            Endpoint::Metadata => &mut self.metadata,
            Endpoint::KeySet => &mut self.jwks,
            Endpoint::Authorize => &mut self.authorize,
            Endpoint::Token => &mut self.token,
            Endpoint::UserInfo => &mut self.userinfo,
            Endpoint::Revoke => &mut self.revoke,
            Endpoint::Logout => &mut self.logout,
            Endpoint::Register => &mut self.register,
            Endpoint::Mfa => &mut self.mfa,
            Endpoint::Events => &mut self.events,
            Endpoint::Passwordless => &mut self.passwordless,
            Endpoint::PushedRequest => &mut self.par,
            Endpoint::Backchannel => &mut self.backchannel,
            Endpoint::Device => &mut self.device,
        };
        *member = Some(fault.to_string());
    }
}

impl From<Faults> for FaultChanges {
    fn from(faults: Faults) -> Self {
        let mut changes = Self::default();
        for (endpoint, fault) in faults.shown() {
            changes.set(endpoint, fault);
        }
        changes
    }
}

/// Parses an argument such as `jwks=500`.
#[cfg(feature = "cli")]
pub(crate) fn assignment(text: &str) -> Result<(Endpoint, Fault), LocalError> {
    let (name, fault) = text.split_once('=').unwrap_or_default();
    let endpoint = Endpoint::named(name).ok_or_else(|| {
        LocalError::new(
            "it names no endpoint. Write jwks=FAULT or metadata=FAULT, for example jwks=500; the others are \
             authorize, token, userinfo, revoke, logout, register, device, backchannel, par, passwordless and mfa",
        )
    })?;
    Ok((endpoint, fault.parse()?))
}
