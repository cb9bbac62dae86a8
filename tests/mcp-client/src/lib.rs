//! Drives an MCP server as a client does that knows only its URL, with the official client for Rust: from the first
//! `401` to a tool that needs more scopes.
use rmcp::{
    ClientLifecycleMode, ClientServiceExt, RoleClient, ServiceError,
    model::{CallToolRequestParams, ProtocolVersion},
    service::RunningService,
    transport::{
        StreamableHttpClientTransport,
        auth::{AuthClient, AuthorizationCallback, AuthorizationRequest, OAuthState},
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// No server listens there: the browser's part ends with the redirect.
const REDIRECT: &str = "http://127.0.0.1:1/callback";

/// A server that was started as a program, until it is dropped.
#[derive(Debug)]
pub struct Server {
    _child: Child,
    /// The URL of the MCP endpoint that it has printed.
    pub url: String,
}

impl Server {
    /// Starts an example on a free port, with a tenant of its own.
    pub async fn start(program: &str) -> Self {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AUTH0_")) {
            command.env_remove(name);
        }
        let command = command.env("PORT", "0").env("HOST", "127.0.0.1").env("RUST_LOG", "warn");
        let mut child =
            command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("it prints its URL");
            let found = line.split_whitespace().find(|word| word.ends_with("/mcp"));
            if let Some(url) = found.filter(|url| url.starts_with("http://")) {
                break url.to_owned();
            }
        };
        // It must be able to print more.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { _child: child, url }
    }
}

/// The ways to begin: with the protocol that most clients speak, and with the newest one.
pub fn lifecycles() -> [ClientLifecycleMode; 2] {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    [ClientLifecycleMode::Initialize, ClientLifecycleMode::Discover { preferred_versions }]
}

/// Goes from the `401` to the tool `whoami`, is refused by `purge`, asks for more scopes, and calls it.
pub async fn circle(url: &str, lifecycle: ClientLifecycleMode) {
    let transport = StreamableHttpClientTransport::from_uri(url);
    let refused = ().serve_with_lifecycle(transport, lifecycle.clone()).await;
    let Err(refused) = refused else { panic!("a token is needed") };
    let challenge = refused.auth_challenge().expect("a challenge").to_owned();
    assert!(challenge.contains("scope=\"mcp:read\""), "{challenge}");
    assert!(challenge.contains("/.well-known/oauth-protected-resource/mcp\""), "{challenge}");

    let mut login = OAuthState::new(url, None).await.unwrap();
    let request = AuthorizationRequest::new(REDIRECT).with_challenge(challenge);
    let request = request.with_preregistered_client("an-mcp-client").with_initial_scope_selection();
    login.start_authorization(request).await.unwrap();
    let authorize = login.get_authorization_url().await.unwrap();
    // The client itself adds the scope for a refresh token.
    let scope = parameter(&authorize, "scope");
    assert_eq!(scope.as_deref(), Some("mcp:read offline_access"), "{authorize}");
    assert_eq!(parameter(&authorize, "resource").as_deref(), Some(url), "{authorize}");
    login.handle_callback_url(&redirect(&authorize).await).await.unwrap();
    let manager = login.into_authorization_manager().unwrap();

    let client = AuthClient::new(reqwest::Client::new(), manager);
    let manager = client.auth_manager.clone();
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let transport = StreamableHttpClientTransport::with_client(client, config);
    let session = ().serve_with_lifecycle(transport, lifecycle).await.unwrap();
    let tools = session.list_tools(None).await.unwrap().tools;
    let mut names: Vec<&str> = tools.iter().map(|tool| &*tool.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["purge", "whoami"]);
    let subject = call(&session, "whoami").await.unwrap();
    assert!(subject.starts_with("auth0|"), "{subject}");

    let refused = call(&session, "purge").await.unwrap_err();
    let challenge = refused.auth_challenge().expect("a challenge");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"mcp:read mcp:purge\""), "{challenge}");
    let manager = manager.lock().await;
    let authorize = manager.request_scope_upgrade("mcp:read mcp:purge").await.unwrap();
    let back = AuthorizationCallback::from_redirect_url(&redirect(&authorize).await).unwrap();
    let issuer = back.issuer.as_deref();
    manager
        .exchange_code_for_token_with_issuer(&back.code, &back.csrf_token, issuer)
        .await
        .unwrap();
    drop(manager);
    assert_eq!(call(&session, "purge").await.unwrap(), "purged");
    assert_eq!(call(&session, "whoami").await.unwrap(), subject);
    session.cancel().await.unwrap();
}

async fn call(
    session: &RunningService<RoleClient, ()>,
    tool: &str,
) -> Result<String, ServiceError> {
    let result = session.call_tool(CallToolRequestParams::new(tool.to_owned())).await?;
    Ok(result.content.first().unwrap().as_text().unwrap().text.clone())
}

/// Does what a browser does, up to the redirect to the client.
async fn redirect(authorize: &str) -> String {
    let browser = reqwest::Client::builder();
    let browser = browser.redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = browser.get(authorize).send().await.unwrap();
    assert_eq!(answer.status(), 302, "{answer:?}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
