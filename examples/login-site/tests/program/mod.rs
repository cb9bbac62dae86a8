//! What both programs do with the variables that they are given.
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// A program that runs until this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(program: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars() {
        if ["AUTH0_", "APP_", "REDIS_", "SESSION_"].iter().any(|start| name.starts_with(start)) {
            command.env_remove(name);
        }
    }
    // Not the folder of the workspace, which may have a file `.env`.
    command.current_dir(std::env::temp_dir()).env("PORT", "0").envs(variables.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

const TENANT: [(&str, &str); 3] = [
    ("AUTH0_ISSUER", "http://127.0.0.1:9/"),
    ("AUTH0_CLIENT_ID", "web"),
    ("AUTH0_CLIENT_SECRET", "s3cret"),
];

/// It starts with nothing configured, says where to open it, and serves pages.
pub(crate) fn starts_with_a_tenant_inside(program: &str) {
    let mut child = Running(command(program, &[]).spawn().unwrap());
    let output = BufReader::new(child.0.stdout.take().unwrap());
    let mut page = None;
    for line in output.lines() {
        let line = line.unwrap();
        if line.starts_with("http://localhost:") {
            page = Some(line.clone());
        }
        if line.starts_with("listening on ") {
            break;
        }
    }
    let page = page.expect("it says which page to open");
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let get = |path: &str| {
        let request = client.get(format!("{page}{path}")).header("accept", "text/html");
        runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let location =
                answer.headers().get("location").map(|url| url.to_str().unwrap().to_owned());
            (status, location, answer.text().await.unwrap())
        })
    };
    let (status, _, home) = get("");
    assert!(status == 200 && home.contains("Log in"), "{home}");
    for path in ["me", "invoices", "admin", "security"] {
        let (status, location, _) = get(path);
        assert_eq!((status, location.unwrap()), (303, format!("/auth/login?returnTo=%2F{path}")));
    }
    let (status, location, _) = get("auth/login");
    assert!(status == 303 && location.unwrap().contains("/authorize?"));
}

/// It ends with the name of the variable that is missing or wrong.
pub(crate) fn names_what_is_wrong(program: &str) {
    let good = "0123456789abcdef0123456789abcdef";
    let two = format!("{good},short");
    for (variables, named) in [
        (&[("AUTH0_LOGIN_AUDIENCE", "x")][..], "AUTH0_SECRET"),
        (&[("AUTH0_SECRET", "short")], "AUTH0_SECRET"),
        (&[("AUTH0_SECRET", &two)], "AUTH0_SECRET"),
        (&[("AUTH0_SECRET", good), ("APP_BASE_URL", "http://app.example")], "APP_BASE_URL"),
        (&[("AUTH0_SECRET", good), ("APP_BASE_URL", "app.example")], "APP_BASE_URL"),
        (&[("AUTH0_SECRET", good), ("SESSION_STORE", "disk")], "SESSION_STORE"),
        (&[("AUTH0_SECRET", good), ("REDIS_URL", "nonsense")], "REDIS_URL"),
        (&[("AUTH0_SECRET", good), ("AUTH0_SCOPE", "profile")], "AUTH0_SCOPE"),
        (&[("AUTH0_SECRET", good), ("AUTH0_CLIENT_ID", "")], "AUTH0_CLIENT_ID"),
    ] {
        let output = command(program, &[&TENANT[..], variables].concat()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(named), "{variables:?}: {said}");
        assert!(!said.contains("0123456789abcdef") && !said.contains("s3cret"), "{said}");
    }
}
