//! The files that a page quotes are as they are in the repository.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]
use std::fs;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[test]
fn deploying_quotes_the_files() {
    let page = fs::read_to_string(format!("{ROOT}/docs/deploying.md")).unwrap();
    for (file, language) in [("Dockerfile", "dockerfile"), ("compose.yaml", "yaml")] {
        let path = format!("examples/axum-quickstart/{file}");
        let content = fs::read_to_string(format!("{ROOT}/{path}")).unwrap();
        assert!(page.contains(&format!("(../{path})")), "the page links {path}");
        let quoted = format!("```{language}\n{content}```\n");
        assert!(page.contains(&quoted), "the page quotes another {path}. Copy the file into it");
    }
}

#[test]
fn the_adapter_has_sixty_lines_and_the_page_quotes_it() {
    let page = fs::read_to_string(format!("{ROOT}/docs/adapters.md")).unwrap();
    let code = fs::read_to_string(format!("{ROOT}/examples/rocket/src/adapter.rs")).unwrap();
    assert!(page.contains(&format!("```text\n{code}```\n")), "copy adapter.rs into the page");
    let counts = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("//") && !line.starts_with("use ")
    };
    let lines = code.lines().filter(counts).count();
    assert!(lines <= 60, "{lines} lines, not counting comments and imports");
}

/// A program of the image, and a variable in it, exist.
#[test]
fn the_image_builds_packages_of_the_workspace() {
    let file = fs::read_to_string(format!("{ROOT}/examples/axum-quickstart/Dockerfile")).unwrap();
    let build = file.lines().find_map(|line| line.strip_prefix("RUN cargo build ")).unwrap();
    let packages: Vec<&str> = build.split("-p ").skip(1).map(str::trim).collect();
    assert_eq!(packages, ["axum-quickstart", "auth0-local"]);
    for package in packages {
        assert!(file.contains(&format!("/src/target/release/{package} ")), "{package} is copied");
        let folders = [format!("{ROOT}/{package}"), format!("{ROOT}/examples/{package}")];
        assert!(folders.iter().any(|folder| fs::exists(format!("{folder}/Cargo.toml")).unwrap()));
    }
}
