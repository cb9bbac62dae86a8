//! The command, as processes.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
use auth0_core::{
    Algorithm, Auth0, Connection, ErrorCode, FieldLines, HttpParts, RequestView,
    testing::SigningKey,
};
use auth0_local::DEFAULT_AUDIENCE;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{self, Child, Command, Output, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpSocket;

/// A proxy that nothing listens at: whoever asks it gets nowhere.
const DEAD_PROXY: [(&str, &str); 2] =
    [("http_proxy", "http://127.0.0.1:9"), ("ALL_PROXY", "http://127.0.0.1:9")];

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth0-local"));
    command.args(arguments).env_clear().envs(DEAD_PROXY);
    command
}

/// What a command prints that asks nobody.
fn printed(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    assert!(status.success() && stderr.is_empty(), "{arguments:?}: {status} {stderr:?}");
    String::from_utf8(stdout).unwrap().strip_suffix('\n').unwrap().to_owned()
}

/// A directory of this test's own, removed with it.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let path = env::temp_dir().join(format!("auth0-local-{test}-{}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The header, the payload and the signature of a JWS.
fn parts(jws: &str) -> (Value, Value, Vec<u8>) {
    let parts: Vec<Vec<u8>> =
        jws.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let [header, payload, signature] = parts.try_into().unwrap();
    let json = |part: &[u8]| serde_json::from_slice(part).unwrap();
    (json(&header), json(&payload), signature)
}

/// `GET /messages`, as a verifier sees it.
struct GetMessages;

impl HttpParts for GetMessages {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/messages"
    }

    fn scheme(&self) -> Option<&str> {
        None
    }

    fn authority(&self) -> Option<&str> {
        None
    }

    fn field(&self, _: &str) -> FieldLines<'_> {
        FieldLines::Absent
    }

    fn connection(&self) -> Connection {
        Connection::new()
    }
}

/// `auth0-local serve` on a free port, ended with the test.
struct Server {
    process: Child,
    issuer: String,
    greeting: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut process = command(&["serve", "--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("# A token: ") {
            assert_ne!(output.read_line(&mut greeting).unwrap(), 0, "{greeting}");
        }
        let issuer = greeting.lines().find_map(|line| line.strip_prefix("AUTH0_ISSUER="));
        Self { process, issuer: issuer.unwrap().to_owned(), greeting }
    }

    fn token(&self, arguments: &[&str]) -> String {
        let token = self.ask(&[&["token"], arguments].concat());
        assert!(token.split('.').count() == 3 && !token.contains(char::is_whitespace), "{token}");
        token
    }

    fn verifier(&self, audience: &str) -> Auth0 {
        Auth0::builder().issuer(&self.issuer).audience(audience).build().unwrap()
    }

