//! Every situation of the contract, on the wire, at all three servers.
mod metrics;
mod outage;
mod page;
mod requirements;
mod rows;
mod tokens;
mod unread_body;
mod workers;

use auth0_axum::testing::Tenant;
use rows::{Expected, Row, check};
use wire_tests::{client::get, servers};

#[tokio::test]
async fn every_row_gives_the_same_bytes_everywhere() {
    let tenant = Tenant::new();
    let servers = servers::start(|| tenant.auth0()).await;
    let rows = Row::all(&tenant);
    for row in &rows {
        let lines = row.lines();
        let mut answers = Vec::new();
        for (server, address) in servers {
            let answer = get(address, row.path, &lines).await;
            check(server, row, &answer);
            answers.push(answer);
        }
        if matches!(row.expected, Expected::Refused { .. }) {
            assert_eq!(answers[0], answers[1], "axum and actix: {}", row.name);
            assert_eq!(answers[0], answers[2], "axum and tower: {}", row.name);
        }
    }
    assert!(rows.len() > 150, "{} rows", rows.len());
}
