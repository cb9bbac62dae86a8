//! The output of an example without a tenant.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
};

const CHILD: &str = "AUTH0_LOCAL_TEST_CHILD";

/// Returns a command that runs this test again without any environment variable, so that no
/// configured tenant has an effect. Returns `None` in that process.
fn without_environment(test: &str) -> Option<Command> {
    if env::var_os(CHILD).is_some() {
        return None;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env_clear().env(CHILD, "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Some(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_configuration_a_tenant_runs_in_the_process() {
    let test = "without_configuration_a_tenant_runs_in_the_process";
    let Some(mut command) = without_environment(test) else { return verify_tokens().await };
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = Vec::new();
    while lines.iter().filter(|line: &&String| line.starts_with("curl ")).count() < 5 {
        let mut line = String::new();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "{lines:#?}");
        lines.push(line.trim_end().to_owned());
    }
    let mut tokens = Vec::new();
    let mut shown = Vec::new();
    for (comment, line) in lines.iter().zip(lines.iter().skip(1)) {
        assert!(line.len() < 200, "fits on a screen: {line}");
        if let Some(command) = line.strip_prefix("TOKEN=$(curl -s ") {
            tokens.push(minted(command.strip_suffix("')").unwrap()).await);
        }
        let Some(curl) = line.strip_prefix("curl -i http://127.0.0.1:3000/api/") else { continue };
        let (path, authorization) = curl.split_once(' ').unwrap_or((curl, ""));
        let sends = [("", 0), ("-H \"Authorization: Bearer $TOKEN\"", tokens.len())];
        let (_, token) = sends.into_iter().find(|(sent, _)| *sent == authorization).unwrap();
        shown.push((&comment[..5], path, token));
    }
    assert_eq!(
        shown,
        [
            ("# 200", "public", 0),
            ("# 401", "private", 0),
            ("# 200", "private", 1),
            ("# 403", "private-scoped", 1),
            ("# 200", "private-scoped", 2),
        ]
    );
    child.stdin.take().unwrap().write_all(tokens.join("\n").as_bytes()).unwrap();
    let mut verdicts = String::new();
    output.read_to_string(&mut verdicts).unwrap();
    assert!(verdicts.contains("may read: false\nmay read: true\n"), "{verdicts}");
    assert!(child.wait().unwrap().success(), "{verdicts}");
}

/// Sends the request that curl would send with these arguments.
async fn minted(arguments: &str) -> String {
    let (url, body) = arguments.split_once(" -H accept:text/plain -d '").unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(url).header("accept", "text/plain").body(body.to_owned());
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    response.text().await.unwrap()
}

/// Verifies each line of the input, in the process of its own.
async fn verify_tokens() {
    let auth = auth0_local::quickstart(([0, 0, 0, 0], 3000).into()).await.unwrap();
    for token in io::stdin().lines() {
        let token = auth.verify(&token.unwrap()).await.unwrap();
        println!("may read: {}", token.has_scope("read:messages"));
    }
}

#[tokio::test]
async fn one_variable_selects_the_configured_tenant() {
    let test = "one_variable_selects_the_configured_tenant";
    let Some(mut command) = without_environment(test) else {
        match auth0_local::quickstart(([0, 0, 0, 0], 3000).into()).await {
            Ok(auth) => println!("{auth:?}"),
            Err(error) => println!("{error}"),
        }
        return;
    };
    for (variables, expected) in [
        (&[("AUTH0_AUDIENCE", "https://api.acme.com")][..], "AUTH0_DOMAIN is not set"),
        (&[("AUTH0_DOMAIN", "acme.eu.auth0.com")], "AUTH0_AUDIENCE is not set"),
        (&[("AUTH0_ISSUER", "https://login.acme.com/")], "AUTH0_AUDIENCE is not set"),
        // No process listens there, which does not prevent the start.
        (
            &[("AUTH0_ISSUER", "http://127.0.0.1:1/"), ("AUTH0_AUDIENCE", "https://api.acme.com")],
            "http://127.0.0.1:1/",
        ),
    ] {
        for name in ["AUTH0_DOMAIN", "AUTH0_ISSUER", "AUTH0_AUDIENCE"] {
            command.env_remove(name);
        }
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(expected) && !text.contains("curl "), "{variables:?}: {text}");
    }
}

