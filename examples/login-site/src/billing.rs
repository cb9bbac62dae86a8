//! An API that is protected with access tokens. In production it is a service of its own.
use auth0_axum::{AccessToken, Auth0};
use axum::{Json, Router, routing::get};
use serde::{Deserialize, Serialize};
use std::io;
use tokio::net::TcpListener;

/// An invoice of a user.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Invoice {
    /// Its number.
    pub number: String,
    /// What it is for.
    pub title: String,
    /// The amount in cents.
    pub cents: u64,
}

async fn invoices(user: AccessToken) -> Json<Vec<Invoice>> {
    // The number shows that the API knows whose invoices these are.
    let mark =
        user.subject().bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
    let invoice = |place: u32, title: &str, cents| Invoice {
        number: format!("2026-{:03}-{place}", mark % 1000),
        title: title.to_owned(),
        cents,
    };
    Json(vec![invoice(1, "Subscription, November", 2900), invoice(2, "Additional seats", 1400)])
}

/// Starts the API on a free port, and returns its URL.
pub(crate) async fn start(auth: Auth0) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/invoices", get(invoices)).with_state(auth);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url)
}
