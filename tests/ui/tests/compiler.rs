//! The compiler messages for common mistakes.
use std::process::Command;

/// Messages differ between compilers. To record those of a newer one, run `TRYBUILD=overwrite cargo
/// test -p ui-tests` and change this constant.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn mistakes_are_explained() {
    let version = Command::new("rustc").arg("--version").output().expect("rustc can be run");
    let version = String::from_utf8_lossy(&version.stdout);
    if !version.starts_with(COMPILER) {
        println!("skipped: the messages are those of {COMPILER}x, and this is {version}");
        return;
    }
    trybuild::TestCases::new().compile_fail("compile_fail/*.rs");
}
