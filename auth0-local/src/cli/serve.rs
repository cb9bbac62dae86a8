use crate::{builder::DEFAULT_AUDIENCE, tenant::LocalTenant};
use clap::Args;
use std::{
    future,
    io::{self, Write},
    path::PathBuf,
};

/// Run a tenant on 127.0.0.1 until interrupted
#[derive(Args)]
pub(super) struct Serve {
    /// The port; 0 finds a free one
    #[arg(long, default_value_t = 4400)]
    port: u16,
    /// Keep the signing key in this file (PKCS#8, PEM or DER); it is created if it is not there.
    /// Without it every start has a new key
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The identifier of the API that tokens are for unless told otherwise
    #[arg(long, default_value = DEFAULT_AUDIENCE)]
    audience: String,
}

impl Serve {
    pub(super) async fn run(self) -> super::Result {
        let mut builder = LocalTenant::builder().port(self.port).audience(self.audience);
        if let Some(file) = self.keys {
            builder = builder.keys(file);
        }
        let tenant = builder.start().await?;
        // It serves all the same if nobody reads this.
        let _ = io::stdout().write_all(greeting(&tenant).as_bytes());
        future::pending().await
    }
}

/// Good as a `.env` file.
fn greeting(tenant: &LocalTenant) -> String {
    let (issuer, audience) = (tenant.issuer(), tenant.audience());
    format!(
        "# For development and tests only: this gives a token for anybody to whoever asks on this \
         machine.\n\
         AUTH0_ISSUER={issuer}\n\
         AUTH0_AUDIENCE={audience}\n\
         # A token: auth0-local token --issuer {issuer} --scope read:messages\n"
    )
}
