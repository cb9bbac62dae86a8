//! Sends one request with `auth0-client`, as `tests/clients` compares it with independent clients.
//!
//! The first line of the input describes a client and a request in JSON, and each line of the output is JSON. The last
//! one has the result: `tokens`, `done`, `error`, or the `mistake` in the description for which nothing was sent. A
//! request that waits for its user prints `started` before it. If the user enters a code, the next line of the input
//! has it.
//!
//! With the argument `certificate`, it prints a certificate that signs itself, and its key, in PEM.
mod answer;
mod client;
mod request;

use client::ClientDescription;
use request::Request;
use serde::Deserialize;
use serde_json::json;
use std::{env, io};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    client: ClientDescription,
    request: Request,
    /// An API that is called with the access token.
    api: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if env::args().nth(1).as_deref() == Some("certificate") {
        let pair =
            rcgen::generate_simple_self_signed(["client.test".to_owned()]).expect("a certificate");
        println!(
            "{}",
            json!({ "certificate": pair.cert.pem(), "key": pair.signing_key.serialize_pem() })
        );
        return;
    }
    let mut input = io::stdin().lines();
    let line = input.next().expect("a description").expect("readable");
    let Description { client, request, api } = serde_json::from_str(&line).expect("a description");
    let mut code = || input.next()?.ok();
    let result = match client.build() {
        Ok(client) => request.send(&client, &mut code).await,
        Err(mistake) => answer::mistake(&mistake),
    };
    let result = match api {
        Some(api) => answer::with_call(result, &api).await,
        None => result,
    };
    println!("{}", result.json());
}
