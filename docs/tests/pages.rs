//! What the pages say of the repository is so: tests and metrics exist, and links lead somewhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const FILES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// The published crates that count something.
const COUNTING: [&str; 3] = ["auth0-core", "auth0-client", "auth0-events"];

/// Every test that the pages about security name is a function of a test program.
#[test]
fn tests_that_are_named_exist() {
    let sources = files(Path::new(ROOT), "rs");
    let code: String = sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let known: BTreeSet<&str> = code.split("fn ").skip(1).map(word).collect();
    let mut named = 0;
    for page in ["security.md", "security-checks.md"] {
        let page = fs::read_to_string(format!("{ROOT}/docs/{page}")).unwrap();
        let mut is_of_tests = false;
        let mut before = "";
        for line in page.lines() {
            let cells = line.trim().trim_matches('|');
            let last = cells.rsplit('|').next().unwrap_or_default().trim();
            if line.starts_with('|') && !before.starts_with('|') {
                is_of_tests = last.starts_with("held by") || last.starts_with("test");
            }
            before = line;
            let names = last.split('`').skip(1).step_by(2);
            for name in
                names.filter(|name| is_of_tests && line.starts_with('|') && *name == word(name))
            {
                assert!(known.contains(name), "there is no test {name}");
                named += 1;
            }
        }
    }
    assert!(named > 200, "{named} tests are named");
}

/// The operator's page, the dashboard and the rules have the metrics of the code, and no others.
#[test]
fn metrics_that_are_named_exist() {
    let mut known = BTreeSet::new();
    for name in COUNTING {
        for path in files(&Path::new(ROOT).join(name).join("src"), "rs") {
            let code = fs::read_to_string(path).unwrap();
            known.extend(metrics_of(&code, "\"auth0_"));
        }
    }
    assert!(known.len() >= 20, "{known:?}");
    let page = fs::read_to_string(format!("{ROOT}/docs/operating.md")).unwrap();
    let named: BTreeSet<String> = metrics_of(&page, "`auth0_").collect();
    assert_eq!(named, known, "docs/operating.md lists every metric");
    for file in ["grafana-dashboard.json", "prometheus-rules.yml"] {
        let text = fs::read_to_string(format!("{ROOT}/docs/operating/{file}")).unwrap();
        let used: BTreeSet<String> = metrics_of(&text, "auth0_").collect();
        // A histogram is exported as three series.
        let exists = |name: &String| {
            let bare = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            known.contains(name) || bare.is_some_and(|bare| known.contains(bare))
        };
        for name in used {
            assert!(exists(&name), "{file}: there is no metric {name}");
        }
    }
}

/// The messages of the log that the page on operating lists are in the code, so that a search for one finds it.
#[test]
fn messages_that_are_named_exist() {
    let mut code = String::new();
    for crates in fs::read_dir(ROOT).unwrap() {
        let path = crates.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("auth0-") {
            for file in files(&path.join("src"), "rs") {
                code += &fs::read_to_string(file).unwrap();
            }
        }
    }
    // A text that goes on in the next line.
    let mut lines = code.split("\\\n");
    let first = lines.next().unwrap().to_owned();
    let code = lines.fold(first, |code, line| code + line.trim_start());

    let page = fs::read_to_string(format!("{ROOT}/docs/operating.md")).unwrap();
    let (_, log) = page.split_once("## The log").unwrap();
    let (log, _) = log.split_once("## Alerts").unwrap();
    let mut messages = 0;
    for line in log.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, "DEBUG" | "INFO" | "WARN" | "ERROR", message, ..] = cells[..] else { continue };
        for text in message.split('`').skip(1).step_by(2).flat_map(|text| text.split('…')) {
            let text = text.trim();
            assert!(text.starts_with("error_code=") || code.contains(text), "no message: {text}");
            messages += 1;
        }
    }
    assert!(messages > 80, "{messages} messages");
}

