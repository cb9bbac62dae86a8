//! The memory of 10,000 cached tokens.
use crate::{
    Outcome,
    process::{Pinned, resident_kibibytes},
    token::Token,
};
use auth0_core::{Auth0, adapter::RequestView};
use auth0_local::LocalTenant;
use std::{env, io};

const TOKENS: usize = 10_000;

pub(crate) fn run() -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let tenant = runtime.block_on(LocalTenant::start())?;
    let tokens = Token::several(&tenant, TOKENS)?;
    let headers: Vec<&str> = tokens.iter().map(Token::header).collect();
    let mean = headers.iter().map(|header| header.len()).sum::<usize>() / TOKENS;
    let headers = headers.join("\n");

    println!("| {TOKENS} tokens of {mean} bytes | before, MiB | after, MiB | difference, MiB |");
    println!("|---|---:|---:|---:|");
    for (name, token_cache) in [("cache off", 0), ("cache of 10,000", TOKENS)] {
        // A process that has not minted tokens: memory left by minting would count as the cache, or
        // the cache would reuse it.
        let mut command = Pinned::again(0, &["remember", &token_cache.to_string()])?;
        command.env("ISSUER", tenant.issuer()).env("AUDIENCE", tenant.audience());
        let mut child = Pinned::start(&mut command)?;
        child.write(headers.as_bytes())?;
        println!("| {name} | {}", child.line()?);
    }
    Ok(())
}

/// Verifies the tokens from the standard input. The input stays in memory, so it is in both
/// numbers.
pub(crate) fn remember(token_cache: &str) -> Outcome {
    let headers = io::read_to_string(io::stdin())?;
    let auth = Auth0::builder()
        .issuer(env::var("ISSUER")?)
        .audience(env::var("AUDIENCE")?)
        .token_cache(token_cache.parse()?)
        .build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(auth.warm_up())?;
    let before = resident_kibibytes()?;
    for header in headers.lines() {
        let request = RequestView::new().authorization([header.as_bytes()]);
        auth.authenticate_now(&request).ok_or("the keys are not available")??;
    }
    let after = resident_kibibytes()?;
    let mebibytes = |kibibytes: u64| kibibytes as f64 / 1024.0;
    let (before, after) = (mebibytes(before), mebibytes(after));
    println!("{before:.1} | {after:.1} | {:.1} |", after - before);
    Ok(())
}
