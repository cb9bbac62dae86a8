//! The instructions of a server for one request. Valgrind counts them, so neither the machine nor its load matters.
use crate::{Outcome, load, process::Pinned, token::Token};
use auth0_local::LocalTenant;
use std::{env, fs, path::Path, process};
use tokio::runtime::Builder;

const CORE: usize = 0;
/// What is counted is the difference of two runs, so that the start of the server is in none.
const REQUESTS: [usize; 2] = [500, 2_500];

/// The frameworks. The first server of each is its unprotected route, and the next are it with a layer of nothing, and
/// with an extractor or a layer that only recognizes one token by its tag.
const SERVERS: [&[&str]; 2] = [
    &[
        "axum-open",
        "axum-layer-of-nothing",
        "axum-extractor-of-tag",
        "axum-layer-of-tag",
        "axum-ours",
        "axum-ours-layer",
    ],
    &[
        "actix-open",
        "actix-middleware-of-nothing",
        "actix-extractor-of-tag",
        "actix-ours",
        "actix-ours-middleware",
    ],
];

pub(crate) fn run() -> Outcome {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let tenant = runtime.block_on(LocalTenant::start())?;
    let token = Token::new(&tenant, 0);
    let output = env::temp_dir().join(format!("peers-{}.callgrind", process::id()));
    println!("| server | instructions for one request | more than unprotected |");
    println!("|---|---:|---:|");
    for framework in SERVERS {
        let mut open = 0;
        for (at, server) in framework.iter().enumerate() {
            let mut counts = [0; 2];
            for (count, requests) in counts.iter_mut().zip(REQUESTS) {
                *count = instructions(server, &tenant, &token, requests, &output)?;
            }
            let of_one = (counts[1] - counts[0]) / (REQUESTS[1] - REQUESTS[0]);
            if at == 0 {
                open = of_one;
            }
            println!("| {server} | {of_one} | {} |", of_one.abs_diff(open));
        }
    }
    Ok(fs::remove_file(output)?)
}

/// Returns the instructions of a server, from its start to its end.
fn instructions(
    server: &str,
    tenant: &LocalTenant,
    token: &Token,
    requests: usize,
    output: &Path,
) -> Outcome<usize> {
    let program = env::current_exe()?;
    let program = program.to_str().ok_or("the path of this program is not Unicode")?;
    let file = format!("--callgrind-out-file={}", output.display());
    let arguments = ["-q", "--tool=callgrind", "--cache-sim=no", &file, program, "serve", server];
    let mut command = Pinned::command(CORE, "valgrind", &arguments);
    command.env("ISSUER", tenant.issuer()).env("AUDIENCE", tenant.audience());
    let mut process = Pinned::start(&mut command)?;
    let port = process.line()?.parse()?;
    load::wait_until_ready(port, token.header())?;
    load::send(port, token.header(), requests)?;
    process.end()?;
    let counted = fs::read_to_string(output)?;
    let total = counted.lines().find_map(|line| line.strip_prefix("totals: "));
    Ok(total.ok_or("callgrind wrote no total")?.trim().parse()?)
}
