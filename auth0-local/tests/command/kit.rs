//! Starts the command, and reads what it prints.
use auth0_core::Auth0;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{self, Child, Command, Output, Stdio},
};

/// As in a container: no certificates, and a proxy on a port without a listener, so that a request
/// through it fails.
const CONTAINER: [(&str, &str); 4] = [
    ("http_proxy", "http://127.0.0.1:9"),
    ("ALL_PROXY", "http://127.0.0.1:9"),
    ("SSL_CERT_FILE", "/dev/null"),
    ("SSL_CERT_DIR", "/dev/null"),
];

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth0-local"));
    command.args(arguments).env_clear().envs(CONTAINER);
    command
}

/// Returns the output of a command that needs no tenant.
pub(crate) fn printed(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    assert!(status.success() && stderr.is_empty(), "{arguments:?}: {status} {stderr:?}");
    String::from_utf8(stdout).unwrap().strip_suffix('\n').unwrap().to_owned()
}

/// Returns the status and the error text of a command that fails.
pub(crate) fn failure(arguments: &[&str]) -> (i32, String) {
    failure_with(arguments, &[])
}

/// Does the same with these environment variables.
pub(crate) fn failure_with(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = command(arguments);
    command.envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(stdout.is_empty(), "{arguments:?} prints only its result to stdout");
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

/// What `auth0-local inspect` prints about an input.
pub(crate) struct Inspected {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Inspected {
    pub(crate) fn of(input: impl AsRef<[u8]>, arguments: &[&str]) -> Self {
        let mut command = command(&["inspect"]);
        let piped = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = piped.stderr(Stdio::piped()).spawn().unwrap();
        // It need not read all of a long input.
        let _ = process.stdin.take().unwrap().write_all(input.as_ref());
        let Output { status, stdout, stderr } = process.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { status: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
    }

    pub(crate) fn json(input: impl AsRef<[u8]>, arguments: &[&str]) -> (i32, Value) {
        let Self { status, stdout, stderr } = Self::of(input, &[arguments, &["--json"]].concat());
        assert!(stderr.is_empty(), "{stderr}");
        (status, serde_json::from_str(&stdout).unwrap())
    }
}

/// A directory of one test, removed at its end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(test: &str) -> Self {
        let path = env::temp_dir().join(format!("auth0-local-{test}-{}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns the header, the payload and the signature of a JWS.
pub(crate) fn parts(jws: &str) -> (Value, Value, Vec<u8>) {
    let parts: Vec<Vec<u8>> =
        jws.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let [header, payload, signature] = parts.try_into().unwrap();
    let json = |part: &[u8]| serde_json::from_slice(part).unwrap();
    (json(&header), json(&payload), signature)
}

/// `auth0-local serve` on a free port, stopped at the end of the test.
pub(crate) struct Server {
    process: Child,
    pub(crate) issuer: String,
    pub(crate) greeting: String,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(&[&["--port", "0"], arguments].concat(), &[])
    }

    /// Starts it with exactly these arguments, and with these environment variables.
    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut process = command(&["serve"])
            .args(arguments)
            .envs(variables.iter().copied())
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

    pub(crate) fn token(&self, arguments: &[&str]) -> String {
        let token = self.ask(&[&["token"], arguments].concat());
        assert!(token.split('.').count() == 3 && !token.contains(char::is_whitespace), "{token}");
        token
    }

    pub(crate) fn verifier(&self, audience: &str) -> Auth0 {
        Auth0::builder().issuer(&self.issuer).audience(audience).build().unwrap()
    }

    /// Returns the lines of a command that prints any number of them.
    pub(crate) fn ask_for_lines(&self, arguments: &[&str]) -> Vec<String> {
        let output = command(arguments).args(["--issuer", &self.issuer]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Returns the output of a command that addresses this tenant.
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
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
