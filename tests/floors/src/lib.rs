//! The order of rooms in a crate. A room is a file or folder directly below `src`, and every file of a
//! room names only its own room and rooms that stand before it. So rooms cannot import in a circle.
mod source;

use source::Source;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The most files directly below `src`.
const FILES_AT_ROOT: usize = 20;

/// The most lines of a file, without its block of tests.
const LINES: usize = 450;

/// Macros that a crate exports stand at its root, wherever they are written.
const EXPORTED_MACROS: [&str; 4] = ["all_of", "any_of", "policy", "__actix_routes"];

/// Checks a crate's `src` folder against its rooms in order. Returns what breaks a rule.
#[must_use]
pub fn check(source: &Path, order: &[&str]) -> Vec<String> {
    let files = files_below(source);
    let rooms: BTreeSet<String> = files.iter().map(|file| room(source, file)).collect();
    let mut failures = Vec::new();
    for room in rooms.iter().filter(|room| floor_of(order, room).is_none()) {
        failures.push(format!(
            "src/{room}: not in the order of rooms: place it after the rooms that it names"
        ));
    }
    for room in
        order.iter().flat_map(|floor| floor.split('+')).filter(|room| !rooms.contains(*room))
    {
        failures.push(format!(
            "`{room}`: in the order of rooms but not in src: remove it from the order"
        ));
    }
    let at_root = files.iter().filter(|file| file.parent() == Some(source)).count();
    if at_root > FILES_AT_ROOT {
        failures.push(format!(
            "src: {at_root} files at the root, and at most {FILES_AT_ROOT} are allowed"
        ));
    }
    for file in &files {
        let text = fs::read_to_string(file).expect("a source file is readable");
        failures.extend(check_file(file.strip_prefix(source).expect("it is below"), &text, order));
    }
    failures
}

fn check_file(file: &Path, text: &str, order: &[&str]) -> Vec<String> {
    let source = Source::read(text, depth(file));
    let own = room(Path::new(""), file);
    let own_floor = floor_of(order, &own).unwrap_or(order.len());
    let is_allowed = |name: &str| match floor_of(order, name) {
        Some(floor) => floor < own_floor || name == own,
        None => EXPORTED_MACROS.contains(&name),
    };
    let file = file.display();
    let mut failures = Vec::new();
    if source.lines > LINES {
        failures
            .push(format!("src/{file}: {} lines, and at most {LINES} are allowed", source.lines));
    }
    for name in source.names.iter().filter(|name| !is_allowed(name.text)) {
        let rule = match floor_of(order, name.text).is_some() {
            true => format!(
                "`{own}` is not above it, and a room names only rooms on floors below its own"
            ),
            false => "this is no room: write the path through the room that has it".to_owned(),
        };
        failures.push(format!("src/{file}:{}: names `crate::{}`: {rule}", name.line, name.text));
    }
    failures
}

/// Returns the floor of a room, counted from the ground. Rooms on one floor are joined by `+`.
fn floor_of(order: &[&str], room: &str) -> Option<usize> {
    order.iter().position(|floor| floor.split('+').any(|name| name == room))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder is readable");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let (folders, mut files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.extend(folders.iter().flat_map(|folder| files_below(folder)));
    files
}

/// The first component below `src`.
fn room(source: &Path, file: &Path) -> String {
    let below = file.strip_prefix(source).expect("it is below");
    let first = below.iter().next().unwrap_or_default().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// How many modules below the crate's root the module of a file lies.
fn depth(file: &Path) -> usize {
    match file.iter().count() {
        1 if file == Path::new("lib.rs") || file == Path::new("main.rs") => 0,
        count => count - usize::from(file.ends_with("mod.rs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: [&str; 4] = ["error", "token", "policy+possession", "lib"];

    fn failures(file: &str, text: &str) -> Vec<String> {
        check_file(Path::new(file), text, &ORDER)
    }

    #[test]
    fn rooms_on_one_floor_do_not_name_each_other() {
        assert_eq!(failures("policy.rs", "use crate::token::Token;\n"), Vec::<String>::new());
        for (file, text) in [
            ("policy.rs", "use crate::possession::Proof;\n"),
            ("possession.rs", "use crate::policy::All;\n"),
        ] {
            assert_eq!(failures(file, text).len(), 1, "{file}");
        }
    }

    #[test]
    fn its_own_room_and_earlier_ones_may_be_named() {
        for (file, text) in [
            ("policy.rs", "use crate::{error::Error, policy::Any, token::Token};"),
            ("policy/mod.rs", "pub use crate::{all_of, any_of, policy};"),
            ("policy/any.rs", "use super::{Any};\nuse super::super::token::Token;"),
            (
                "token/claims/mod.rs",
                "use super::super::token::Token; use super::super::super::error;",
            ),
            ("lib.rs", "use self::policy::Any; pub use crate::token::Token;"),
            ("error.rs", "fn f() { crate::all_of![]; }"),
        ] {
            assert_eq!(failures(file, text), Vec::<String>::new(), "{file}: {text}");
        }
    }

    #[test]
    fn a_wrong_import_is_found() {
        let up = "`token` is not above it, and a room names only rooms on floors below its own";
        for (file, line, text) in [
            ("token.rs", 1, "use crate::policy::Any;"),
            ("token/mod.rs", 3, "use crate::{\n    error::Error,\n    policy::Any,\n};"),
            ("token/claims.rs", 2, "\nfn f(_: super::super::policy::Any) {}"),
            ("token.rs", 1, "use super::policy::Any;"),
            ("token.rs", 2, "#[cfg(test)] mod tests { use crate::policy; }\nuse crate::policy;"),
        ] {
            let expected = format!("src/{file}:{line}: names `crate::policy`: {up}");
            assert_eq!(failures(file, text), [expected], "{text}");
        }
        let not_a_room =
            "names `crate::Any`: this is no room: write the path through the room that has it";
        assert_eq!(
            failures("policy.rs", "use crate::Any;"),
            [format!("src/policy.rs:1: {not_a_room}")]
        );
    }

    #[test]
    fn long_files_are_found() {
        let text = "\n".repeat(LINES);
        assert_eq!(failures("token.rs", &text), Vec::<String>::new());
        let longer = failures("token.rs", &format!("{text}\n#[cfg(test)]\nmod tests {{\n}}\n"));
        assert_eq!(longer, ["src/token.rs: 451 lines, and at most 450 are allowed"]);
    }

    #[test]
    fn the_order_names_the_rooms_that_there_are() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        assert_eq!(check(&source, &["source", "lib"]), Vec::<String>::new());
        let failures = check(&source, &["lib", "parser"]);
        assert_eq!(
            failures,
            [
                "src/source: not in the order of rooms: place it after the rooms that it names",
                "`parser`: in the order of rooms but not in src: remove it from the order",
            ]
        );
    }
}
