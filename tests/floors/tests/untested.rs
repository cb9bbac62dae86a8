//! Targets without tests say `test = false`, which spares a program for each of them. They must have none.
#![allow(clippy::expect_used, missing_docs)]

use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn what_is_not_tested_has_no_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut checked = 0;
    for manifest in manifests(&root) {
        let text = fs::read_to_string(&manifest).expect("a manifest is readable");
        let source = manifest.with_file_name("src");
        for target in text.split("\n[").filter(|section| section.contains("\ntest = false")) {
            let is_program_of_library =
                target.starts_with("[bin]") && source.join("lib.rs").exists();
            let files = match is_program_of_library {
                true => vec![source.join("main.rs")],
                false => files_below(&source),
            };
            assert!(!files.is_empty(), "{}", manifest.display());
            let is_code = |file: &PathBuf| file.extension().is_some_and(|end| end == "rs");
            for file in files.into_iter().filter(is_code) {
                let text = fs::read_to_string(&file).expect("a source file is readable");
                let has_tests = text.contains("test]\n") || text.contains("cfg(test)");
                assert!(!has_tests, "{}: remove `test = false` from Cargo.toml", file.display());
            }
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked}");
}

/// Returns the manifests of packages with a folder `src`, which are at most two folders deep.
fn manifests(root: &Path) -> Vec<PathBuf> {
    let folders = |of: &Path| {
        let entries = fs::read_dir(of).expect("a folder is readable");
        entries.map(|entry| entry.expect("an entry is readable").path()).filter(|it| it.is_dir())
    };
    let all = folders(root).flat_map(|folder| folders(&folder).chain([folder]).collect::<Vec<_>>());
    let packages = all.filter(|folder| folder.join("src").is_dir());
    packages.map(|folder| folder.join("Cargo.toml")).filter(|path| path.exists()).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder is readable");
    let paths = entries.map(|entry| entry.expect("an entry is readable").path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
