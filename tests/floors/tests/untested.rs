//! Targets without tests say `test = false`, which spares a program for each of them. They must have none.
#![allow(clippy::expect_used, missing_docs)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

#[test]
fn what_is_not_tested_has_no_tests() {
    let mut checked = 0;
    for (package, target) in targets().iter().filter(|(_, target)| target["test"] == false) {
        let root = PathBuf::from(target["src_path"].as_str().expect("a target has a source"));
        let source = root.parent().expect("a source is in a folder");
        let kind = &target["kind"][0];
        let is_program_of_library = kind == "bin" && source.join("lib.rs").exists();
        // Tests and benchmarks say `harness = false`.
        if kind != "bin" && kind != "lib" {
            continue;
        }
        let files = if is_program_of_library { vec![root] } else { files_below(source) };
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "rs")) {
            let name = file.display();
            let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{name}: {error}"));
            let has_tests = text.contains("test]\n") || text.contains("cfg(test)");
            assert!(!has_tests, "{name}: remove `test = false` from Cargo.toml of {package}");
        }
        checked += 1;
    }
    assert!(checked >= 20, "{checked}");
}

/// Returns the targets of the workspace, each with the name of its package.
fn targets() -> Vec<(String, Value)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version=1", "--no-deps", "--locked", "--offline"]);
    let output = command.current_dir(workspace).output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let of_package = |package: &Value| {
        let name = package["name"].as_str().expect("a name").to_owned();
        let targets = package["targets"].as_array().expect("targets").clone();
        targets.into_iter().map(move |target| (name.clone(), target)).collect::<Vec<_>>()
    };
    packages.iter().flat_map(of_package).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder is readable");
    let paths = entries.map(|entry| entry.expect("an entry is readable").path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
