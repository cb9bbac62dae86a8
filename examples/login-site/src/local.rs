//! A tenant in the process, for an example that runs before there is an Auth0 account.
use crate::{
    Site,
    environment::{own_url, variable, with_store},
};
use auth0_local::{Api, Client, LocalTenant, User};
use auth0_login::Login;
use std::{error::Error, net::SocketAddr};

const AUDIENCE: &str = "https://billing.local.test";
const CLIENT_ID: &str = "web";
const CLIENT_SECRET: &str = "the secret of a tenant that this process has started";
/// It protects nothing: this process issues tokens to any program on the machine.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub(crate) async fn site(server: SocketAddr) -> Result<Site, Box<dyn Error + Send + Sync>> {
    let url = variable("APP_BASE_URL").unwrap_or_else(|| own_url(server));
    let url = url.trim_end_matches('/');
    let client = Client::confidential(CLIENT_ID, CLIENT_SECRET)
        .callback(format!("{url}/auth/callback"))
        .logout_url(format!("{url}/"))
        .backchannel_logout_url(format!(
            "http://127.0.0.1:{}/auth/backchannel-logout",
            server.port()
        ));
    let roles = "https://acme.com/roles";
    let tenant = LocalTenant::builder()
        .client(client)
        .api(Api::new(AUDIENCE).scopes(["read:invoices"]).allow_offline_access())
        .user(User::new("auth0|ann").name("Ann").email("ann@acme.com").claim(roles, ["admin"]))
        .user(User::new("auth0|bob").name("Bob").email("bob@acme.com"))
        .interactive()
        .start()
        .await?;
    let mut login = Login::builder()
        .issuer(tenant.issuer())
        .client_id(CLIENT_ID)
        .client_secret(CLIENT_SECRET)
        .base_url(url)
        .audience(AUDIENCE);
    let secrets = variable("AUTH0_SECRET").unwrap_or_else(|| SECRET.to_owned());
    for secret in secrets.split(',') {
        login = login.secret(secret.trim());
    }
    let login = with_store(login)?.build()?;
    println!(
        "# None of AUTH0_DOMAIN, AUTH0_ISSUER and AUTH0_CLIENT_ID is set, so a tenant for development runs in this process: \
         {issuer}\n# Open this page in a browser, and log in as Ann (an admin) or Bob.\n{url}/\n\n\
         # Log Ann out everywhere, as Auth0 does when she logs out elsewhere: her session here ends.\n\
         curl -s {issuer}__local/logout -H content-type:application/json -d '{{\"user\":\"auth0|ann\"}}'\n",
        issuer = tenant.issuer(),
    );
    tenant.detach();
    Site::new(login, Some(AUDIENCE.to_owned())).await
}
