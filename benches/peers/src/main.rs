//! Compares the verifier, and the frameworks that it protects, with other libraries. Run by hand:
//! see the README of this crate.
mod acceptance;
mod dpop;
mod http;
mod instructions;
mod load;
mod memory;
mod node;
mod process;
mod servers;
mod token;
mod verify;

use std::{env, error::Error, process::ExitCode};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["verify"] => verify::run(),
        ["http", only @ ..] => http::run(only),
        ["dpop"] => dpop::run(),
        ["instructions"] => instructions::run(),
        ["memory"] => memory::run(),
        // The commands that the ones above start as processes.
        ["serve", contender] => servers::serve(contender),
        ["load", servers @ ..] => load::run(servers),
        ["remember", token_cache] => memory::remember(token_cache),
        _ => Err("one of: verify, dpop, http, instructions, memory".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