#[tokio::test]
async fn a_tenant_in_the_process_is_for_this_machine() {
    let test = "a_tenant_in_the_process_is_for_this_machine";
    let Some(mut command) = without_environment(test) else {
        let address = env::var("ADDRESS").unwrap().parse().unwrap();
        auth0_local::quickstart(address).await.unwrap();
        auth0_local::mcp_quickstart(address).await.unwrap();
        return;
    };
    for (address, count) in [("0.0.0.0:3000", 1), ("[::]:3000", 1), ("127.0.0.1:3000", 0)] {
        let output = command.env("ADDRESS", address).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        for variables in ["AUTH0_DOMAIN and AUTH0_AUDIENCE", "AUTH0_DOMAIN and AUTH0_RESOURCE"] {
            let advice = format!(
                "# No program on another machine can log in: this tenant listens on 127.0.0.1. Set \
                 {variables}, or what auth0-local serve --issuer prints.\n"
            );
            assert_eq!(text.matches(&advice).count(), count, "{address}: {text}");
        }
    }
}

#[tokio::test]
async fn the_configured_resource_is_shown() {
    let test = "the_configured_resource_is_shown";
    let Some(mut command) = without_environment(test) else {
        auth0_local::mcp_quickstart(([0, 0, 0, 0], 3001).into()).await.unwrap();
        return;
    };
    command.env("AUTH0_ISSUER", "http://127.0.0.1:1/");
    let output = command.env("AUTH0_RESOURCE", "https://mcp.acme.com/mcp").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let line = "listening on http://0.0.0.0:3001/mcp for the resource https://mcp.acme.com/mcp\n";
    assert!(text.contains(line), "{text}");
}

const PAGE: (&str, &str) = ("/docs/", "/docs/oauth2-redirect.html");

#[tokio::test]
async fn a_page_of_documentation_logs_in_at_the_tenant_in_the_process() {
    let test = "a_page_of_documentation_logs_in_at_the_tenant_in_the_process";
    let Some(mut command) = without_environment(test) else { return log_in().await };
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("\nhttp://127.0.0.1:3000/docs/\n"), "{text}");
}

/// Asks for a login as the page does, at both names of this machine.
async fn log_in() {
    let (page, callback) = PAGE;
    let address = ([0, 0, 0, 0], 3000).into();
    let (auth, client_id) = auth0_local::openapi_quickstart(address, page, callback).await.unwrap();
    let server = auth.authorization_servers().next().unwrap();
    let authorize = server.authorization_endpoint().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let challenge = "A".repeat(43);
    for (redirect, accepted) in [
        ("http://127.0.0.1:3000/docs/oauth2-redirect.html", true),
        ("http://localhost:3000/docs/oauth2-redirect.html", true),
        ("http://127.0.0.1:3001/docs/oauth2-redirect.html", false),
    ] {
        let url = format!(
            "{authorize}?response_type=code&client_id={client_id}&redirect_uri={redirect}\
             &code_challenge={challenge}&code_challenge_method=S256"
        );
        let response = client.get(url).send().await.unwrap();
        assert_eq!(response.status() == 200, accepted, "{redirect}");
        let text = response.text().await.unwrap();
        for user in ["auth0|ann", "auth0|bob"] {
            assert_eq!(text.contains(user), accepted, "{text}");
        }
    }
}

#[tokio::test]
async fn the_client_of_a_page_is_configured() {
    let test = "the_client_of_a_page_is_configured";
    let Some(mut command) = without_environment(test) else {
        let (page, callback) = PAGE;
        let address = ([127, 0, 0, 1], 3000).into();
        let (_, client_id) =
            auth0_local::openapi_quickstart(address, page, callback).await.unwrap();
        println!("client: {client_id:?}");
        return;
    };
    command
        .env("AUTH0_ISSUER", "http://127.0.0.1:1/")
        .env("AUTH0_AUDIENCE", "https://api.acme.com");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let output = command.output().unwrap();
    assert!(text(output.stdout).contains(r#"client: """#));
    assert!(text(output.stderr).contains("AUTH0_CLIENT_ID is not set"));
    let output = command.env("AUTH0_CLIENT_ID", "spa").output().unwrap();
    let printed = text(output.stdout);
    assert!(printed.contains(r#"client: "spa""#), "{printed}");
    assert!(printed.contains("http://127.0.0.1:3000/docs/oauth2-redirect.html"), "{printed}");
    assert!(!text(output.stderr).contains("AUTH0_CLIENT_ID"));
}
