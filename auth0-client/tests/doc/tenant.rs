// The tenant of the examples in the documentation, which include this file.
use auth0_client::{Client, ClientBuilder, Error};
use auth0_core::ConfigError;
use auth0_local::{
    Api, Client as Application, ConnectedAccount, Factor, LocalTenant, TokenExchangeProfile, User,
};
use std::sync::OnceLock;

const BILLING: &str = "https://billing.acme.com";
const ORDERS: &str = "https://orders.acme.com";
const API: &str = "https://api.acme.com";
const CALLBACK: &str = "https://app.acme.com/callback";

/// The secret of a one-time password app, in Base32.
const OTP_SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

static TENANT: OnceLock<LocalTenant> = OnceLock::new();

pub fn tenant() -> &'static LocalTenant {
    TENANT.get().unwrap()
}

/// Any error of an example.
pub type Failure = Box<dyn std::error::Error>;

/// Runs an example with a tenant.
pub fn run(example: impl Future<Output = Result<(), Failure>>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ann = User::new("auth0|ann")
            .email("ann@acme.com")
            .password("a password")
            .account(ConnectedAccount::new("google-oauth2", "work@acme.com"))
            .account(ConnectedAccount::new("google-oauth2", "home@acme.com"));
        let eve = User::new("auth0|eve")
            .email("eve@acme.com")
            .factor(Factor::otp(OTP_SECRET))
            .require_mfa();
        let all = [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "http://auth0.com/oauth/grant-type/passwordless/otp",
            "http://auth0.com/oauth/grant-type/mfa-otp",
        ];
        let device = ["urn:ietf:params:oauth:grant-type:device_code"];
        let builder = LocalTenant::builder()
            .audience(API)
            .api(Api::new(API))
            .api(Api::new(BILLING).scopes(["read:invoices"]))
            .api(Api::new(ORDERS).scopes(["read:orders"]))
            .user(ann)
            .user(User::new("auth0|bob"))
            .user(eve)
            .client(
                Application::confidential("api", "secret").resource_server(API).grant_types([
                    "client_credentials",
                    "urn:ietf:params:oauth:grant-type:token-exchange",
                    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
                    "urn:openid:params:grant-type:ciba",
                ]),
            )
            .client(Application::confidential("web", "secret").callback(CALLBACK).grant_types(all))
            .client(Application::public("tv").grant_types(device))
            .token_exchange_profile(
                TokenExchangeProfile::new("urn:acme:legacy")
                    .subject_token("a token of the legacy system", "auth0|ann"),
            );
        let tenant = builder.start().await.unwrap();
        assert!(TENANT.set(tenant).is_ok());
        example.await.unwrap();
    });
}

fn builder(id: &str) -> ClientBuilder {
    Client::builder().issuer(tenant().issuer()).client_id(id)
}

/// A service.
pub fn service() -> Client {
    builder("reporting").client_secret("any").build().unwrap()
}

/// An API that calls others.
pub fn api() -> Client {
    builder("api").client_secret("secret").build().unwrap()
}

/// A web application.
pub fn web() -> Client {
    builder("web").client_secret("secret").build().unwrap()
}

/// A device without a browser.
pub fn device() -> Client {
    builder("tv").public().build().unwrap()
}

/// A token of a user for the API.
pub fn token_of(user: &str) -> String {
    tenant().token().audience(API).subject(user).mint()
}

/// Approves the request of a device with this code.
pub fn approve_device(user_code: &str) {
    tenant().approve_as(user_code, "auth0|ann").unwrap();
}

/// Approves the backchannel request that waits for a user.
pub fn approve_backchannel(user: &str) {
    let pending = tenant().pending_requests();
    let request = pending.iter().find(|request| request.user.as_deref() == Some(user)).unwrap();
    tenant().approve(&request.id).unwrap();
}

/// The code that was sent to an address.
pub fn passwordless_code(address: &str) -> String {
    tenant().last_message_to(address).unwrap().code
}

/// The error of a login that needs another factor.
pub async fn mfa_of_eve(client: &Client) -> Error {
    let eve = client.passwordless("eve@acme.com");
    eve.send_code().send().await.unwrap();
    eve.log_in(passwordless_code("eve@acme.com")).send().await.unwrap_err()
}

pub fn one_time_password() -> String {
    tenant().otp("auth0|eve").unwrap()
}

/// Logs Ann in, and returns the code.
pub async fn code() -> String {
    let url = format!(
        "{}authorize?response_type=code&client_id=web&redirect_uri={CALLBACK}&scope=openid%20offline_access",
        tenant().issuer()
    );
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = http.get(url).send().await.unwrap();
    let location = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    location.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
}

/// The refresh token of a session.
pub async fn refresh_token() -> String {
    let request = web().grant("authorization_code").parameter("code", code().await);
    let tokens = request.parameter("redirect_uri", CALLBACK).send().await.unwrap();
    tokens.refresh_token().unwrap().to_owned()
}

/// The URL of another API.
pub async fn downstream() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/orders", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(|| async { "orders" });
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}