/// A relative link of a page leads to a file, and to a heading of it.
#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for page in pages() {
        let text = without_code(&fs::read_to_string(&page).unwrap());
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            // The registry's page of a crate, and docs.rs, have no other file of the repository.
            let place = page.strip_prefix(ROOT).unwrap().to_string_lossy();
            let is_of_crate = place.starts_with("auth0-");
            assert!(!is_of_crate || !target.starts_with("../"), "{place}: {target}");
            let is_of_repository = !target.contains("/blob/main/") || target.starts_with(FILES);
            assert!(is_of_repository, "{place}: {target} is not below `repository` of Cargo.toml");
            let target = match target.strip_prefix(FILES) {
                Some(path) => format!("{ROOT}/{path}"),
                None => target.to_owned(),
            };
            let is_relative = !target.contains("://") && !target.starts_with("mailto:");
            let is_file = target.contains(['.', '#', '/']) && !target.contains(' ');
            // What has colons or no point is a link of rustdoc to an item.
            if !is_relative || !is_file || target.contains("::") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let path = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(path.exists(), "{}: {target}", page.display());
            if !heading.is_empty() && path.extension().is_some_and(|end| end == "md") {
                let headings = headings(&fs::read_to_string(&path).unwrap());
                assert!(headings.contains(heading), "{}: {target}", page.display());
            }
            links += 1;
        }
    }
    assert!(links > 300, "{links} links");
}

/// The table of contents has every page of the guide.
#[test]
fn the_summary_has_every_page() {
    let summary = fs::read_to_string(format!("{ROOT}/docs/SUMMARY.md")).unwrap();
    for entry in fs::read_dir(format!("{ROOT}/docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") && name != "SUMMARY.md" {
            assert!(summary.contains(&format!("]({name})")), "{name} is not in SUMMARY.md");
        }
    }
    let library = fs::read_to_string(format!("{ROOT}/docs/src/lib.rs")).unwrap();
    for page in summary.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(library.contains(&format!("\"../{page}\"")), "src/lib.rs does not compile {page}");
    }
}

/// Returns the beginning of a text that is a name.
fn word(text: &str) -> &str {
    let ends = |c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_';
    text.split(ends).next().unwrap_or_default()
}

/// Returns the names that follow this start, which ends with their first word.
fn metrics_of<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = String> + 'a {
    text.split(start).skip(1).map(|rest| format!("auth0_{}", word(rest)))
}

fn pages() -> Vec<PathBuf> {
    let mut pages = files(&Path::new(ROOT).join("docs"), "md");
    for name in ["README.md", "AGENTS.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        pages.push(Path::new(ROOT).join(name));
    }
    pages.push(Path::new(ROOT).join("llms.txt"));
    pages.push(Path::new(ROOT).join("examples/README.md"));
    for entry in fs::read_dir(ROOT).unwrap() {
        let readme = entry.unwrap().path().join("README.md");
        let is_new = !pages.contains(&readme);
        if is_new && readme.exists() && readme.to_string_lossy().contains("auth0-") {
            pages.push(readme);
        }
    }
    pages
}

/// Returns the files below a folder, without those that were built or fetched.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_built =
            ["target", "node_modules", "book"].contains(&&*name) || name.starts_with('.');
        if path.is_dir() && !is_built {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    found
}

/// Removes blocks of code, and code in lines.
fn without_code(text: &str) -> String {
    let mut is_code = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            kept.extend(line.split('`').step_by(2));
            kept.push('\n');
        }
    }
    kept
}

/// Returns the names that headings have in links, as GitHub and mdBook make them.
fn headings(text: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let mut found: BTreeSet<String> = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        let Some(heading) = line.strip_prefix('#').filter(|_| !is_code) else { continue };
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let name: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let second = format!("{name}-1");
        let is_known = !found.insert(name);
        if is_known {
            found.insert(second);
        }
    }
    found
}
