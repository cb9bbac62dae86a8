//! A request to an MCP server: the layer alone, and with `McpTools`, which reads the body.
#![allow(clippy::unwrap_used, missing_docs)]
use auth0_axum::{AuthLayer, McpTools, policy::scope, testing::Tenant};
use axum::{
    body::Body,
    http::{Request, Response},
};
use divan::Bencher;
use std::convert::Infallible;
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};

fn main() {
    divan::main();
}

struct Kit {
    runtime: Runtime,
    layer: AuthLayer,
    authorization: String,
}

impl Kit {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        let token = tenant.token().scope("mcp:read").mint();
        runtime.block_on(auth.verify(&token)).unwrap();
        let layer = AuthLayer::new(auth).require(scope("mcp:read"));
        Self { runtime, layer, authorization: format!("Bearer {token}") }
    }

    /// A call of a tool, with arguments of about so many bytes.
    fn request(&self, size: usize) -> Request<Body> {
        let argument = "a text of 24 characters,";
        let arguments = vec![argument; size / 27];
        let body = serde_json::json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "whoami", "arguments": { "texts": arguments } },
        });
        let request = Request::post("/mcp").header("authorization", &self.authorization);
        request.body(Body::from(body.to_string())).unwrap()
    }

    fn bench<S>(&self, bencher: Bencher<'_, '_>, service: S, size: usize)
    where
        S: Service<Request<Body>, Error = Infallible> + Clone,
    {
        bencher.with_inputs(|| (service.clone(), self.request(size))).bench_local_values(
            |(service, request)| self.runtime.block_on(service.oneshot(request)).unwrap(),
        );
    }
}

async fn answer(_: Request<Body>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::empty()))
}

#[divan::bench(args = [1024, 64 * 1024])]
fn layer_alone(bencher: Bencher<'_, '_>, size: usize) {
    let kit = Kit::new();
    kit.bench(bencher, kit.layer.layer(service_fn(answer)), size);
}

#[divan::bench(args = [1024, 64 * 1024])]
fn layer_and_tools(bencher: Bencher<'_, '_>, size: usize) {
    let kit = Kit::new();
    let tools = McpTools::new().default(scope("mcp:read")).tool("purge", scope("mcp:purge"));
    kit.bench(bencher, kit.layer.layer(tools.layer(service_fn(answer))), size);
}
