//! Which tools a token may call, by the body of the request.
use crate::servers::{self, LIMIT};
use auth0_axum::{Revocations, testing::Tenant};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use wire_tests::{
    client::{Answer, get, send_body},
    refusals::Refusal,
};

/// The requests of a table to every server, with the same answers.
struct Kit {
    tenant: Tenant,
    servers: [(&'static str, SocketAddr); 3],
}

impl Kit {
    async fn new() -> Self {
        let tenant = Tenant::new();
        let auth = || tenant.builder().resource("https://api.acme.com/mcp").build().unwrap();
        Self { servers: servers::start(auth).await, tenant }
    }

    async fn send(&self, path: &str, token: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let authorization = format!("Bearer {token}");
        let mut lines: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        if !token.is_empty() {
            lines.push(("authorization", authorization.as_bytes()));
        }
        let mut answers = Vec::new();
        for (_, address) in self.servers {
            for is_chunked in [false, true] {
                let target = format!("POST {path}");
                answers.push(send_body(address, &target, &lines, body, is_chunked).await);
            }
        }
        for answer in &answers[1..] {
            assert_eq!(&answers[0], answer, "{}", String::from_utf8_lossy(body));
        }
        answers.remove(0)
    }
}

fn call(tool: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } })
        .to_string()
}

/// The token was good when the request came, and its client sends the body later.
#[tokio::test]
async fn a_token_that_is_revoked_while_its_body_is_read_calls_no_tool() {
    let (tenant, revocations) = (Tenant::new(), Revocations::in_memory());
    let resource = "https://api.acme.com/mcp";
    let auth = || tenant.builder().resource(resource).revocations(&revocations).build().unwrap();
    for (name, address) in servers::start(auth).await {
        let token = tenant.token().subject(name).audience(resource).scope("mcp:read").mint();
        let body = call("any");
        let (first, rest) = body.split_at(10);
        let mut client = TcpStream::connect(address).await.unwrap();
        let fetches = tenant.fetches().key_set;
        let head = format!(
            "POST /mcp HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
            body.len()
        );
        client.write_all(head.as_bytes()).await.unwrap();
        // Each server has a verifier of its own, which needs the keys for its first token.
        while tenant.fetches().key_set == fetches {
            tokio::task::yield_now().await;
        }
        tenant.settle().await;
        revocations.revoke_subject(tenant.issuer(), name).await.unwrap();
        client.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 401 "), "{name}: {answer}");
        assert!(answer.contains("token_revoked"), "{name}: {answer}");
        // What a client asks for when it logs in again.
        assert!(answer.contains("scope=\"mcp:read\""), "{name}: {answer}");
    }
}

fn assert_refused(answer: &Answer, code: &str, scope: &str, case: &str) {
    let refusal = Refusal::of(code);
    assert_eq!((answer.status, &answer.body), (refusal.status, &refusal.body()), "{case}");
    let first = answer.lines("www-authenticate").first().copied().unwrap_or_default();
    match scope {
        "" => assert!(!first.contains("scope=\""), "{case}: {first}"),
        scope => assert!(first.contains(&format!(", scope=\"{scope}\"")), "{case}: {first}"),
    }
}

