//! A tenant in the process.
use crate::{Events, Settings};
use auth0_core::Auth0;
use auth0_local::{Client, LocalError, LocalTenant, User};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

const CLIENT_ID: &str = "web";

/// The commands, with `{issuer}` for the tenant.
const COMMANDS: [(&str, &str); 11] = [
    ("a token of Ann", "ANN={token}'{\"subject\":\"auth0|ann\"}')"),
    ("a token of Bob", "BOB={token}'{\"subject\":\"auth0|bob\"}')"),
    ("200: with a token", "curl -i http://{address}/api/private -H \"Authorization: Bearer $ANN\""),
    (
        "an event a second, until Ann's token ends",
        "curl -sN http://{address}/api/stream -H \"Authorization: Bearer $ANN\" & sleep 3",
    ),
    (
        "logs Ann out: the tenant sends a logout token to this server, and the stream ends",
        "curl {issuer}__local/logout -d '{\"user\":\"auth0|ann\"}'",
    ),
    (
        "401 token_revoked: Ann has logged out",
        "curl -i http://{address}/api/private -H \"Authorization: Bearer $ANN\"",
    ),
    ("200: Bob has not", "curl -i http://{address}/api/private -H \"Authorization: Bearer $BOB\""),
    (
        "an event a second, until Bob's token ends",
        "curl -sN http://{address}/api/stream -H \"Authorization: Bearer $BOB\" & sleep 3",
    ),
    (
        "blocks Bob: this server reads the event of the tenant, and the stream ends",
        "curl {issuer}__local/block -d '{\"user\":\"auth0|bob\"}'",
    ),
    (
        "401 token_revoked, a moment later: Bob is blocked",
        "curl -i http://{address}/api/private -H \"Authorization: Bearer $BOB\"",
    ),
    ("401: without a token", "curl -i http://{address}/api/private"),
];

/// Starts a tenant with Ann and Bob, which sends its logout tokens to this server, and prints the commands. It runs as
/// long as the runtime.
pub(crate) async fn start(server: SocketAddr) -> Result<Settings, LocalError> {
    let url = format!("http://{}/backchannel-logout", reached_at(server));
    let tenant = LocalTenant::builder()
        .user(User::new("auth0|ann"))
        .user(User::new("auth0|bob"))
        .client(Client::confidential(CLIENT_ID, "secret").backchannel_logout_url(url))
        .start()
        .await?;
    let commands =
        COMMANDS.map(|(comment, command)| (comment, command.replace("{issuer}", tenant.issuer())));
    let commands = commands.each_ref().map(|(comment, command)| (*comment, command.as_str()));
    tenant.print_commands(server, &commands);
    let management = tenant.management_audience();
    let settings = Settings {
        verifier: Auth0::builder().issuer(tenant.issuer()).audience(tenant.audience()),
        client_id: Some(CLIENT_ID),
        redis_url: None,
        events: Some(Events {
            url: format!("{management}events"),
            token: tenant
                .token()
                .machine("events")
                .audience(&management)
                .scope("read:events")
                .mint(),
        }),
        http_hosts: Vec::new(),
    };
    tenant.detach();
    Ok(settings)
}

/// Returns the address at which this machine reaches a server that listens on `address`.
fn reached_at(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
