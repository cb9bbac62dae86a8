//! The commands that turn a running tenant.
use super::client::Target;
use crate::{
    fault::Fault,
    faults::{Changes, assignment},
    server::{FAULTS_PATH, REVOKE_PATH, ROTATE_PATH, STATS_PATH},
};
use auth0_core::testing::Document;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

/// Let a new key sign, keep the old ones published, and print the id of the new one
#[derive(Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    target: Target,
}

impl Rotate {
    pub(super) async fn run(self) -> super::Result {
        #[derive(Deserialize)]
        struct Answer {
            kid: String,
        }
        let Answer { kid } = self.target.post(ROTATE_PATH, None::<&Value>).await?;
        super::print(&kid)
    }
}

/// Withdraw a key, or all but the one that signs, and print the ids of those that stay
#[derive(Args)]
pub(super) struct Revoke {
    /// The id of the key; all but the one that signs unless given
    kid: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl Revoke {
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

/// Let documents go wrong, and print what goes wrong now
#[derive(Args)]
pub(super) struct SetFaults {
    /// What goes wrong with a document from now on: jwks=500, metadata=slow. The documents are jwks
    /// and metadata. The faults are a status from 400 to 599, 429:SECONDS with Retry-After, slow,
    /// slow:SECONDS, hang, reset, garbage, html, huge, redirect, empty and none; behind one, @0.5
    /// lets it happen half of the time
    #[arg(value_name = "DOCUMENT=FAULT", value_parser = assignment, required_unless_present = "clear")]
    faults: Vec<(Document, Fault)>,
    /// Let nothing go wrong any more
    #[arg(long, conflicts_with = "faults")]
    clear: bool,
    #[command(flatten)]
    target: Target,
}

impl SetFaults {
    pub(super) async fn run(self) -> super::Result {
        let current: Changes = if self.clear {
            self.target.delete(FAULTS_PATH).await?
        } else {
            let mut changes = Changes::default();
            for (document, fault) in self.faults {
                changes.set(document, fault);
            }
            self.target.post(FAULTS_PATH, Some(&changes)).await?
        };
        super::print(&current.faults()?.to_string())
    }
}

/// Print how often the tenant was asked for what, as JSON
#[derive(Args)]
pub(super) struct Stats {
    #[command(flatten)]
    target: Target,
}

impl Stats {
    pub(super) async fn run(self) -> super::Result {
        let stats: Value = self.target.get(STATS_PATH).await?;
        super::print(&stats.to_string())
    }
}
