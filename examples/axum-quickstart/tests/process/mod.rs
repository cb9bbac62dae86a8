//! Runs a quickstart. Both quickstarts have these tests.
use auth0_local::LocalTenant;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
};
use tokio::runtime::Runtime;

/// A tenant, which runs on the threads of its runtime.
struct Tenant {
    local: LocalTenant,
    _runtime: Runtime,
}

impl Tenant {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let local = runtime.block_on(LocalTenant::start()).unwrap();
        Self { local, _runtime: runtime }
    }

    fn variables(&self) -> [(&str, &str); 3] {
        let (issuer, audience) = (self.local.issuer(), self.local.audience());
        [("AUTH0_ISSUER", issuer), ("AUTH0_AUDIENCE", audience), ("PORT", "0")]
    }
}

/// A running program, ended with the test.
struct Program {
    process: Child,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Program {
    fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://");
        Self { address: address.unwrap_or_else(|| panic!("{line}")).to_owned(), process, output }
    }

    /// Sends a request for `/api/private`, and returns the status.
    fn status(&self, token: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET /api/private HTTP/1.1\r\nhost: api.test\r\nauthorization: Bearer {token}\r\n{headers}\
             connection: close\r\n\r\n"
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response.split(' ').nth(1).unwrap().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(program: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    // No file `.env` of a developer.
    command.env_clear().current_dir("/").envs(variables.iter().copied());
    command
}

pub(crate) fn what_a_trusted_proxy_forwards_counts(program: &str) {
    let tenant = Tenant::start();
    let token = tenant.local.token().bound_to_certificate(&[1, 2, 3]).mint();
    for (proxies, status) in [("127.0.0.1", "200"), ("192.0.2.1", "401"), ("", "401")] {
        let trusted = ("AUTH0_TRUSTED_PROXIES", proxies);
        let variables = [&tenant.variables()[..], &[trusted]].concat();
        let program = Program::start(command(program, &variables));
        assert_eq!(program.status(&token, "client-cert: :AQID:\r\n"), status, "{proxies}");
        assert_eq!(program.status(&token, "client-cert: :AQIE:\r\n"), "401", "{proxies}");
    }
}

pub(crate) fn an_address_that_cannot_be_listened_on_is_refused(program: &str) {
    for (variable, what) in [
        (("HOST", "my-machine"), "HOST=\"my-machine\" is not an address to listen on"),
        (("HOST", "0.0.0.0:3000"), "Write 127.0.0.1"),
        (("PORT", "http"), "PORT=\"http\" is not a port"),
        (("PORT", "65536"), "Write a number from 1 to 65535"),
        // An address for documentation, which no machine has (RFC 5737).
        (("HOST", "192.0.2.1"), "Set HOST and PORT to another address and port"),
    ] {
        let output = command(program, &[variable]).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap().replace('\\', "");
        assert!(!output.status.success() && text.contains(what), "{variable:?}: {text}");
    }
}

pub(crate) fn the_log_has_the_cause_of_a_refusal(program: &str) {
    let tenant = Tenant::start();
    let mut program = Program::start(command(program, &tenant.variables()));
    let token = tenant.local.token().audience("https://other.test").mint();
    assert_eq!(program.status(&token, ""), "401");
    let mut line = String::new();
    while !line.contains("audience_mismatch") {
        line.clear();
        assert_ne!(program.output.read_line(&mut line).unwrap(), 0, "the program ended");
    }
    assert!(line.contains("INFO") && line.contains("https://other.test"), "{line}");
}
