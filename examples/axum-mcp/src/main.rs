//! Shows an MCP server: every call needs the scope `mcp:read`, and the tool `purge` also `mcp:purge`.
//!
//! ```sh
//! cargo run -p axum-mcp
//! ```
//!
//! It starts with a local tenant of its own, and prints what to paste into an MCP client. For your own tenant, set
//! `AUTH0_DOMAIN` and `AUTH0_RESOURCE`, in the environment or in `.env`. It listens on `HOST` (127.0.0.1) and
//! `PORT` (3001).
use auth0_axum::{
    AccessToken, Auth0, AuthLayer, ConfigError, McpTools, metadata_routes, policy::*,
};
use axum::Router;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{CallToolResult, ContentBlock, ServerCapabilities, ServerConfig},
    service::RequestContext,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use std::{error::Error, sync::Arc};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

const READ: Requirement = scope("mcp:read");
const PURGE: Requirement = scope("mcp:purge");

#[derive(Clone, Debug)]
struct Messages;

#[tool_router]
impl Messages {
    #[tool(description = "Returns the subject of the caller's token")]
    async fn whoami(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let parts = context.extensions.get::<http::request::Parts>();
        let token = parts.and_then(|parts| parts.extensions.get::<AccessToken>());
        let subject = token.map(|token| token.subject().to_owned());
        let subject = subject.ok_or_else(|| ErrorData::internal_error("no token", None))?;
        Ok(CallToolResult::success(vec![ContentBlock::text(subject)]))
    }

    #[tool(description = "Deletes all messages")]
    async fn purge(&self) -> Result<CallToolResult, ErrorData> {
        Ok(CallToolResult::success(vec![ContentBlock::text("purged")]))
    }
}

#[tool_handler]
impl ServerHandler for Messages {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

fn app(auth: Auth0) -> Result<Router, ConfigError> {
    let metadata = auth.resource_metadata()?.requirement(&READ).name("Messages");
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_allowed_hosts([metadata.host()]);
    let mcp = StreamableHttpService::new(
        || Ok(Messages),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    Ok(Router::new()
        .route_service("/mcp", mcp)
        .layer(McpTools::new().default(READ).tool("purge", PURGE))
        .layer(AuthLayer::new(auth).require(READ))
        .merge(metadata_routes(metadata)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    auth0_local::load_env_file()?;
    let log = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(log).init();
    let address = auth0_local::address_or(3001)?;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!(
            "cannot listen on {address}: {error}. Set HOST and PORT to another address and port"
        )
    })?;

    // In your own program, write: Auth0::from_env()?
    let auth = auth0_local::mcp_quickstart(listener.local_addr()?).await?;
    Ok(axum::serve(listener, app(auth)?).await?)
}
