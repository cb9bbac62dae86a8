//! Shows an MCP server: every call needs the scope `mcp:read`, and the tool `purge` also `mcp:purge`.
//!
//! ```sh
//! cargo run -p actix-mcp
//! ```
//!
//! It starts with a local tenant of its own, and prints what to paste into an MCP client. For your own tenant, set
//! `AUTH0_DOMAIN` and `AUTH0_RESOURCE`, in the environment or in `.env`. It listens on `HOST` (127.0.0.1) and
//! `PORT` (3001).
use actix_web::{App, HttpMessage, HttpServer, web};
use auth0_actix::{AccessToken, McpTools, metadata_service, policy::*, require};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{CallToolResult, ContentBlock, ServerCapabilities, ServerConfig},
    service::RequestContext,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::session::never::NeverSessionManager,
};
use rmcp_actix_web::transport::{StreamableHttpService, on_request_extensions};
use std::{error::Error, net::TcpListener, sync::Arc};
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
        let extensions = on_request_extensions(&context.extensions);
        let token = extensions.and_then(|extensions| extensions.get::<AccessToken>());
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

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    auth0_local::load_env_file()?;
    let log = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(log).init();
    let address = auth0_local::address_or(3001)?;
    let listener = TcpListener::bind(address).map_err(|error| {
        format!(
            "cannot listen on {address}: {error}. Set HOST and PORT to another address and port"
        )
    })?;

    // In your own program, write: Auth0::from_env()?
    let auth = auth0_local::mcp_quickstart(listener.local_addr()?).await?;
    let metadata = auth.resource_metadata()?.requirement(&READ).name("Messages");
    let mcp = StreamableHttpService::builder()
        .service_factory(Arc::new(|| Ok(Messages)))
        .session_manager(Arc::new(NeverSessionManager::default()))
        .stateful_mode(false)
        .allowed_hosts(vec![metadata.host()])
        .on_request_fn(|request, extensions| {
            if let Some(token) = request.extensions().get::<AccessToken>() {
                extensions.insert(token.clone());
            }
        })
        .build();
    let server = HttpServer::new(move || {
        let tools = McpTools::new().default(READ).tool("purge", PURGE);
        App::new().app_data(auth.clone()).service(metadata_service(metadata.clone())).service(
            web::scope("/mcp").wrap(tools).wrap(require(READ)).service(mcp.clone().scope()),
        )
    });
    Ok(server.listen(listener)?.run().await?)
}
