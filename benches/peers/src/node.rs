//! Servers in JavaScript, if Node is installed.
use crate::{Outcome, process::Pinned};
use std::{
    path::Path,
    process::{Command, Stdio},
};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node");

/// Installs the packages. The error says why the servers cannot run.
pub(crate) fn prepare() -> Result<(), &'static str> {
    if !succeeds(Command::new("node").arg("--version")) {
        return Err("no node");
    }
    if Path::new(DIRECTORY).join("node_modules").exists() {
        return Ok(());
    }
    let mut install = Command::new("npm");
    install.args(["ci", "--no-audit", "--no-fund"]).current_dir(DIRECTORY);
    if succeeds(&mut install) { Ok(()) } else { Err("npm could not install the packages") }
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// `express-protected` is `node express.js protected`.
pub(crate) fn command(core: usize, contender: &str) -> Outcome<Command> {
    let (file, variant) = contender.split_once('-').ok_or("no such contender")?;
    let mut command = Pinned::command(core, "node", &[&format!("{file}.js"), variant]);
    command.current_dir(DIRECTORY).env("NODE_ENV", "production");
    Ok(command)
}
