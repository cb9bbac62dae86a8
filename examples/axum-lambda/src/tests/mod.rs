//! Events of API Gateway, as AWS Lambda passes them on, and the server on a socket beside the function.
mod pause;
mod responses;

use crate::{app, gateway::function};
use auth0_axum::{AccessToken, Auth0};
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Response},
    routing::post,
};
use base64::prelude::{BASE64_STANDARD, Engine};
use lambda_http::{Adapter, LambdaEvent, Request, request::LambdaRequest};
use serde_json::{Value, json};
use std::{convert::Infallible, net::SocketAddr};
use tokio::net::TcpListener;
use tower::{Service, ServiceExt};
use wire_tests::client::{self, Answer};

const HOST: &str = "id.execute-api.eu-central-1.amazonaws.com";

/// The API, with a route that returns what it got.
fn api(auth: Auth0) -> Router {
    let echo = async |token: AccessToken, headers: HeaderMap, body: Bytes| {
        let cookie = headers.get("cookie").map_or("", |cookie| cookie.to_str().unwrap());
        let seen = format!("{} | {cookie} | ", token.subject());
        ([("set-cookie", "a=1"), ("vary", "cookie")], [seen.as_bytes(), &body].concat())
    };
    Router::new().route("/api/echo", post(echo)).with_state(auth.clone()).merge(app(auth))
}

/// A request, for the server and for the gateway.
struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    lines: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
    stage: &'a str,
}

impl<'a> Asked<'a> {
    fn get(path: &'a str, lines: &[(&'a str, &'a str)]) -> Self {
        Self { method: "GET", path, lines: lines.to_vec(), body: b"", stage: "$default" }
    }

    /// Returns the event, in version 2.0 of the payload format.
    fn event(&self) -> Value {
        let Self { method, stage, body, .. } = *self;
        let path = match stage {
            "$default" => self.path.to_owned(),
            stage => format!("/{stage}{}", self.path),
        };
        let mut headers = json!({
            "host": HOST, "x-forwarded-for": "203.0.113.7", "x-forwarded-port": "443", "x-forwarded-proto": "https",
        });
        let mut cookies = Vec::new();
        for (name, value) in &self.lines {
            if *name == "cookie" {
                cookies.extend(value.split("; "));
                continue;
            }
            // The gateway joins several lines of a name with commas.
            headers[name] = match headers[name].as_str() {
                Some(before) => format!("{before},{value}").into(),
                None => (*value).into(),
            };
        }
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
            "cookies": cookies, "headers": headers,
            "requestContext": {
                "accountId": "123456789012", "apiId": "id", "domainName": HOST, "domainPrefix": "id",
                "http": {
                    "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7",
                    "userAgent": "agent",
                },
                "requestId": "id", "routeKey": "$default", "stage": stage,
                "time": "26/Nov/2026:07:00:00 +0000", "timeEpoch": 1_795_676_400_000_i64,
            },
            "body": BASE64_STANDARD.encode(body), "isBase64Encoded": true,
        })
    }
}

/// Calls the function with the event of a request.
async fn invoke(app: Router, asked: &Asked<'_>) -> Answer {
    answer_to(function(app), &asked.event()).await
}

/// Calls a service as `lambda_http::run` does, from JSON to JSON.
async fn answer_to<S>(service: S, event: &Value) -> Answer
where
    S: Service<Request, Response = Response<Body>, Error = Infallible, Future: Send> + 'static,
{
    let event: LambdaRequest = serde_json::from_str(&event.to_string()).unwrap();
    let event = LambdaEvent::new(event, lambda_http::Context::default());
    let response = Adapter::from(service).oneshot(event).await.unwrap();
    answer_of(&serde_json::to_value(response).unwrap())
}

fn answer_of(response: &Value) -> Answer {
    assert_eq!(response["multiValueHeaders"], json!({}), "version 2.0 does not have them");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = response["headers"].as_object().unwrap().iter();
    let headers = headers.map(|(name, value)| (name.clone(), text(value)));
    let cookies = response["cookies"].as_array().unwrap().iter();
    let cookies = cookies.map(|value| ("set-cookie".to_owned(), text(value)));
    let mut headers: Vec<_> = headers.chain(cookies).collect();
    headers.sort();
    let body = text(&response["body"]);
    let body = match response["isBase64Encoded"].as_bool().unwrap() {
        true => String::from_utf8(BASE64_STANDARD.decode(body).unwrap()).unwrap(),
        false => body,
    };
    let status = response["statusCode"].as_u64().unwrap();
    Answer { status: status.try_into().unwrap(), headers, body }
}

/// Calls the router with what `lambda_http` makes of the event, without the function around it.
async fn route(app: Router, asked: &Asked<'_>) -> Answer {
    let request = lambda_http::request::from_str(&asked.event().to_string()).unwrap();
    let response = app.oneshot(request.map(Body::new)).await.unwrap();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()));
    let mut headers: Vec<(String, String)> = headers.collect();
    headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

async fn listen(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn ask(server: SocketAddr, asked: &Asked<'_>) -> Answer {
    let lines: Vec<(&str, &[u8])> =
        asked.lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let target = format!("{} {}", asked.method, asked.path);
    match asked.body {
        b"" => client::send(server, &target, &format!("host: {HOST}\r\n"), &lines).await,
        body => client::send_body(server, &target, &lines, body, false).await,
    }
}

/// Joins the lines of each header but the cookies, as the function does.
fn joined(answer: &Answer) -> Answer {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in &answer.headers {
        match headers.last_mut() {
            Some((last, line)) if last == name && name != "set-cookie" => {
                *line = format!("{line}, {value}");
            }
            _ => headers.push((name.clone(), value.clone())),
        }
    }
    Answer { headers, ..answer.clone() }
}
