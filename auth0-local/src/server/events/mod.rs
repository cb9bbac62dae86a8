//! `GET /api/v2/events`, Auth0's Events API: a stream of server-sent events. And the drills of it.
mod authorization;
mod drill;
mod error;
mod query;
mod stream;

pub(crate) use drill::PATH as DRILL_PATH;

use super::{faulty::observed, host::no_foreign_origin};
use crate::{endpoint::Endpoint, running::RunningTenant};
use authorization::authorize;
use axum::{
    Router,
    body::Body,
    extract::{RawQuery, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use error::ManagementError;
use query::EventQuery;
use stream::EventStream;

/// What a client that meets the limit of connections should wait, in seconds.
const RETRY_AFTER: u32 = 5;

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    let drill = get(drill::show).post(drill::change).delete(drill::clear);
    Router::new()
        .route("/api/v2/events", observed(get(subscribe), running, Endpoint::Events))
        .route(DRILL_PATH, drill.route_layer(no_foreign_origin))
}

async fn subscribe(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ManagementError> {
    authorize(&running, &headers)?;
    let faults = running.events().faults();
    if let Some(status) = faults.status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let error = ManagementError::new(status, "local_fault", "This is a drill.");
        return Err(error.with_retry_after(faults.retry_after));
    }
    let EventQuery { start, kinds } = EventQuery::read(&headers, &query.unwrap_or_default())?;
    let limit = running.settings().event_connections;
    let reader = running.events().subscribe(&start, kinds, limit).map_err(|_| {
        let message = format!("The tenant has {limit} connections to the Events API already.");
        ManagementError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)
            .with_retry_after(Some(RETRY_AFTER))
    })?;
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(EventStream::start(running, reader))).into_response())
}
