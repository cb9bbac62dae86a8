//! The body of a request to an MCP server, and its header `Mcp-Name`. Input: the header and the body, separated by
//! `\0`, or a body alone. The server behind parses with `serde_json`, which takes the last of two equal members.
use crate::{Target, Verdict};
use auth0_core::{
    ErrorCode,
    adapter::{Connection, HeaderLines, HttpParts},
    mcp::McpTools,
    policy::scope,
};
use percent_encoding::percent_decode_str;
use serde_json::Value;

pub(crate) const TARGET: Target = Target {
    name: "mcp",
    run,
    seeds,
    pieces: &[
        "\0",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\u{feff}",
        "null",
        "1e999",
        "\"jsonrpc\":\"2.0\"",
        "\"method\"",
        "\"m\\u0065thod\"",
        "\"params\"",
        "\"name\"",
        "\"n\\u0061me\"",
        "\"uri\"",
        "\"ref\"",
        "\"result\"",
        "\"tools/call\"",
        "\"prompts/get\"",
        "\"resources/read\"",
        "\"tools/list\"",
        "\"Tools/Call\"",
        "\"purge\"",
        "\"p\\u0075rge\"",
        "\"whoami\"",
        "\"review\"",
        "\"file:///secret/a\"",
        "\"file:///open/../secret/a\"",
        "\"FILE:///secret/a\"",
        "\"file:///%73ecret/a\"",
        "\"file:////secret/a\"",
        "file:///",
        "%73",
        "%2e",
        "/",
        "//",
        "secret",
        "..",
        ";",
        "?",
        "\"$serde_json::private::RawValue\"",
        "\"\\ud800\"",
        "=?base64?cHVyZ2U=?=",
        "{\"name\":\"purge\"}",
        "{\"method\":\"tools/call\",\"params\":{\"name\":\"purge\"}}",
    ],
};

struct Sent<'a>(Option<&'a [u8]>);

impl HttpParts for Sent<'_> {
    fn method(&self) -> &str {
        "POST"
    }
    fn path(&self) -> &str {
        "/mcp"
    }
    fn scheme(&self) -> Option<&str> {
        None
    }
    fn authority(&self) -> Option<&str> {
        None
    }
    fn header(&self, name: &str) -> HeaderLines<'_> {
        HeaderLines::of(self.0.filter(|_| name == "mcp-name"))
    }
    fn connection(&self) -> Connection {
        Connection::new()
    }
}

fn run(input: &[u8]) -> Verdict {
    let tools = McpTools::new()
        .default(scope("read"))
        .tool("purge", scope("tool"))
        .prompt("review", scope("prompt"))
        .resource_prefix("file:///secret/", scope("resource"));
    let (header, body) = match input.iter().position(|byte| *byte == 0) {
        Some(place) => (Some(&input[..place]), &input[place + 1..]),
        None => (None, input),
    };
    let requirement = match tools.requirement_of(&Sent(header), body) {
        Ok(needed) => needed.requirement().clone(),
        Err(error) => {
            assert!(header.is_some(), "{error:?}");
            assert_eq!(error.code(), ErrorCode::McpHeaderMismatch);
            return Err(error.code());
        }
    };
    let needed = requirement.scopes();
    assert!(needed.contains(&"read"));
    for scope in run_by_server(body) {
        assert!(needed.contains(&scope), "{scope} is not among {needed:?}");
    }
    match needed.len() {
        1 => Ok(()),
        _ => Err(ErrorCode::InsufficientScope),
    }
}

/// Returns the scopes of what a server runs for a body.
fn run_by_server(body: &[u8]) -> Vec<&'static str> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(messages)) => messages.iter().filter_map(scope_of).collect(),
        Ok(message) => scope_of(&message).into_iter().collect(),
        Err(_) => Vec::new(),
    }
}

fn scope_of(message: &Value) -> Option<&'static str> {
    let text = |name: &str| message["params"][name].as_str().unwrap_or_default();
    match message["method"].as_str()? {
        "tools/call" if text("name") == "purge" => Some("tool"),
        "prompts/get" if text("name") == "review" => Some("prompt"),
        // A server may compare the URI in its normal form, decode it, or make a path of a file of it.
        "resources/read" => is_secret(text("uri")).then_some("resource"),
        _ => None,
    }
}

fn is_secret(uri: &str) -> bool {
    let is_below = |uri: &str| {
        let uri = uri.to_lowercase().replace('\\', "/");
        let path =
            uri.trim_start_matches("file:").split(['?', '#', ';']).next().unwrap_or_default();
        let path = path.trim_start_matches('/');
        path == "secret" || path.starts_with("secret/")
    };
    let decoded = percent_decode_str(uri).decode_utf8_lossy().into_owned();
    let of = |uri: &str| match url::Url::parse(uri) {
        Ok(url) => {
            let is_file = url.to_file_path().is_ok_and(|path| path.starts_with("/secret"));
            is_below(url.as_str()) || is_file
        }
        Err(_) => false,
    };
    let is_file = uri.to_lowercase().starts_with("file:///");
    is_file && (is_below(uri) || is_below(&decoded) || of(uri) || of(&decoded))
}

fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"purge","arguments":{}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami"}}"#,
        r#"{"method":"tools/call","method":"tools/list","params":{"name":"whoami","name":"purge"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"[{"method":"tools/list"},{"method":"prompts/get","params":{"name":"review"}}]"#,
        r#"{"method":"resources/read","params":{"uri":"file:///secret/a"}}"#,
        r#"{"method":"resources/read","params":{"uri":"file:///open/a"}}"#,
        r#"{"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"review"}}}"#,
        r#"{"$serde_json::private::RawValue":"{\"method\":\"tools/call\"}"}"#,
        "purge\0{\"method\":\"tools/call\",\"params\":{\"name\":\"purge\"}}",
        "whoami\0{\"method\":\"tools/call\",\"params\":{\"name\":\"purge\"}}",
        "=?base64?cHVyZ2U=?=\0{\"method\":\"tools/call\",\"params\":{\"name\":\"purge\"}}",
        "",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
