//! Tests that need an environment of their own. The environment belongs to the whole process.
use std::{env, process::Command};

/// Returns the command that runs one test of this program in a process of its own.
///
/// `module` is the `module_path!()` of the test.
pub(crate) fn test_in_a_process(module: &str, test: &str) -> Command {
    let (_, module) = module.split_once("::").unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", &format!("{module}::{test}"), "--nocapture"]);
    command
}

const IS_ALONE: &str = "TEST_IS_ALONE";

/// Runs a test once more in a process of its own, where no other test fetches. Returns whether this is that process.
pub(crate) fn is_alone(module: &str, test: &str) -> bool {
    if env::var_os(IS_ALONE).is_some() {
        return true;
    }
    let output = test_in_a_process(module, test).env(IS_ALONE, "yes").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{why}");
    false
}
