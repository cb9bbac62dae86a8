//! Requests per second, and the processor time of the server for each.
use crate::{Outcome, acceptance, load, node, process::Pinned, token::Token};
use auth0_local::LocalTenant;
use std::error::Error;
use tokio::runtime::Builder;

/// Other programs use the machine, too, and its frequency changes. So the servers of a framework are
/// measured in turn, for a short time each. Of the times, the fastest of these rounds counts. Of the
/// quotients, whose terms are of one round and equally disturbed, the median.
const ROUNDS: usize = 40;
const SERVER_CORE: usize = 0;
const LOAD_CORE: usize = 1;

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
        let mut servers = Vec::new();
        for (_, contender) in contenders {
            let server = match (contender.is_node(), node) {
                (true, Err(reason)) => Err(format!("skipped: {reason}")),
                _ => contender
                    .start(&tenant, headers.first().copied().unwrap_or_default())
                    .map_err(|error| format!("not run: {}", text(error))),
            };
            servers.push((contender, server, Vec::new()));
        }
        for round in 1..=ROUNDS {
            eprintln!(
                "{}: round {round} of {ROUNDS}",
                framework.first().map_or("", |open| open.name)
            );
            for (contender, server, rounds) in &mut servers {
                let Ok((process, port)) = server else { continue };
                let headers = headers.get(..contender.tokens).unwrap_or(&headers);
                match measure(process, *port, headers) {
                    Ok(measured) => rounds.push(measured),
                    Err(error) => *server = Err(format!("not run: {}", text(error))),
                }
            }
        }
        let measured = |(contender, server, rounds): (_, std::result::Result<_, _>, _)| {
            (contender, server.map(|_| rounds))
        };
        results.push(servers.into_iter().map(measured).collect());
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
    /// The share of its core that the server used.
    server_busy: f64,
}

/// A contender, and what was measured in each round, or why nothing was.
type Row = (&'static Contender, std::result::Result<Vec<Measured>, String>);

fn print(results: &[Vec<Row>]) {
    println!("| | requests/s | CPU µs per request | ÷ unprotected | server's core busy |");
    println!("|---|---:|---:|---:|---:|");
    for rows in results {
        let open = rows.first().and_then(|(_, rounds)| rounds.as_deref().ok()).unwrap_or_default();
        for (Contender { name, .. }, rounds) in rows {
            match rounds {
                Ok(rounds) => println!("| {name} | {} |", numbers(rounds, open)),
                Err(reason) => println!("| {name} | {reason} | | | |"),
            }
        }
    }
}

fn numbers(rounds: &[Measured], open: &[Measured]) -> String {
    let time = |round: &Measured| round.microseconds_per_request;
    let fastest = rounds.iter().min_by(|one, other| time(one).total_cmp(&time(other)));
    let Some(fastest) = fastest else { return "not run | | |".to_owned() };
    format!(
        "{:.0} | {:.1} | {:.2} | {:.0} %",
        fastest.requests_per_second,
        time(fastest),
        median(rounds.iter().zip(open).map(|(round, open)| time(round) / time(open)).collect()),
        fastest.server_busy * 100.0,
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

/// Measures a server for a short time.
fn measure(server: &Pinned, port: u16, headers: &[&str]) -> Outcome<Measured> {
    let (port, server_id) = (port.to_string(), server.id().to_string());
    let mut load = Pinned::again(LOAD_CORE, &["load", &port, &server_id])?;
    let mut load = Pinned::start(&mut load)?;
    load.write(headers.join("\n").as_bytes())?;
    let line = load.line()?;
    let numbers: Vec<f64> =
        line.split(' ').map(str::parse).collect::<std::result::Result<_, _>>()?;
    let [requests, time, processor] = numbers[..] else {
        return Err("the load printed no result".into());
    };
    Ok(Measured {
        requests_per_second: requests / time,
        microseconds_per_request: processor * 1e6 / requests,
        server_busy: processor / time,
    })
}
