//! Compares the verifier, and the frameworks it protects, with what else there is. By hand: see the
//! README beside this crate.
mod acceptance;
mod dpop;
mod http;
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
        ["memory"] => memory::run(),
        // What the commands above start.
        ["serve", contender] => servers::serve(contender),
        ["load", port, server] => load::run(port, server),
        ["remember", token_cache] => memory::remember(token_cache),
        _ => Err("one of: verify, dpop, http, memory".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
