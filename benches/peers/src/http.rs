//! Requests per second, and the processor time of the server for each.
use crate::{Outcome, acceptance, load, node, process::Pinned, token::Token};
use auth0_local::LocalTenant;
use std::{
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::Builder;

/// The machine is noisy: the best of these rounds counts.
const ROUNDS: usize = 3;
const SERVER_CORE: usize = 0;
const LOAD_CORE: usize = 1;
const PATIENCE: Duration = Duration::from_secs(10);
/// If neither the server nor the load used this share of its core, another process did. The
/// measurement is then repeated, up to `ATTEMPTS` in total.
const BUSY: f64 = 0.9;
const ATTEMPTS: usize = 3;

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
        contender("axum-ours", "axum, our extractor, one token"),
        Contender {
            command: "axum-ours",
            name: "axum, our extractor, 2,048 tokens in rotation",
            tokens: 2048,
        },
        contender("axum-ours-uncached", "axum, our extractor, cache off"),
        contender("axum-layer-of-nothing", "axum, a layer that does nothing, unprotected"),
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
        contender("actix-ours", "actix-web, our extractor, one token"),
        contender("actix-ours-uncached", "actix-web, our extractor, cache off"),
        contender("actix-middleware-of-nothing", "actix-web, a middleware that does nothing, unprotected"),
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

    let mut results = CONTENDERS.map(|framework| vec![Err(String::new()); framework.len()]);
    for round in 1..=ROUNDS {
        for (framework, results) in CONTENDERS.iter().zip(&mut results) {
            let is_asked_for = |contender: &Contender| {
                only.is_empty() || only.iter().any(|name| contender.command.starts_with(name))
            };
            if !framework.iter().any(is_asked_for) {
                continue;
            }
            for (contender, result) in framework.iter().zip(results) {
                eprintln!("round {round} of {ROUNDS}: {}", contender.name);
                let headers = headers.get(..contender.tokens).unwrap_or(&headers);
                let measured = match (contender.is_node(), node) {
                    (true, Err(reason)) => Err(format!("skipped: {reason}")),
                    _ => contender.measure_undisturbed(&tenant, headers).map_err(|error| {
                        format!("not run: {}", error.to_string().replace(['\r', '\n'], " "))
                    }),
                };
                *result = better(result, measured);
            }
        }
    }
    print(&results);
    print_acceptance(&tenant, node.is_ok());
    Ok(())
}

#[derive(Clone, Copy)]
struct Measured {
    requests_per_second: f64,
    /// Processor time of the server.
    microseconds_per_request: f64,
    /// The share of its core that the server used, and the share that the load used of its own.
    server_busy: f64,
    load_busy: f64,
}

impl Measured {
    fn is_undisturbed(&self) -> bool {
        self.server_busy.max(self.load_busy) >= BUSY
    }

    fn is_better_than(&self, other: &Self) -> bool {
        self.microseconds_per_request < other.microseconds_per_request
    }
}

type Result = std::result::Result<Measured, String>;

fn better(before: &Result, now: Result) -> Result {
    match (before, now) {
        (Ok(before), Ok(now)) if now.is_better_than(before) => Ok(now),
        (Ok(before), _) => Ok(*before),
        (Err(_), now) => now,
    }
}

fn print(results: &[Vec<Result>]) {
    println!(
        "| | requests/s | CPU µs per request | ÷ unprotected | server's core busy | load's core busy |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for (framework, results) in CONTENDERS.iter().zip(results) {
        let open = results.first().and_then(|result| result.as_ref().ok());
        let open = open.map_or(f64::NAN, |open| open.microseconds_per_request);
        for (Contender { name, .. }, result) in framework.iter().zip(results) {
            match result {
                Ok(measured) => println!(
                    "| {name} | {:.0} | {:.1} | {:.2} | {:.0} % | {:.0} % |",
                    measured.requests_per_second,
                    measured.microseconds_per_request,
                    measured.microseconds_per_request / open,
                    measured.server_busy * 100.0,
                    measured.load_busy * 100.0,
                ),
                Err(reason) => println!("| {name} | {reason} | | | | |"),
            }
        }
    }
}

/// Times are only comparable between verifiers that check the same. Unprotected routes are left
/// out, because they accept everything, and each verifier appears once.
fn print_acceptance(tenant: &LocalTenant, with_node: bool) {
    let bad = Token::bad(tenant);
    let protected = CONTENDERS.iter().flat_map(|framework| framework.iter().skip(1));
    let protected =
        protected.filter(|contender| contender.tokens == 1 && !contender.name.ends_with("unprotected"));
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

    fn measure_undisturbed(&self, tenant: &LocalTenant, headers: &[&str]) -> Outcome<Measured> {
        let mut best = self.measure(tenant, headers)?;
        for _ in 1..ATTEMPTS {
            if best.is_undisturbed() {
                break;
            }
            eprintln!("  disturbed, measuring again");
            let again = self.measure(tenant, headers)?;
            if again.is_better_than(&best) {
                best = again;
            }
        }
        Ok(best)
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
        wait_until_ready(port, header)?;
        Ok((server, port))
    }

    fn measure(&self, tenant: &LocalTenant, headers: &[&str]) -> Outcome<Measured> {
        let (server, port) = self.start(tenant, headers.first().ok_or("no tokens")?)?;
        let (port, server_id) = (port.to_string(), server.id().to_string());
        let mut load = Pinned::again(LOAD_CORE, &["load", &port, &server_id])?;
        let mut load = Pinned::start(&mut load)?;
        load.write(headers.join("\n").as_bytes())?;
        let line = load.line()?;
        let numbers: Vec<f64> =
            line.split(' ').map(str::parse).collect::<std::result::Result<_, _>>()?;
        let [requests, time, processor, mine] = numbers[..] else {
            return Err("the load printed no result".into());
        };
        Ok(Measured {
            requests_per_second: requests / time,
            microseconds_per_request: processor * 1e6 / requests,
            server_busy: processor / time,
            load_busy: mine / time,
        })
    }
}

/// Waits until a server accepts the token: some fetch the keys after they have begun to respond.
fn wait_until_ready(port: u16, header: &str) -> Outcome {
    let began = Instant::now();
    while !load::is_answered(port, header) {
        if began.elapsed() > PATIENCE {
            return Err("it does not answer with 200".into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