    /// What a command prints that asks this tenant.
    fn ask(&self, arguments: &[&str]) -> String {
        let output = command(arguments).args(["--issuer", &self.issuer]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
        let printed = String::from_utf8(output.stdout).unwrap();
        printed.strip_suffix('\n').unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn failure(arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    assert!(stdout.is_empty(), "{arguments:?} prints nothing but a token");
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn serve_and_token() {
    let server = Server::start(&["--audience", "https://api.acme.test"]);
    assert!(server.greeting.starts_with("# For development and tests only"), "{}", server.greeting);
    assert!(server.greeting.contains("\nAUTH0_AUDIENCE=https://api.acme.test\n"));
    let auth = server.verifier("https://api.acme.test");

    let user = server.token(&[
        "--scope",
        "read:messages write:messages",
        "--scope",
        "more",
        "--permission",
        "a:b",
        "--permission",
        "c:d",
        "--org",
        "org_1:acme",
        "--subject",
        "auth0|ann",
        "--client",
        "app",
        "--claim",
        "https://acme.com/plan=\"pro\"",
        "--claim",
        "seats=3",
        "--expires-in",
        "60",
    ]);
    let user = auth.verify(&user).await.unwrap();
    assert_eq!(user.subject(), "auth0|ann");
    assert_eq!(user.client_id(), Some("app"));
    assert!(user.has_scope("write:messages") && user.has_scope("more"));
    assert!(user.has_permission("a:b") && user.has_permission("c:d"));
    assert_eq!((user.organization_id(), user.organization_name()), (Some("org_1"), Some("acme")));
    assert_eq!(user.claim::<String>("https://acme.com/plan").unwrap().as_deref(), Some("pro"));
    assert_eq!(user.claim::<u8>("seats").unwrap(), Some(3));
    let issued = user.issued_at().unwrap();
    assert_eq!(user.expires_at().duration_since(issued).unwrap().as_secs(), 60);

    let machine = server.token(&["--machine", "--client", "reporting", "--profile", "rfc9068"]);
    let machine = auth.verify(&machine).await.unwrap();
    assert_eq!(machine.subject(), "reporting@clients");
    assert!(machine.token_id().is_some());

    let code =
        async |arguments: &[&str]| auth.verify(&server.token(arguments)).await.unwrap_err().code();
    assert_eq!(code(&["--expired"]).await, ErrorCode::TokenExpired);
    assert_eq!(code(&["--audience", "https://b.test"]).await, ErrorCode::AudienceMismatch);
    assert_eq!(code(&["--claim", "exp=\"soon\""]).await, ErrorCode::ClaimsInvalid);
}

#[tokio::test]
async fn a_drill() {
    let server = Server::start(&["--fault", "jwks=500", "--fault", "metadata=slow:0.001"]);
    let drill = "# This is a drill: metadata=slow:0.001 jwks=500\nAUTH0_ISSUER=";
    assert!(server.greeting.contains(drill), "{}", server.greeting);
    let old = server.token(&[]);
    let verdict = async |token: &str| {
        let verdict = server.verifier(DEFAULT_AUDIENCE).verify(token).await;
        verdict.err().map(|error| error.code())
    };
    assert_eq!(verdict(&old).await, Some(ErrorCode::KeysUnavailable));

    let faults = server.ask(&["fault", "jwks=reset", "metadata=429:5@0.5", "jwks=html"]);
    assert_eq!(faults, "metadata=429:5@0.5 jwks=html", "the last word counts");
    assert_eq!(server.ask(&["fault", "metadata=none"]), "metadata=none jwks=html");
    assert_eq!(server.ask(&["fault", "--clear"]), "metadata=none jwks=none");
    assert_eq!(verdict(&old).await, None);

    let kid = server.ask(&["rotate"]);
    let new = server.token(&[]);
    assert_eq!((verdict(&old).await, verdict(&new).await), (None, None));
    assert_eq!(server.ask(&["revoke"]), kid);
    assert_eq!((verdict(&old).await, verdict(&new).await), (Some(ErrorCode::KeyUnknown), None));
    let newer = server.ask(&["rotate"]);
    assert_eq!(server.ask(&["revoke", &kid]), newer);
    let (status, sentence) = failure(&["revoke", &kid, "--issuer", &server.issuer]);
    assert!(status == 1 && sentence.contains("no key with the id"), "{sentence}");

    let stats: Value = serde_json::from_str(&server.ask(&["stats"])).unwrap();
    for (document, faulted) in [("metadata", 1), ("jwks", 1)] {
        let count = |name: &str| stats[document][name].as_u64().unwrap();
        assert_eq!(count("faulted"), faulted, "{document}");
        assert_eq!(count("requests"), count("served") + count("faulted"), "{document}");
    }
}

#[tokio::test]
async fn a_request_with_dpop() {
    const URL: &str = "https://api.acme.test/messages";
    let directory = Directory::new("dpop");
    let file = directory.file("client.pem");
    let server = Server::start(&[]);
    let token = server.token(&["--dpop-key", &file]);
    let written = fs::read_to_string(&file).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let auth = Auth0::builder()
        .issuer(&server.issuer)
        .audience(DEFAULT_AUDIENCE)
        .public_url("https://api.acme.test")
        .build()
        .unwrap();
    let authorization = format!("DPoP {token}");
    let verdict = async |proof: &str| {
        let request = RequestView::new()
            .authorization([authorization.as_bytes()])
            .proof([proof.as_bytes()])
            .parts(&GetMessages);
        auth.authenticate(&request).await.err().map(|error| error.code())
    };
    let proof = |arguments: &[&str]| {
        let mut line = vec!["proof", "--dpop-key", &file];
        for option in [["--url", URL], ["--token", &token]] {
            if !arguments.contains(&option[0]) {
                line.extend(option);
            }
        }
        printed(&[&line, arguments].concat())
    };
    let good = proof(&[]);
    assert_eq!(verdict(&good).await, None);
    assert_eq!(verdict(&good).await, Some(ErrorCode::DpopProofReplayed));
    assert_eq!(verdict(&proof(&["--url", &format!("{URL}?a=b#c")])).await, None);
    assert_eq!(verdict(&proof(&["--nonce", "-_", "--age", "200"])).await, None);
    for wrong in [
        &["--claim", "htm=\"POST\""][..],
        &["--method", "get"],
        &["--url", "https://api.acme.test/Messages"],
        &["--token", "another.access.token"],
        &["--without", "jti"],
        &["--without", "iat"],
        &["--claim", "jti=7"],
        &["--expired"],
        &["--age", "400"],
        &["--ahead", "100"],
        &["--header", "typ=\"JWT\""],
        &["--without-header", "jwk"],
        &["--broken-signature"],
        &["--unsigned"],
    ] {
        assert_eq!(verdict(&proof(wrong)).await, Some(ErrorCode::DpopProofInvalid), "{wrong:?}");
    }
    let other = ["--dpop-key", &directory.file("other.pem")];
    let foreign = printed(&[&["proof", "--url", URL, "--token", &token], &other[..]].concat());
    assert_eq!(verdict(&foreign).await, Some(ErrorCode::TokenBindingMismatch));
    assert_eq!(auth.verify(&token).await.unwrap_err().code(), ErrorCode::TokenBindingMismatch);
    assert_eq!(fs::read_to_string(&file).unwrap(), written, "it is not written to again");
}

#[test]
fn a_proof_is_what_was_asked_for() {
    let directory = Directory::new("proof");
    for (algorithm, header) in [
        (Algorithm::ES256, None),
        (Algorithm::ES384, None),
        (Algorithm::EdDSA, None),
        (Algorithm::RS256, None),
        (Algorithm::RS256, Some("PS256")),
    ] {
        let key = SigningKey::generate(algorithm).unwrap();
        let file = directory.file(&format!("{algorithm}.der"));
        fs::write(&file, key.to_pkcs8().unwrap()).unwrap();
        let (url, name) = ("http://127.0.0.1:3000/a", header.unwrap_or(algorithm.as_str()));
        let header = format!("alg=\"{name}\"");
        let proof = printed(&["proof", "--dpop-key", &file, "--url", url, "--header", &header]);
        let (header, payload, signature) = parts(&proof);
        assert_eq!((&header["alg"], &header["typ"]), (&json!(name), &json!("dpop+jwt")));
        assert!(header["jwk"].get("d").is_none() && !signature.is_empty());
        assert_eq!((&payload["htm"], &payload["htu"]), (&json!("GET"), &json!(url)));
        assert!(payload.get("ath").is_none() && payload.get("nonce").is_none());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(payload["iat"].as_u64().unwrap()) < 60, "{payload}");
    }
    let text = directory.file("text");
    fs::write(&text, "dear diary").unwrap();
    let (status, sentence) = failure(&["proof", "--dpop-key", &text, "--url", "http://a/"]);
    assert!(status == 1 && sentence.contains("It must be an unencrypted P-256 key"), "{sentence}");
}

#[test]
fn a_token_bound_to_a_certificate() {
    let directory = Directory::new("certificate");
    let server = Server::start(&[]);
    // The outline of one: a sequence in a sequence..
    let der = [0x30, 0x81, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00];
    let body = STANDARD.encode(der);
    let pem =
        format!("a comment\n-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    for (name, content) in [("c.der", der.to_vec()), ("c.pem", pem.repeat(2).into_bytes())] {
        let file = directory.file(name);
        fs::write(&file, content).unwrap();
        let claims = parts(&server.token(&["--certificate", &file])).1;
        assert_eq!(
            claims["cnf"],
            json!({ "x5t#S256": "GiojG23TUAAeTMzBu08QnAMMxVfu3E1nbZO5y19rTqE" }),
            "{name}"
        );
    }
    let key = SigningKey::generate(Algorithm::ES256).unwrap().to_pkcs8().unwrap();
    for (name, content) in [
        ("empty", Vec::new()),
        ("text", b"dear diary".to_vec()),
        ("key", key),
        ("cut-off", der[..7].to_vec()),
        ("too-long", [&der[..], b"\n"].concat()),
        ("key.pem", pem.replace("CERTIFICATE", "PRIVATE KEY").into_bytes()),
    ] {
        let file = directory.file(name);
        fs::write(&file, content).unwrap();
        let (status, sentence) = failure(&["token", "--certificate", &file]);
        assert!(status == 1 && sentence.contains("holds no certificate"), "{name}: {sentence}");
    }
    let (status, sentence) = failure(&["token", "--certificate", &directory.file("absent")]);
    assert!(status == 1 && sentence.contains("cannot be read"), "{sentence}");
}

#[test]
fn without_a_server() {
    // Taken, so that nobody else gets it, and listened at by nobody.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let free = socket.local_addr().unwrap();
    let advice = format!("auth0-local serve --port {}", free.port());
    for command in [&["token"][..], &["rotate"], &["revoke"], &["fault", "jwks=500"], &["stats"]] {
        let issuer = ["--issuer", &format!("http://{free}/")];
        let (status, sentence) = failure(&[command, &issuer].concat());
        assert_eq!(status, 1);
        assert!(sentence.contains("no tenant runs at") && sentence.contains(&advice), "{sentence}");
    }
}

#[test]
fn what_the_command_line_may_not_say() {
    for (arguments, sentence) in [
        (&["--issuer", "https://acme.eu.auth0.com/"][..], "not on your own machine"),
        (&["--issuer", "http://192.168.0.1:4400/"], "not on your own machine"),
        (&["--issuer", "http://127.0.0.1.evil.test/"], "not on your own machine"),
        (&["--issuer", "http://localhost@evil.test/"], "not on your own machine"),
        (&["--issuer", "https://127.0.0.1:4400/"], "not the issuer of a local tenant"),
        (&["--issuer", "http://127.0.0.1:4400/tenant"], "not the issuer of a local tenant"),
        (&["--issuer", "localhost"], "not a URL"),
        (&["--org", "acme"], "Write it as org_abc"),
        (&["--claim", "plan=pro"], "Text stands in quotes"),
        (&["--claim", "plan"], "Write NAME=JSON"),
        (&["--expired", "--expires-in", "5"], "cannot be used with"),
        (&["--profile", "saml"], "auth0, rfc9068"),
    ] {
        let (status, text) = failure(&[&["token"], arguments].concat());
        assert_eq!(status, 2, "{arguments:?}: {text}");
        assert!(text.contains(sentence), "{arguments:?}: {text}");
    }
    for (arguments, sentence) in [
        (&["fault"][..], "required"),
        (&["fault", "jwks"], "Write jwks=FAULT or metadata=FAULT"),
        (&["fault", "keys=500"], "Write jwks=FAULT or metadata=FAULT"),
        (&["fault", "jwks=200"], "200 is not the status of an error"),
        (&["fault", "jwks=500", "metadata=lazy"], "Write a status from 400 to 599"),
        (&["fault", "jwks=500", "--clear"], "cannot be used with"),
        (&["serve", "--fault", "jwks=lazy"], "Write a status from 400 to 599"),
        (&["stats", "--issuer", "https://acme.eu.auth0.com/"], "not on your own machine"),
        (&["revoke", "a", "b"], "unexpected argument"),
        (&["proof", "--url", "http://a/"], "--dpop-key"),
        (&["proof", "--dpop-key", "k"], "--url"),
        (&["proof", "--dpop-key", "k", "--url", "/a"], "Write all of it"),
        (&["proof", "--dpop-key", "k", "--url", "localhost:3000/a"], "Write all of it"),
        (&["proof", "--dpop-key", "k", "--url", "http://a/", "--claim", "a"], "Write NAME=JSON"),
        (&["proof", "--dpop-key", "k", "--url", "http://a/", "--header", "a=b"], "in quotes"),
        (&["proof", "--expired", "--age", "5"], "cannot be used with"),
        (&["proof", "--unsigned", "--broken-signature"], "cannot be used with"),
    ] {
        let (status, text) = failure(arguments);
        assert_eq!(status, 2, "{arguments:?}: {text}");
        assert!(text.contains(sentence), "{arguments:?}: {text}");
    }
}

#[test]
fn a_taken_port_is_named() {
    let server = Server::start(&[]);
    let port = server.issuer.trim_end_matches('/').rsplit(':').next().unwrap();
    let (status, sentence) = failure(&["serve", "--port", port]);
    assert_eq!(status, 1);
    assert!(sentence.contains(&format!("port {port} of 127.0.0.1 is in use")), "{sentence}");
}

#[test]
fn what_the_server_refuses_is_said() {
    let server = Server::start(&[]);
    let seconds = u64::MAX.to_string();
    let (status, sentence) =
        failure(&["token", "--issuer", &server.issuer, "--expires-in", &seconds]);
    assert_eq!(status, 1);
    assert!(sentence.contains("a token cannot live for"), "{sentence}");
}
