//! What 10,000 remembered tokens take.
use crate::{
    Outcome,
    process::{Pinned, resident_kibibytes},
    token::Token,
};
use auth0_core::{Auth0, RequestView};
use auth0_local::LocalTenant;
use std::{env, io};

const TOKENS: usize = 10_000;

pub(crate) fn run() -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let tenant = runtime.block_on(LocalTenant::start())?;
    let tokens = Token::several(&tenant, TOKENS)?;
    let fields: Vec<&str> = tokens.iter().map(Token::field).collect();
    let mean = fields.iter().map(|field| field.len()).sum::<usize>() / TOKENS;
    let fields = fields.join("\n");

    println!("| {TOKENS} tokens of {mean} bytes | before, MiB | after, MiB | difference, MiB |");
    println!("|---|---:|---:|---:|");
    for (name, token_cache) in [("cache off", 0), ("cache of 10,000", TOKENS)] {
        // A process of its own, which has not minted any: what that leaves behind would be taken for
        // the cache, or the cache would find room in it.
        let mut command = Pinned::again(0, &["remember", &token_cache.to_string()])?;
        command.env("ISSUER", tenant.issuer()).env("AUDIENCE", tenant.audience());
        let mut child = Pinned::start(&mut command)?;
        child.write(fields.as_bytes())?;
        println!("| {name} | {}", child.line()?);
    }
    Ok(())
}

/// With the tokens from the standard input. They are all kept, so they are in both numbers.
pub(crate) fn remember(token_cache: &str) -> Outcome {
    let fields = io::read_to_string(io::stdin())?;
    let auth = Auth0::builder()
        .issuer(env::var("ISSUER")?)
        .audience(env::var("AUDIENCE")?)
        .token_cache(token_cache.parse()?)
        .build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(auth.warm_up())?;
    let before = resident_kibibytes()?;
    for field in fields.lines() {
        let request = RequestView::new().authorization([field.as_bytes()]);
        auth.authenticate_now(&request).ok_or("the keys are not at hand")??;
    }
    let after = resident_kibibytes()?;
    let mebibytes = |kibibytes: u64| kibibytes as f64 / 1024.0;
    let (before, after) = (mebibytes(before), mebibytes(after));
    println!("{before:.1} | {after:.1} | {:.1} |", after - before);
    Ok(())
}
