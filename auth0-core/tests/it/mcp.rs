//! What an MCP server needs for an operation. The rest of its behaviour is in tests/wire.
use auth0_core::{
    VerifiedToken,
    adapter::{HeaderLines, RequestParts},
    mcp::McpTools,
    policy::*,
};
use auth0_testing::Tenant;
use serde_json::json;

fn has_plan(token: &VerifiedToken) -> bool {
    matches!(token.claim::<String>("plan"), Ok(Some(_)))
}

fn is_enterprise(token: &VerifiedToken) -> bool {
    token.claim("plan").is_ok_and(|plan| plan == Some("enterprise".to_owned()))
}

/// Requirements that are written alike are equal, and their checks may still be other functions.
#[test]
fn checks_of_one_name_are_all_needed() {
    let (weak, strong) = (check("plan", has_plan), check("plan", is_enterprise));
    let call = |tool: &str| json!({ "method": "tools/call", "params": { "name": tool } });
    let read = json!({ "method": "resources/read", "params": { "uri": "file:///a/b/x" } });
    let prefixes = |first: &Requirement, second: &Requirement| {
        let tools = McpTools::new().resource_prefix("file:///a/", first.clone());
        tools.resource_prefix("file:///a/b/", second.clone())
    };
    let tenant = Tenant::new();
    let token = |plan: &str| tenant.token().claim("plan", plan).verified();
    let batch = McpTools::new().tool("export", weak.clone()).tool("purge", strong.clone());
    for (case, tools, message) in [
        (
            "the default and a tool",
            McpTools::new().default(weak.clone()).tool("purge", strong.clone()),
            call("purge"),
        ),
        (
            "the other way around",
            McpTools::new().default(strong.clone()).tool("purge", weak.clone()),
            call("purge"),
        ),
        ("two prefixes", prefixes(&weak, &strong), read.clone()),
        ("two prefixes, the other way around", prefixes(&strong, &weak), read),
        ("a batch", batch.clone(), json!([call("export"), call("purge")])),
        ("what cannot be read", batch, json!([1])),
    ] {
        let body = message.to_string();
        let request = RequestParts::new("POST", "/mcp", &|_| HeaderLines::Absent);
        let needed = tools.requirement_of(&request, body.as_bytes()).unwrap();
        assert!(!needed.requirement().is_met_by(&token("pro")), "{case}");
        assert!(needed.requirement().is_met_by(&token("enterprise")), "{case}");
    }
}
