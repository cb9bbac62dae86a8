//! The commands of drills, which control a running tenant: `rotate`, `revoke`, `fault` and `stats`.
use super::client::Target;
use crate::{
    endpoint::Endpoint,
    fault::{Fault, FaultChanges, assignment},
    server::{FAULTS_PATH, REVOKE_PATH, ROTATE_PATH, STATS_PATH},
};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

/// Sign with a new key, keep the old ones published, and print the id of the new one
#[derive(Args)]
pub(super) struct RotateCommand {
    #[command(flatten)]
    target: Target,
}

impl RotateCommand {
    pub(super) async fn run(self) -> super::Result {
        #[derive(Deserialize)]
        struct Answer {
            kid: String,
        }
        let Answer { kid } = self.target.post(ROTATE_PATH, None::<&Value>).await?;
        super::print(&kid)
    }
}

/// Withdraw a key, or all except the signing key, and print the ids of the remaining keys
#[derive(Args)]
pub(super) struct RevokeCommand {
    /// The id of the key; without it, all keys except the signing key are withdrawn
    // One of 64 ids begins with a hyphen.
    #[arg(allow_hyphen_values = true)]
    kid: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl RevokeCommand {
    pub(super) async fn run(self) -> super::Result {
        #[derive(Deserialize)]
        struct Answer {
            kids: Vec<String>,
        }
        let body = self.kid.map(|kid| json!({ "kid": kid }));
        let Answer { kids } = self.target.post(REVOKE_PATH, body.as_ref()).await?;
        super::print(&kids.join("\n"))
    }
}

/// Set or clear the faults of endpoints, and print the current faults
#[derive(Args)]
pub(super) struct FaultCommand {
    /// The fault of an endpoint from now on: jwks=500, metadata=slow. The endpoints are jwks, metadata,
    /// authorize, token, userinfo, revoke, logout, register, device, backchannel, par, passwordless,
    /// mfa and events. The faults are a status from 400 to 599, 429:SECONDS with Retry-After, throttled:SECONDS,
    /// policy:SECONDS, quota:SECONDS, organization-quota:SECONDS, slow, slow:SECONDS, hang, reset,
    /// lost, garbage, wrong, html, html:STATUS, huge, redirect, empty, empty:STATUS and none; append
    /// @0.5 for a fault of half of the requests, and x3 for one of three requests
    #[arg(value_name = "ENDPOINT=FAULT", value_parser = assignment, required_unless_present = "clear")]
    faults: Vec<(Endpoint, Fault)>,
    /// Clear all faults
    #[arg(long, conflicts_with = "faults")]
    clear: bool,
    #[command(flatten)]
    target: Target,
}

impl FaultCommand {
    pub(super) async fn run(self) -> super::Result {
        let current: FaultChanges = if self.clear {
            self.target.delete(FAULTS_PATH).await?
        } else {
            let mut changes = FaultChanges::default();
            for (endpoint, fault) in self.faults {
                changes.set(endpoint, fault);
            }
            self.target.post(FAULTS_PATH, Some(&changes)).await?
        };
        super::print(&current.faults()?.to_string())
    }
}

/// Print the number of requests to the tenant, as JSON
#[derive(Args)]
pub(super) struct StatsCommand {
    #[command(flatten)]
    target: Target,
}

impl StatsCommand {
    pub(super) async fn run(self) -> super::Result {
        let stats: Value = self.target.get(STATS_PATH).await?;
        super::print(&stats.to_string())
    }
}
