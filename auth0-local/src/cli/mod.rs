//! The command: what `main` runs.
mod certificate;
mod client;
mod drill;
mod member;
mod proof;
mod serve;
mod token;

use crate::error::LocalError;
use clap::{Parser, Subcommand};
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// An Auth0 tenant on your own machine, for development and tests only.
#[derive(Parser)]
#[command(version, name = "auth0-local")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Token(Box<token::Token>),
    Proof(Box<proof::Proof>),
    Rotate(drill::Rotate),
    Revoke(drill::Revoke),
    Fault(drill::SetFaults),
    Stats(drill::Stats),
}

/// Runs the command line of this process. What is wrong with the line itself ends it with status
/// 2, whatever else goes wrong with 1.
pub async fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(serve) => serve.run().await,
        Command::Token(token) => token.run().await,
        Command::Proof(proof) => proof.run(),
        Command::Rotate(rotate) => rotate.run().await,
        Command::Revoke(revoke) => revoke.run().await,
        Command::Fault(faults) => faults.run().await,
        Command::Stats(stats) => stats.run().await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

type Result = std::result::Result<(), LocalError>;

fn print(line: &str) -> Result {
    writeln!(io::stdout(), "{line}")
        .map_err(|error| LocalError::new(format!("the answer cannot be printed: {error}")))
}
