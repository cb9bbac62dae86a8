//! The configuration of a local tenant.
use super::LocalTenant;
use crate::{
    directory::{Api, Client, Directory, Quota, TokenExchangeProfile, User},
    error::LocalError,
    file::TENANT_KEY,
    mfa_answer::MfaAnswer,
    mtls_edge::MtlsEdge,
    proofs::{NonceUse, Proofs},
    running::{RunningTenant, Settings},
    server,
};
use auth0_core::{Algorithm, Audience, dpop::DpopNonces};
use auth0_testing::{SigningKey, Tenant};
use std::{
    collections::{BTreeMap, HashSet},
    future, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task,
};
use url::{Host, Url};

/// The default identifier of a local tenant's API.
pub const DEFAULT_AUDIENCE: &str = "https://api.local.test";

/// The limit of connections to the Events API that Auth0 has for its self-service plans.
const EVENT_CONNECTIONS: usize = 4;

/// The default interval of heartbeats.
const EVENT_HEARTBEAT: Duration = Duration::from_secs(15);

/// Configures a local tenant: begins with [`LocalTenant::builder`], ends with
/// [`start`](Self::start).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct Builder {
    host: IpAddr,
    port: u16,
    issuer: Option<String>,
    audience: String,
    keys: Option<PathBuf>,
    nonces: NonceUse,
    pub(super) settings: Settings,
    users: Vec<User>,
    pub(super) clients: Vec<Client>,
    apis: Vec<Api>,
    exchange_profiles: Vec<TokenExchangeProfile>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            issuer: None,
            audience: DEFAULT_AUDIENCE.into(),
            keys: None,
            nonces: NonceUse::PublicClients,
            settings: Settings {
                open_clients: false,
                dynamic_registration: false,
                interactive: false,
                rotates_refresh_tokens: true,
                reuse_interval: Duration::ZERO,
                resource_for_machines: false,
                mtls: None,
                organization_quotas: BTreeMap::new(),
                event_connections: EVENT_CONNECTIONS,
                event_heartbeat: EVENT_HEARTBEAT,
                approves_at_once: false,
                mfa_answer: MfaAnswer::Requirements,
            },
            users: Vec::new(),
            clients: Vec::new(),
            apis: Vec::new(),
            exchange_profiles: Vec::new(),
        }
    }

    /// Sets the address that the tenant listens on. The default is 127.0.0.1. With 0.0.0.0, every
    /// machine that reaches the port can get any token: use it in a container, where only the other
    /// containers and this machine reach the port.
    pub fn host(mut self, host: IpAddr) -> Self {
        self.host = host;
        self
    }

    /// Sets the issuer, if the tenant is reached under another name than loopback: the name of a
    /// container, as in `http://auth0:4400/`. The tenant then also responds to requests for this
    /// host. A service that trusts it needs the host in `AUTH0_ALLOW_HTTP_HOSTS`
    /// ([`allow_http_hosts`](auth0_core::Builder::allow_http_hosts)).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets the port. The default, 0, selects a free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the identifier of the API that tokens are for by default. Unset, it is
    /// [`DEFAULT_AUDIENCE`].
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    /// Sets the file of the signing key, so that tokens stay valid after a restart. It contains an
    /// RSA key in PKCS#8, PEM or DER, unencrypted. A missing file is created with a new key,
    /// readable by the user only (mode 0600). Without a file, every start generates a new key.
    pub fn keys(mut self, file: impl Into<PathBuf>) -> Self {
        self.keys = Some(file.into());
        self
    }

    /// Requires a nonce of this tenant in the DPoP proofs of all clients (RFC 9449 §8), at `/oauth/token` and
    /// `/userinfo`. Unset, public clients need one at `/oauth/token`, as with Auth0.
    pub fn dpop_nonces(mut self, nonces: DpopNonces) -> Self {
        self.nonces = NonceUse::All(nonces);
        self
    }

    /// Requires no nonce in DPoP proofs.
    pub fn without_dpop_nonces(mut self) -> Self {
        self.nonces = NonceUse::None;
        self
    }

    /// Adds a user. The first one logs in, unless a request or a test chooses another. Without any, the
    /// tenant has one user, who is a member of every organization.
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Registers a client.
    pub fn client(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }

    /// Adds an API with settings. From the first one on, the tenant issues tokens for no other API, except
    /// that of [`audience`](Self::audience).
    pub fn api(mut self, api: Api) -> Self {
        self.apis.push(api);
        self
    }

    /// Accepts clients that are not registered as public clients, with any client id, any API, and any
    /// `redirect_uri` over http on loopback. They need PKCE.
    ///
    /// Unset, a client must be registered to log users in.
    pub fn open_clients(mut self) -> Self {
        self.settings.open_clients = true;
        self
    }

    /// Lets clients register themselves at `/oidc/register` (RFC 7591), with redirects to http on loopback and to
    /// the schemes of native applications. Redirects to websites are left out, because `/authorize` answers at
    /// once. Unset, there is no such endpoint.
    pub fn dynamic_registration(mut self) -> Self {
        self.settings.dynamic_registration = true;
        self
    }

    /// Shows a page of the users at `/authorize`. Unset, it answers at once.
    pub fn interactive(mut self) -> Self {
        self.settings.interactive = true;
        self
    }

    /// Sets how long a refresh token can be used after it was replaced: Auth0's *Rotation Overlap Period*. The
    /// default is zero. A later use revokes all tokens of the login. Within it, each use begins a branch, and the
    /// tokens of all branches can be used.
    pub fn refresh_token_reuse_interval(mut self, interval: Duration) -> Self {
        self.settings.reuse_interval = interval;
        self
    }

    /// Does not replace a refresh token when it is used.
    pub fn without_refresh_token_rotation(mut self) -> Self {
        self.settings.rotates_refresh_tokens = false;
        self
    }

    /// Reads `resource` in the grant `client_credentials`, too. Unset, it is ignored there, as Auth0 does.
    pub fn resource_for_machines(mut self) -> Self {
        self.settings.resource_for_machines = true;
        self
    }

    /// Limits the tokens of `client_credentials` that machines get for an organization (`org_…`). Responses have the
    /// header `Auth0-Organization-Quota-Limit`.
    pub fn organization_quota(mut self, id: impl Into<String>, quota: Quota) -> Self {
        self.settings.organization_quotas.insert(id.into(), quota);
        self
    }

    /// Adds a profile of custom token exchange.
    pub fn token_exchange_profile(mut self, profile: TokenExchangeProfile) -> Self {
        self.exchange_profiles.push(profile);
        self
    }

    /// Accepts clients with certificates (mTLS) behind an edge, which ends their TLS connections: as with Auth0's
    /// self-managed certificates, it sends the headers `client-certificate` (URL-encoded PEM),
    /// `client-certificate-ca-verified` (`SUCCESS` or `FAILED`) and `cname-api-key`. The metadata names its endpoints
    /// below `alias` in `mtls_endpoint_aliases`.
    pub fn mtls(mut self, alias: impl Into<String>, api_key: impl Into<String>) -> Self {
        self.settings.mtls = Some(MtlsEdge::new(alias, api_key));
        self
    }

    /// Starts the tenant. It accepts requests when this returns.
    ///
    /// # Errors
    /// The address cannot be listened on or the port is in use, the issuer is not one of a local
    /// tenant, the audience is empty, the file contains no key or cannot be created, the nonces
    /// are misconfigured, a user, client or API has an invalid value, or two have the same id.
    pub async fn start(self) -> Result<LocalTenant, LocalError> {
        let Self { host, port, issuer, audience, keys, nonces, settings, .. } = self;
        let audience: Audience = audience.parse()?;
        settings.mtls.as_ref().map_or(Ok(()), MtlsEdge::check)?;
        let mut directory = directory(audience.as_str(), self.users, self.clients, self.apis)?;
        let types = self.exchange_profiles.iter().map(TokenExchangeProfile::subject_token_type);
        check_unique("token exchange profiles", "subject_token_type", types)?;
        let mut profiles = self.exchange_profiles.into_iter();
        profiles.try_for_each(|profile| directory.add_exchange_profile(profile))?;
        let unbound = |error| cannot_bind(host, port, &error);
        let listener = TcpListener::bind((host, port)).await.map_err(unbound)?;
        let address = listener.local_addr().map_err(unbound)?;
        let issuer = match issuer {
            Some(issuer) => issuer,
            None => format!("http://{}/", reached_at(address)?),
        };
        // Generating an RSA key takes long enough to delay other tasks.
        let key = task::spawn_blocking(move || match keys {
            Some(file) => TENANT_KEY.read_or_create(&file),
            None => Ok(SigningKey::generate(Algorithm::RS256)?),
        })
        .await
        .map_err(|_| LocalError::new("the runtime shut down while the tenant was starting"))??;
        let tenant = if is_on_loopback(&issuer) {
            Tenant::on_loopback(&issuer, audience.as_str(), key)?
        } else {
            Tenant::over_http(&issuer, audience.as_str(), key)?
        };
        let proofs = Proofs::new(nonces, tenant.clock())?;
        let (detach, handle) = oneshot::channel::<()>();
        let (stop, running) = watch::channel(());
        let until_dropped = async {
            let _stop = stop; // dropped at the end, which closes the channel
            if handle.await.is_ok() {
                future::pending::<()>().await;
            }
        };
        let running = RunningTenant::new(tenant, proofs, settings, directory, running)?;
        let answering = axum::serve(server::Listener(listener), server::service(running.clone()))
            .with_graceful_shutdown(until_dropped);
        task::spawn(async { answering.await });
        Ok(LocalTenant::new(running, address, detach))
    }
}

