//! What the compiler says to those who write it wrong.
use std::process::Command;

/// Every compiler has words of its own. To take over a new one's: `TRYBUILD=overwrite cargo test -p
/// wire-tests --test compiler`, and this.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn mistakes_are_explained() {
    let version = Command::new("rustc").arg("--version").output().expect("there is a compiler");
    let version = String::from_utf8_lossy(&version.stdout);
    if !version.starts_with(COMPILER) {
        println!("skipped: the messages are those of {COMPILER}x, and this is {version}");
        return;
    }
    trybuild::TestCases::new().compile_fail("compile_fail/*.rs");
}
