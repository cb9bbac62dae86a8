//! `auth0-local serve`.
use crate::{
    fault::{Fault, Faults, assignment},
    tenant::{DEFAULT_AUDIENCE, LocalTenant},
};
use auth0_core::dpop::DpopNonces;
use auth0_testing::Document;
use clap::Args;
use std::{
    future,
    io::{self, Write},
    path::PathBuf,
};

/// Run a tenant on 127.0.0.1 until interrupted
#[derive(Args)]
pub(super) struct ServeCommand {
    /// The port; 0 selects a free one
    #[arg(long, default_value_t = 4400)]
    port: u16,
    /// Keep the signing key in this file (PKCS#8, PEM or DER); a missing file is created. Without
    /// it, every start generates a new key
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The identifier of the API that tokens are for by default
    #[arg(long, default_value = DEFAULT_AUDIENCE)]
    audience: String,
    /// Set the fault of a document from the start, as `auth0-local fault` does later: jwks=500; can
    /// be repeated
    #[arg(long, value_name = "DOCUMENT=FAULT", value_parser = assignment)]
    fault: Vec<(Document, Fault)>,
    /// Require a nonce in the DPoP proofs at /oauth/token
    #[arg(long)]
    dpop_nonce: bool,
}

impl ServeCommand {
    pub(super) async fn run(self) -> super::Result {
        let mut builder = LocalTenant::builder().port(self.port).audience(self.audience);
        if let Some(file) = self.keys {
            builder = builder.keys(file);
        }
        if self.dpop_nonce {
            builder = builder.dpop_nonces(DpopNonces::per_process());
        }
        let tenant = builder.start().await?;
        let mut faults = Faults::default();
        for (document, fault) in self.fault {
            tenant.set_fault(document, fault);
            faults.set(document, fault);
        }
        // A closed stdout is no reason to stop.
        let _ = io::stdout().write_all(greeting(&tenant, &faults).as_bytes());
        future::pending().await
    }
}

/// Returns the first lines of the output, which are valid as a `.env` file.
fn greeting(tenant: &LocalTenant, faults: &Faults) -> String {
    let (issuer, audience) = (tenant.issuer(), tenant.audience());
    let drill = if *faults == Faults::default() {
        String::new()
    } else {
        format!("# This is a drill: {faults}\n")
    };
    format!(
        "# For development and tests only: this issues any token to any process on this machine.\n\
         {drill}\
         AUTH0_ISSUER={issuer}\n\
         AUTH0_AUDIENCE={audience}\n\
         # A token: auth0-local token --issuer {issuer} --scope read:messages\n"
    )
}