fn directory(
    audience: &str,
    users: Vec<User>,
    clients: Vec<Client>,
    apis: Vec<Api>,
) -> Result<Directory, LocalError> {
    check_unique("users", "user_id", users.iter().map(User::subject))?;
    check_unique("clients", "client_id", clients.iter().map(Client::id))?;
    check_unique("APIs", "identifier", apis.iter().map(Api::identifier))?;
    let mut directory = Directory::default();
    users.into_iter().try_for_each(|user| directory.add_user(user))?;
    clients.into_iter().try_for_each(|client| directory.add_client(client))?;
    if !apis.is_empty() {
        // As an API of a tenant without APIs, unless it is one of them.
        directory.add_api(Api::new(audience).allow_offline_access())?;
    }
    apis.into_iter().try_for_each(|api| directory.add_api(api))?;
    Ok(directory)
}

/// Refuses two of a kind with the same name, because the second would replace the first.
fn check_unique<'a>(
    kind: &str,
    name: &str,
    values: impl Iterator<Item = &'a str>,
) -> Result<(), LocalError> {
    let mut known = HashSet::new();
    for value in values {
        if !known.insert(value) {
            return Err(LocalError::new(format!(
                "two {kind} have the {name} {value:?}. Remove one, or give it another {name}"
            )));
        }
    }
    Ok(())
}

/// Returns the loopback address at which this machine, or this container, reaches the tenant.
fn reached_at(address: SocketAddr) -> Result<SocketAddr, LocalError> {
    match address.ip() {
        ip if ip.is_loopback() => Ok(address),
        ip if ip.is_unspecified() => Ok((Ipv4Addr::LOCALHOST, address.port()).into()),
        ip => Err(LocalError::new(format!(
            "a tenant that listens on {ip} needs an issuer with the name under which it is reached. Set \
             one, for example --issuer http://auth0:4400/, or listen on 127.0.0.1"
        ))),
    }
}

fn is_on_loopback(issuer: &str) -> bool {
    match Url::parse(issuer).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn cannot_bind(host: IpAddr, port: u16, error: &io::Error) -> LocalError {
    LocalError::new(match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} of {host} is in use. Stop the program that uses it, or choose another \
             port; 0 selects a free one"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "port {port} of {host} needs privileges. Choose one above 1023; 0 selects a free \
             one"
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "{host} is not an address of this machine. Listen on 127.0.0.1, or on 0.0.0.0 for all networks"
        ),
        _ => format!("port {port} of {host} cannot be used: {error}. Choose another port"),
    })
}
