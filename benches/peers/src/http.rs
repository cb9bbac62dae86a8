//! Requests per second, and the processor time of the server for each.
use crate::{
    Outcome, acceptance,
    load::{self, Slice, Target},
    node,
    process::Pinned,
    token::Token,
};
use auth0_local::LocalTenant;
use std::error::Error;
use tokio::runtime::Builder;

const SERVER_CORE: usize = 0;
const LOAD_CORE: usize = 1;

/// How often each server is started. Where a program is in memory makes a difference of one or two percent, which is
/// another one at each start.
const STARTS: usize = 5;

struct Contender {
    /// The name for `serve`, or the file and variant for Node.
    command: &'static str,
    name: &'static str,
    tokens: usize,
}

const fn contender(command: &'static str, name: &'static str) -> Contender {
    Contender { command, name, tokens: 1 }
}

/// The frameworks. The first contender of each is its unprotected route.
const CONTENDERS: [&[Contender]; 5] = [
    &[
        contender("axum-open", "axum 0.8, unprotected"),
        contender(
            "axum-extractor-of-header",
            "axum, an extractor that finds the token, unprotected",
        ),
        contender(
            "axum-extractor-of-tag",
            "axum, an extractor that recognizes one token by its tag, unprotected",
        ),
        contender("axum-ours", "axum, our extractor, one token"),
        Contender {
            command: "axum-ours",
            name: "axum, our extractor, 2,048 tokens in rotation",
            tokens: 2048,
        },
        contender("axum-ours-uncached", "axum, our extractor, cache off"),
        contender("axum-layer-of-nothing", "axum, a layer that does nothing, unprotected"),
        contender(
            "axum-layer-of-tag",
            "axum, a layer that recognizes one token by its tag, unprotected",
        ),
        contender("axum-ours-layer", "axum, our `AuthLayer`, one token"),
        contender("axum-jsonwebtoken", "axum, jsonwebtoken 11 by hand"),
        contender("axum-oauth2-resource-server", "axum, tower-oauth2-resource-server"),
        contender("axum-jwt-auth", "axum, axum-jwt-auth"),
    ],
    &[
        contender("old-axum-open", "axum 0.7, unprotected"),
        contender("old-axum-jwt-authorizer", "axum 0.7, jwt-authorizer"),
    ],
    &[
        contender("actix-open", "actix-web, unprotected"),
        contender(
            "actix-extractor-of-header",
            "actix-web, an extractor that finds the token, unprotected",
        ),
        contender(
            "actix-extractor-of-tag",
            "actix-web, an extractor that recognizes one token by its tag, unprotected",
        ),
        contender("actix-ours", "actix-web, our extractor, one token"),
        contender("actix-ours-uncached", "actix-web, our extractor, cache off"),
        contender(
            "actix-middleware-of-nothing",
            "actix-web, a middleware that does nothing, unprotected",
        ),
        contender("actix-ours-middleware", "actix-web, our `RequireAuth`, one token"),
        contender("actix-jsonwebtoken", "actix-web, jsonwebtoken 11 by hand"),
    ],
    &[
        contender("express-open", "express 5, unprotected"),
        contender("express-protected", "express 5, express-oauth2-jwt-bearer"),
    ],
    &[
        contender("fastify-open", "fastify, unprotected"),
        contender("fastify-protected", "fastify, fastify-auth0-verify"),
    ],
];

/// Measures all frameworks, or those in `only`.
pub(crate) fn run(only: &[&str]) -> Outcome {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let tenant = runtime.block_on(LocalTenant::start())?;
    let tokens = Token::several(&tenant, 2048)?;
    let headers: Vec<&str> = tokens.iter().map(Token::header).collect();
    let node = node::prepare();

    let mut results = Vec::new();
    for framework in CONTENDERS {
        let is_asked_for = |contender: &Contender| {
            only.is_empty() || only.iter().any(|name| contender.command.starts_with(name))
        };
        if !framework.iter().any(is_asked_for) {
            continue;
        }
        let text = |error: Box<dyn Error>| error.to_string().replace(['\r', '\n'], " ");
        // The first one is what the others are compared with.
        let contenders = framework.iter().enumerate();
        let contenders = contenders.filter(|(at, contender)| *at == 0 || is_asked_for(contender));
        eprintln!("{}", framework.first().map_or("", |open| open.name));
        let contenders: Vec<_> = contenders.map(|(_, contender)| contender).collect();
        let mut rows: Vec<Row> =
            contenders.iter().map(|contender| (*contender, Ok(Vec::new()))).collect();
        for _ in 0..STARTS {
            let start = |contender: &&'static Contender| match (contender.is_node(), node) {
                (true, Err(reason)) => Err(format!("skipped: {reason}")),
                _ => contender
                    .start(&tenant, headers.first().copied().unwrap_or_default())
                    .map_err(|error| format!("not run: {}", text(error))),
            };
            let servers = contenders.iter().map(|contender| (*contender, start(contender)));
            // A server that fails meanwhile ends the measurement of its framework only.
            match measure(servers.collect(), &headers) {
                Ok(more) => rows.iter_mut().zip(more).for_each(|(row, more)| add(row, more)),
                Err(error) => {
                    let reason = format!("not run: {}", text(error));
                    rows.iter_mut().for_each(|(_, slices)| *slices = Err(reason.clone()));
                    break;
                }
            }
        }
        results.push(rows);
    }
    print(&results);
    print_acceptance(&tenant, node.is_ok());
    Ok(())
}

