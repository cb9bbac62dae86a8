//! The table of calls that `.ci/grpc` makes with other libraries, made with the client of tonic.
use super::{CHECK, WATCH, call, start};
use auth0_axum::{
    Dpop,
    testing::{Failure, Tenant},
};
use serde::Deserialize;
use std::{collections::BTreeMap, fs};
use tonic::Status;
use wire_tests::{client, refusals::Refusal};

/// A row of `tests/clients/grpc.json`.
#[derive(Deserialize)]
struct Call {
    cause: String,
    server: String,
    method: String,
    metadata: BTreeMap<String, String>,
    status: i32,
    #[serde(default)]
    error_code: String,
    #[serde(default)]
    challenges: Vec<String>,
}

#[tokio::test]
async fn each_call_gets_the_status_of_the_table() {
    let tenant = Tenant::new();
    let failing = Tenant::named("failing");
    failing.fail(Failure::Unreachable);
    let open = start(|| tenant.auth0()).await;
    let dpop = start(|| tenant.builder().dpop(Dpop::required()).build().unwrap()).await;
    let outage = start(|| failing.auth0()).await;
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/grpc.json");
    let calls: Vec<Call> = serde_json::from_str(&fs::read_to_string(page).unwrap()).unwrap();
    assert_eq!(calls.len(), 8);
    let token = tenant.token().bound_to(&tenant.client_key()).mint();
    for row in &calls {
        let servers = match &*row.server {
            "open" => open,
            "dpop" => dpop,
            "outage" => outage,
            other => panic!("there is no server {other}"),
        };
        let refusal = (row.status != 0).then(|| Refusal::of(&row.error_code));
        let description = refusal.map_or("", |refusal| &refusal.description);
        let method = if row.method == "Check" { CHECK } else { WATCH };
        for (server, address) in servers {
            let proof = |path: &str| {
                let url = format!("http://{address}{path}");
                tenant.proof("POST", &url).for_token(&token).mint()
            };
            let filled = |text: &str| {
                text.replace("{plain}", &tenant.token().mint())
                    .replace("{of_outage}", &failing.token().mint())
                    .replace("{bound}", &token)
                    .replace("{proof of Check}", &proof(CHECK))
                    .replace("{proof of Watch}", &proof(WATCH))
                    .replace("{description}", description)
            };
            let metadata: Vec<(&'static str, String)> = ["authorization", "dpop"]
                .into_iter()
                .filter_map(|name| Some((name, filled(row.metadata.get(name)?))))
                .collect();
            assert_eq!(metadata.len(), row.metadata.len(), "{}", row.cause);
            let lines: Vec<_> = metadata.iter().map(|(name, value)| (*name, &**value)).collect();
            let seen = call(address, method, &lines).await.err().unwrap_or(Status::ok(""));
            let case = format!("{server}, {}: {seen:?}", row.cause);
            assert_eq!((seen.code() as i32, seen.message()), (row.status, description), "{case}");
            let values = |name: &str| {
                let values = seen.metadata().get_all(name).iter();
                values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            let challenges: Vec<String> = row.challenges.iter().map(|line| filled(line)).collect();
            assert_eq!(values("www-authenticate"), challenges, "{case}");
            let codes: Vec<&str> = refusal.iter().map(|refusal| &*refusal.code).collect();
            assert_eq!(values("error-code"), codes, "{case}");
            assert_eq!(values("retry-after").len(), usize::from(row.status == 14), "{case}");
        }
    }
    // The route beside the services answers in JSON.
    let (_, axum) = open[0];
    let answer = client::get(axum, "/api/private", &[]).await;
    assert_eq!((answer.status, answer.body), (401, Refusal::of("token_missing").body()));
}
