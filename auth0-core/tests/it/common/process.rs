//! Tests that need an environment of their own. The environment belongs to the whole process.
use std::process::Command;

/// Returns the command that runs one test of this program in a process of its own.
///
/// `module` is the `module_path!()` of the test.
pub(crate) fn test_in_a_process(module: &str, test: &str) -> Command {
    let (_, module) = module.split_once("::").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("{module}::{test}"), "--nocapture"]);
    command
}