#[tokio::test]
async fn the_body_decides() {
    let kit = Kit::new().await;
    let reading = kit.tenant.token().scope("mcp:read").mint();
    let everything =
        ("insufficient_scope", "mcp:read a b mcp:purge transfer mcp:review mcp:secret");
    let purge = ("insufficient_scope", "mcp:read mcp:purge");
    let secret = ("insufficient_scope", "mcp:read mcp:secret");
    let review = ("insufficient_scope", "mcp:read mcp:review");
    let good = ("", "");
    for (name, body, (code, scope)) in [
        ("empty", String::new(), good),
        ("a tool without a requirement", call("whoami"), good),
        ("another method", r#"{"method":"tools/list"}"#.into(), good),
        ("an answer", r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.into(), good),
        ("an error", r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#.into(), good),
        ("arguments of any shape", r#"{"method":"tools/call","params":{"name":"whoami","arguments":{"name":"purge","deep":[[[{"a":[1.5e3,null]}]]]}}}"#.into(), good),
        ("no params", r#"{"method":"ping","params":null}"#.into(), good),
        ("spaces", format!(" \r\n\t{} ", call("whoami")), good),
        ("a tool", call("purge"), purge),
        ("an escaped tool", call("purge").replace("purge", r"p\u0075rge"), purge),
        ("an escaped member", call("purge").replace("name", r"n\u0061me"), purge),
        ("an escaped method", call("purge").replace("tools/call", r"tools\/call"), purge),
        ("permissions", call("report"), ("insufficient_permissions", "")),
        ("an organization", call("acme"), ("organization_mismatch", "")),
        ("alternatives", call("either"), ("insufficient_scope", "mcp:read a b")),
        ("a login", call("transfer"), ("insufficient_scope", "mcp:read transfer")),
        ("a prompt", r#"{"method":"prompts/get","params":{"name":"review"}}"#.into(), review),
        ("another prompt", r#"{"method":"prompts/get","params":{"name":"purge"}}"#.into(), good),
        ("completion", r#"{"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"review"},"argument":{"name":"a","value":"b"}}}"#.into(), review),
        ("completion of a resource", r#"{"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"file:///secret/{a}"}}}"#.into(), secret),
        ("a resource", r#"{"method":"resources/read","params":{"uri":"file:///secret/a"}}"#.into(), secret),
        ("a subscription", r#"{"method":"resources/subscribe","params":{"uri":"file:///secret/a"}}"#.into(), secret),
        ("subscriptions", r#"{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["file:///secret/a"]}}}"#.into(), secret),
        ("no subscriptions", r#"{"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true}}}"#.into(), good),
        ("another resource", r#"{"method":"resources/read","params":{"uri":"file:///open/a"}}"#.into(), good),
        ("dots", r#"{"method":"resources/read","params":{"uri":"file:///open/../secret/a"}}"#.into(), secret),
        ("encoded dots", r#"{"method":"resources/read","params":{"uri":"file:///open/%2e%2E/secret/a"}}"#.into(), secret),
        ("an encoded letter", r#"{"method":"resources/read","params":{"uri":"file:///%73ecret/a"}}"#.into(), secret),
        ("an empty segment", r#"{"method":"resources/read","params":{"uri":"file:////secret/a"}}"#.into(), secret),
        ("the folder", r#"{"method":"resources/read","params":{"uri":"file:///secret"}}"#.into(), secret),
        ("a directory", r#"{"method":"resources/directory/read","params":{"uri":"file:///open"}}"#.into(), good),
        ("no resource subscribed", r#"{"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":[]}}}"#.into(), good),
        ("many operations", format!("[{}]", (0..70).map(|n| call(&n.to_string())).collect::<Vec<_>>().join(",")), everything),
        ("upper case", r#"{"method":"resources/read","params":{"uri":"FILE:///secret/a"}}"#.into(), secret),
        ("a batch", format!("[{},{}]", call("whoami"), call("purge")), purge),
        ("a batch of good ones", format!("[{},{}]", call("whoami"), call("other")), good),
        ("an empty batch", "[]".into(), everything),
        ("a nested batch", format!("[[{}]]", call("whoami")), everything),
        ("a batch with another value", format!("[{},1]", call("whoami")), everything),
        ("a tool twice", r#"{"method":"tools/call","params":{"name":"whoami","name":"purge"}}"#.into(), everything),
        ("a method twice", r#"{"method":"tools/list","method":"tools/call","params":{"name":"whoami"}}"#.into(), everything),
        ("params twice", r#"{"method":"tools/call","params":{"name":"whoami"},"params":{"name":"purge"}}"#.into(), everything),
        ("no name", r#"{"method":"tools/call","params":{}}"#.into(), everything),
        ("a name of another type", r#"{"method":"tools/call","params":{"name":["purge"]}}"#.into(), everything),
        ("params as a list", r#"{"method":"tools/call","params":["purge"]}"#.into(), everything),
        ("a method of another type", r#"{"method":1,"params":{"name":"purge"}}"#.into(), everything),
        ("no method", r#"{"params":{"name":"purge"}}"#.into(), everything),
        ("an unknown method with a name", call("whoami").replace("tools/call", "tools/run"), everything),
        ("a method in another case", call("purge").replace("tools/call", "Tools/Call"), everything),
        ("an answer with params", r#"{"result":{},"params":{"name":"purge"}}"#.into(), everything),
        ("a private name of serde_json", format!("{{\"$serde_json::private::RawValue\":{:?}}}", call("purge")), everything),
        ("not JSON", "purge".into(), everything),
        ("a text", "\"purge\"".into(), everything),
        ("a byte order mark", format!("\u{feff}{}", call("whoami")), everything),
        ("two documents", format!("{}{}", call("whoami"), call("purge")), everything),
        ("cut", call("purge")[..40].to_owned(), everything),
        ("half of a pair", call("purge").replace("purge", r"\ud800"), everything),
        ("nested deeply", format!("{{\"method\":\"ping\",\"params\":{}{}}}", "[".repeat(40), "]".repeat(40)), everything),
    ] {
        let answer = kit.send("/mcp", &reading, &[], body.as_bytes()).await;
        match code {
            "" => {
                let run = answer.body.split_once('\n').map(|(_, body)| body);
                assert_eq!((answer.status, run), (200, Some(&*body)), "{name}: {answer:?}");
            }
            code => assert_refused(&answer, code, scope, name),
        }
    }
    // A login that is too weak: the client asks for it together with the scopes of the tool.
    let weak = kit.tenant.token().scope("mcp:read transfer").mint();
    let answer = kit.send("/mcp", &weak, &[], call("transfer").as_bytes()).await;
    assert_refused(&answer, "step_up_required", "mcp:read transfer", "step-up");
    assert!(answer.lines("www-authenticate")[0].contains("acr_values="), "{answer:?}");
    // What a filter for compressed bodies would make of this is not known here.
    let gzip = [("content-encoding", "gzip")];
    let answer = kit.send("/mcp", &reading, &gzip, call("whoami").as_bytes()).await;
    assert_refused(&answer, everything.0, everything.1, "compressed");
    // A token that has everything may send anything, byte for byte.
    let scopes = "mcp:read mcp:purge transfer a mcp:review mcp:secret";
    let every =
        kit.tenant.token().scope(scopes).permissions(["reports"]).organization("org_a1", "acme");
    let every = every.claim("acr", auth0_axum::policy::MFA).mint();
    for body in
        [&b"\xff\x00purge"[..], br#"{"method":"tools/call","params":{"name":"a","name":"b"}}"#]
    {
        let answer = kit.send("/nested/inner", &every, &[], body).await;
        let text = String::from_utf8_lossy(body);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body.ends_with(&*text), "{answer:?}");
    }
}

#[tokio::test]
async fn headers_must_say_what_the_body_says() {
    let kit = Kit::new().await;
    let token = kit.tenant.token().scope("mcp:read mcp:purge").mint();
    let whoami = call("whoami");
    let list = r#"{"method":"tools/list"}"#;
    let batch = format!("[{whoami}]");
    let unicode = call("l\u{f6}schen");
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, bool);
    let rows: [Row<'_>; 19] = [
        (&[], &whoami, true),
        (&[("mcp-method", "tools/call"), ("mcp-name", "whoami")], &whoami, true),
        (&[("mcp-method", "tools/call")], &whoami, true),
        (&[("mcp-name", "=?base64?d2hvYW1p?=")], &whoami, true),
        (&[("mcp-name", "=?base64?bMO2c2NoZW4=?=")], &unicode, true),
        (&[("mcp-method", "tools/list")], list, true),
        (&[("mcp-method", "tools/list")], &whoami, false),
        (&[("mcp-method", "TOOLS/CALL")], &whoami, false),
        (&[("mcp-name", "purge")], &whoami, false),
        (&[("mcp-name", "=?base64?cHVyZ2U=?=")], &whoami, false),
        (&[("mcp-name", "=?base64?!?=")], &whoami, false),
        (&[("mcp-name", "whoami"), ("mcp-name", "whoami")], &whoami, false),
        (&[("mcp-name", "")], &whoami, false),
        (&[("mcp-name", "whoami")], list, false),
        (&[("mcp-method", "tools/call")], &batch, false),
        (&[("mcp-name", "whoami")], &batch, false),
        (&[("mcp-method", "tools/call")], r#"{"result":1}"#, false),
        (&[("mcp-method", "tools/call")], "", false),
        (&[("mcp-name", "whoami")], "", false),
    ];
    for (headers, body, is_good) in rows {
        let answer = kit.send("/mcp", &token, headers, body.as_bytes()).await;
        let case = format!("{headers:?} {body} {answer:?}");
        match is_good {
            true => assert_eq!(answer.status, 200, "{case}"),
            false => {
                assert_refused(&answer, "mcp_header_mismatch", "", &case);
                assert!(answer.lines("www-authenticate").is_empty(), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_long_body_is_refused() {
    let kit = Kit::new().await;
    let token = kit.tenant.token().scope("mcp:read").mint();
    let body = |length: usize| {
        let mut body = call("whoami");
        body.push_str(&" ".repeat(length - body.len()));
        body
    };
    let answer = kit.send("/mcp", &token, &[], body(LIMIT).as_bytes()).await;
    assert_eq!((answer.status, answer.body.len()), (200, LIMIT + "tools/call whoami\n".len()));
    for length in [LIMIT + 1, 4 * LIMIT] {
        let answer = kit.send("/mcp", &token, &[], body(length).as_bytes()).await;
        assert_refused(&answer, "request_too_large", "", "too long");
        assert!(answer.lines("www-authenticate").is_empty());
    }
    // Without a token, the body is not looked at.
    let answer = kit.send("/mcp", "", &[], body(LIMIT + 1).as_bytes()).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn without_a_token_only_open_operations_are_admitted() {
    let kit = Kit::new().await;
    for body in [call("whoami"), String::new(), r#"{"method":"tools/list"}"#.into()] {
        assert_eq!(kit.send("/open", "", &[], body.as_bytes()).await.status, 200, "{body}");
    }
    for body in [call("purge"), format!("[{}]", call("purge")), "?".into()] {
        let answer = kit.send("/open", "", &[], body.as_bytes()).await;
        let scope = "Bearer scope=\"mcp:purge\", resource_metadata=";
        assert_eq!((answer.status, &answer.body), (401, &Refusal::of("token_missing").body()));
        assert!(answer.lines("www-authenticate")[0].starts_with(scope), "{answer:?}");
    }
    let token = kit.tenant.token().mint();
    let answer = kit.send("/open", &token, &[], call("purge").as_bytes()).await;
    assert_refused(&answer, "insufficient_scope", "mcp:purge", "a token without the scope");
}

#[tokio::test]
async fn outside_of_a_layer_nothing_is_admitted() {
    let kit = Kit::new().await;
    let token = kit.tenant.token().scope("mcp:read").mint();
    let answer = kit.send("/bare", &token, &[], call("whoami").as_bytes()).await;
    assert_refused(&answer, "misconfigured", "", "no layer");
    for (server, address) in kit.servers {
        assert_eq!(get(address, "/bare", &[]).await.status, 500, "{server}");
    }
}

/// What follows a request that asks for another protocol has no end, and no layer sees it: it needs everything.
#[tokio::test]
async fn a_connection_that_leaves_http_needs_everything() {
    let kit = Kit::new().await;
    let token = kit.tenant.token().scope("mcp:read").mint();
    for (server, address) in kit.servers {
        for (method, lines) in [
            ("POST", "connection: upgrade\r\nupgrade: websocket\r\n"),
            ("GET", "connection: upgrade\r\nupgrade: websocket\r\n"),
            ("POST", "upgrade: websocket\r\n"),
            ("POST", "upgrade: WebSocket\r\nconnection: close, upgrade\r\n"),
            ("POST", "upgrade: h2c, websocket\r\nconnection: upgrade\r\n"),
            ("POST", "upgrade: h2c\r\nupgrade: h2c\r\nconnection: upgrade\r\n"),
            ("CONNECT", ""),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!(
                "{method} /mcp HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n{lines}\r\n"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"}") {
                let read = stream.read_buf(&mut answer);
                let read = tokio::time::timeout(Duration::from_secs(10), read).await;
                assert_ne!(read.expect("an answer").unwrap(), 0, "{server} {method} {lines}");
            }
            let text = String::from_utf8_lossy(&answer);
            assert!(text.starts_with("HTTP/1.1 403 "), "{server} {method} {lines} {text}");
            assert!(text.contains("mcp:purge"), "{server} {method} {lines} {text}");
        }
    }
}

/// As the HTTP client of Java offers HTTP/2 with each request over plain http.
#[tokio::test]
async fn a_client_that_offers_another_version_of_http_needs_what_its_body_says() {
    let kit = Kit::new().await;
    let token = kit.tenant.token().scope("mcp:read").mint();
    let offer = [
        ("connection", "Upgrade, HTTP2-Settings"),
        ("upgrade", "h2c, HTTP/2.0, TLS/1.3"),
        ("http2-settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"),
    ];
    let answer = kit.send("/mcp", &token, &offer, call("whoami").as_bytes()).await;
    assert_eq!(answer.status, 200);
    let answer = kit.send("/mcp", &token, &offer, call("purge").as_bytes()).await;
    assert_refused(&answer, "insufficient_scope", "mcp:read mcp:purge", "an offer of HTTP/2");
}