type Server = std::result::Result<(Pinned, u16), String>;

/// Measures the servers of a framework.
fn measure(servers: Vec<(&'static Contender, Server)>, headers: &[&str]) -> Outcome<Vec<Row>> {
    let mut arguments = vec!["load".to_owned()];
    for (contender, server) in &servers {
        if let Ok((process, port)) = server {
            let target = Target { port: *port, id: process.id(), tokens: contender.tokens };
            arguments.extend(target.arguments());
        }
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut load = Pinned::start(&mut Pinned::again(LOAD_CORE, &arguments)?)?;
    load.write(headers.join("\n").as_bytes())?;
    let mut rows: Vec<Row> = servers
        .iter()
        .map(|(contender, server)| {
            (*contender, server.as_ref().map(|_| Vec::new()).map_err(Clone::clone))
        })
        .collect();
    for _ in 0..Slice::COUNT {
        for slices in rows.iter_mut().filter_map(|(_, slices)| slices.as_mut().ok()) {
            slices.push(Slice::parse(&load.line()?)?);
        }
    }
    Ok(rows)
}

/// A contender, and what was measured in each slice, or why nothing was.
type Row = (&'static Contender, std::result::Result<Vec<Slice>, String>);

/// Adds what was measured of a contender after another start. It must have run each time.
fn add((_, slices): &mut Row, (_, more): Row) {
    match (slices, more) {
        (Ok(slices), Ok(more)) => slices.extend(more),
        (slices @ Ok(_), Err(reason)) => *slices = Err(reason),
        (Err(_), _) => {}
    }
}

fn print(results: &[Vec<Row>]) {
    println!("| | requests/s | CPU µs per request | ÷ unprotected | server's core busy |");
    println!("|---|---:|---:|---:|---:|");
    for rows in results {
        let open = rows.first().and_then(|(_, slices)| slices.as_deref().ok()).unwrap_or_default();
        for (Contender { name, .. }, slices) in rows {
            match slices {
                Ok(slices) => println!("| {name} | {} |", numbers(slices, open)),
                Err(reason) => println!("| {name} | {reason} | | | |"),
            }
        }
    }
}

/// The quotients are of two slices that follow each other, and are equally disturbed.
fn numbers(slices: &[Slice], open: &[Slice]) -> String {
    let time = |slice: &Slice| slice.processor / slice.requests;
    let of = |number: &dyn Fn(&Slice) -> f64| median(slices.iter().map(number).collect());
    format!(
        "{:.0} | {:.1} | {:.3} | {:.0} %",
        of(&|slice| slice.requests / slice.seconds),
        of(&time) * 1e6,
        median(slices.iter().zip(open).map(|(slice, open)| time(slice) / time(open)).collect()),
        of(&|slice| slice.processor / slice.seconds) * 100.0,
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Times are only comparable between verifiers that check the same. Unprotected routes are left
/// out, because they accept everything, and each verifier appears once.
fn print_acceptance(tenant: &LocalTenant, with_node: bool) {
    let bad = Token::bad(tenant);
    let protected = CONTENDERS.iter().flat_map(|framework| framework.iter().skip(1));
    let protected = protected
        .filter(|contender| contender.tokens == 1 && !contender.name.ends_with("unprotected"));
    acceptance::print(protected.filter(|contender| with_node || !contender.is_node()).filter_map(
        |contender| {
            let good = Token::new(tenant, 0);
            let (_server, port) = contender.start(tenant, good.header()).ok()?;
            let accepted = bad.each_ref().map(|(_, token)| load::is_answered(port, token.header()));
            Some((contender.name, accepted))
        },
    ));
}

impl Contender {
    fn is_node(&self) -> bool {
        self.command.starts_with("express") || self.command.starts_with("fastify")
    }

    /// Starts the server, and returns it with its port once it accepts this token.
    fn start(&self, tenant: &LocalTenant, header: &str) -> Outcome<(Pinned, u16)> {
        let mut command = if self.is_node() {
            node::command(SERVER_CORE, self.command)?
        } else {
            Pinned::again(SERVER_CORE, &["serve", self.command])?
        };
        command.env("ISSUER", tenant.issuer()).env("AUDIENCE", tenant.audience());
        let mut server = Pinned::start(&mut command)?;
        let port = server.line()?.parse()?;
        load::wait_until_ready(port, header)?;
        Ok((server, port))
    }
}
