//! gRPC calls behind the layer, with the client of tonic: through axum's server, and through tonic's own.
mod table;

use auth0_axum::{
    AccessToken, Auth0, AuthLayer, Dpop, GrpcMethods,
    policy::scope,
    testing::{Failure, Tenant},
};
use axum::{Router, routing::get};
use http::HeaderName;
use std::{collections::BTreeSet, net::SocketAddr};
use tokio::net::TcpListener;
use tonic::{
    Code, Request, Status,
    service::Routes,
    transport::{Endpoint, Server, server::TcpIncoming},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower_http::cors::CorsLayer;
use wire_tests::{client, refusals::Refusal};

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

fn layer(auth: Auth0) -> AuthLayer {
    AuthLayer::new(auth).grpc_methods(GrpcMethods::new().method(WATCH, scope("read:messages")))
}

async fn private(token: AccessToken) -> String {
    token.subject().to_owned()
}

/// Starts both servers, each with its own verifier.
async fn start(auth: impl Fn() -> Auth0) -> [(&'static str, SocketAddr); 2] {
    let health = || tonic_health::server::health_reporter().1;
    let (by_axum, by_tonic) = (auth(), auth());
    let grpc = Routes::new(health()).prepare().into_axum_router().layer(layer(by_axum.clone()));
    let http = Router::new().route("/api/private", get(private)).with_state(by_axum);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let axum = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, http.merge(grpc)).await });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tonic = listener.local_addr().unwrap();
    let server = Server::builder().layer(layer(by_tonic)).add_service(health());
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    [("axum", axum), ("tonic", tonic)]
}

/// Calls a method with these lines of metadata.
async fn call(
    server: SocketAddr,
    method: &str,
    lines: &[(&'static str, &str)],
) -> Result<(), Status> {
    let channel = Endpoint::new(format!("http://{server}")).unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(channel);
    let mut request = Request::new(HealthCheckRequest::default());
    for (name, value) in lines {
        request.metadata_mut().append(*name, value.parse().unwrap());
    }
    match method {
        CHECK => client.check(request).await.map(drop),
        _ => client.watch(request).await.map(drop),
    }
}

fn assert_status(status: &Status, code: Code, error_code: &str, challenge: &str, case: &str) {
    let refusal = Refusal::of(error_code);
    assert_eq!((status.code(), status.message()), (code, &*refusal.description), "{case}");
    let text = |name: &str| {
        let values = status.metadata().get_all(name).iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(text("error-code"), [error_code], "{case}");
    let challenges = text("www-authenticate");
    match challenge {
        "" => assert!(challenges.is_empty(), "{case}: {challenges:?}"),
        challenge => {
            assert!(challenges.iter().any(|it| it.contains(challenge)), "{case}: {challenges:?}")
        }
    }
    assert_eq!(text("retry-after").len(), usize::from(code == Code::Unavailable), "{case}");
}

#[tokio::test]
async fn every_refusal_is_a_status() {
    let tenant = Tenant::new();
    let bearer = |token: auth0_axum::testing::TokenBuilder| format!("Bearer {}", token.mint());
    let plain = bearer(tenant.token());
    let reader = bearer(tenant.token().scope("read:messages"));
    let expired = bearer(tenant.token().expired());
    let forged = bearer(tenant.token().broken_signature());
    type Row<'a> = (&'a str, &'a str, Option<(Code, &'a str, &'a str)>);
    let bare = "algs=\"ES256\"";
    let rows: [Row<'_>; 8] = [
        (CHECK, "", Some((Code::Unauthenticated, "token_missing", bare))),
        (CHECK, "Bearer x", Some((Code::Unauthenticated, "token_malformed", "invalid_token"))),
        (CHECK, "Bearer", Some((Code::Unauthenticated, "request_malformed", "invalid_request"))),
        (CHECK, &expired, Some((Code::Unauthenticated, "token_expired", "invalid_token"))),
        (CHECK, &forged, Some((Code::Unauthenticated, "signature_invalid", "invalid_token"))),
        (CHECK, &plain, None),
        (
            WATCH,
            &plain,
            Some((Code::PermissionDenied, "insufficient_scope", "scope=\"read:messages\"")),
        ),
        (WATCH, &reader, None),
    ];
    for (server, address) in start(|| tenant.auth0()).await {
        for (method, authorization, expected) in rows {
            let case = format!("{server} {method} {authorization}");
            let lines = [("authorization", authorization)];
            let lines = if authorization.is_empty() { &[][..] } else { &lines[..] };
            match (call(address, method, lines).await, expected) {
                (Ok(()), None) => {}
                (Err(status), Some((code, error_code, challenge))) => {
                    assert_status(&status, code, error_code, challenge, &case);
                }
                (answer, _) => panic!("{case}: {answer:?}"),
            }
        }
        // The route beside it answers in JSON.
        if server == "axum" {
            let answer = client::get(address, "/api/private", &[]).await;
            assert_eq!((answer.status, &answer.body), (401, &Refusal::of("token_missing").body()));
            let lines: [(&str, &[u8]); 1] = [("authorization", plain.as_bytes())];
            assert_eq!(client::get(address, "/api/private", &lines).await.status, 200);
        }
    }
    tenant.fail(Failure::Unreachable);
    for (server, address) in start(|| tenant.auth0()).await {
        let status = call(address, CHECK, &[("authorization", &plain)]).await.unwrap_err();
        assert_status(&status, Code::Unavailable, "keys_unavailable", "", server);
    }
}

/// The proof is for `POST` and the URL of the method.
#[tokio::test]
async fn dpop_proves_the_call_of_a_method() {
    let tenant = Tenant::new();
    let token = tenant.token().bound_to(&tenant.client_key()).mint();
    let authorization = format!("DPoP {token}");
    let auth = || tenant.builder().dpop(Dpop::required()).build().unwrap();
    for (server, address) in start(auth).await {
        let proof = |method: &str, path: &str| {
            let url = format!("http://{address}{path}");
            tenant.proof(method, &url).for_token(&token).mint()
        };
        for (method, path, error_code) in [
            ("POST", CHECK, ""),
            ("GET", CHECK, "dpop_proof_invalid"),
            ("POST", WATCH, "dpop_proof_invalid"),
        ] {
            let proof = proof(method, path);
            let lines = [("authorization", &*authorization), ("dpop", &*proof)];
            let answer = call(address, CHECK, &lines).await;
            match error_code {
                "" => assert!(answer.is_ok(), "{server} {answer:?}"),
                code => {
                    let status = answer.unwrap_err();
                    assert_status(
                        &status,
                        Code::Unauthenticated,
                        code,
                        "invalid_dpop_proof",
                        server,
                    );
                }
            }
        }
        let status = call(address, CHECK, &[("authorization", &authorization)]).await.unwrap_err();
        assert_status(&status, Code::Unauthenticated, "dpop_proof_missing", "DPoP error=", server);
    }
}

/// Trailers-only: the headers of the response are all of it.
#[tokio::test]
async fn a_refusal_has_no_body() {
    let tenant = Tenant::new();
    for (server, address) in start(|| tenant.auth0()).await {
        for (sent, answered) in [
            ("application/grpc", Some("application/grpc")),
            ("application/grpc+proto", Some("application/grpc")),
            ("Application/gRPC; a=b", Some("application/grpc")),
            ("application/grpc-web+proto", Some("application/grpc-web")),
            ("application/grpc-web-text", Some("application/grpc-web-text")),
            ("application/grpcx", None),
            ("application/json", None),
            ("", None),
        ] {
            let stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let (client, connection) = h2::client::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            let mut request = http::Request::post(format!("http://{address}{CHECK}"));
            if !sent.is_empty() {
                request = request.header("content-type", sent);
            }
            let request = request.body(()).unwrap();
            let (response, _) = client.ready().await.unwrap().send_request(request, true).unwrap();
            let response = response.await.unwrap();
            let case = format!("{server} {sent:?} {response:?}");
            let media_type = response.headers()["content-type"].to_str().unwrap();
            match answered {
                Some(answered) => {
                    assert_eq!((response.status().as_u16(), media_type), (200, answered), "{case}");
                    assert_eq!(response.headers()["grpc-status"], "16", "{case}");
                    assert_eq!(response.headers()["cache-control"], "no-store", "{case}");
                    assert!(response.body().is_end_stream(), "{case}");
                }
                None => {
                    assert_eq!(
                        (response.status().as_u16(), media_type),
                        (401, "application/json"),
                        "{case}"
                    );
                    assert!(!response.headers().contains_key("grpc-status"), "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_most_specific_requirement_counts() {
    let tenant = Tenant::new();
    let methods = GrpcMethods::new()
        .default(scope("default"))
        .service("acme.Messages", scope("messages"))
        .service("/acme.Other/", scope("other"))
        .method("/acme.Messages/Purge", scope("purge"))
        .method("acme.Messages/Trim", scope("trim"))
        .open("grpc.health.v1.Health")
        .open("/acme.Messages/Hello");
    let layer = AuthLayer::new(tenant.auth0()).require(scope("all")).grpc_methods(methods);
    let app = Router::new().fallback(async || "").layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let scopes = ["default", "messages", "other", "purge", "trim"];
    for (path, needed) in [
        ("/acme.Messages/Purge", "purge"),
        ("/acme.Messages/Trim", "trim"),
        ("/acme.Messages/List", "messages"),
        ("/acme.Messages/purge", "messages"),
        ("/acme.Messages/Purge/", "messages"),
        ("/acme.Messages/Pur%67e", "messages"),
        ("/acme.Messages/", "messages"),
        ("/acme.Other/Any", "other"),
        ("/acme.messages/Purge", "default"),
        ("/acme.Messages", "default"),
        ("/acme.Unknown/Any", "default"),
        ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "default"),
        ("/", "default"),
        ("/grpc.health.v1.Health/Check", ""),
        ("/acme.Messages/Hello", ""),
    ] {
        // Of any content type: a server may run the method all the same.
        for content_type in ["application/grpc", "application/json"] {
            let anonymous: [(&str, &[u8]); 1] = [("content-type", content_type.as_bytes())];
            let answer = client::get(address, path, &anonymous).await;
            let is_open = answer.status == 200 && answer.lines("grpc-status").is_empty();
            assert_eq!(is_open, needed.is_empty(), "{path} {answer:?}");
            let mut enough = BTreeSet::new();
            for scope in scopes {
                let token = tenant.token().scope(&format!("all {scope}")).mint();
                let authorization = format!("Bearer {token}");
                let lines = [anonymous[0], ("authorization", authorization.as_bytes())];
                let answer = client::get(address, path, &lines).await;
                if answer.status == 200 && answer.lines("grpc-status").is_empty() {
                    enough.insert(scope);
                }
            }
            match needed {
                "" => assert_eq!(enough.len(), scopes.len(), "{path}"),
                needed => assert_eq!(enough, BTreeSet::from([needed]), "{path} {content_type}"),
            }
        }
    }
}

/// A router inside the layer takes off the prefix, and runs the method.
#[tokio::test]
async fn below_a_prefix_the_default_counts_as_well() {
    let tenant = Tenant::new();
    let methods = GrpcMethods::new()
        .default(scope("default"))
        .service("acme.Messages", scope("messages"))
        .method("/acme.Messages/Purge", scope("purge"))
        .open("/acme.Messages/Hello");
    let layer = AuthLayer::new(tenant.auth0()).grpc_methods(methods);
    let app = Router::new().fallback(async || "").layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    for (path, needed) in [
        ("/grpc/acme.Messages/Purge", "default purge"),
        ("/a/b/acme.Messages/Purge", "default purge"),
        ("//acme.Messages/Purge", "default purge"),
        ("/grpc/acme.Messages/Purge/", "default purge"),
        ("/grpc/acme.Messages/List", "default messages"),
        ("/grpc/acme.Messages/Hello", "default"),
        ("/grpc/acme.Other/List", "default"),
    ] {
        for scopes in ["", "default", "purge", "messages", "default purge", "default messages"] {
            let authorization = format!("Bearer {}", tenant.token().scope(scopes).mint());
            let lines = [("authorization", authorization.as_bytes())];
            let answer = client::get(address, path, &lines).await;
            let has_all = needed.split(' ').all(|scope| scopes.split(' ').any(|it| it == scope));
            assert_eq!(answer.status, if has_all { 200 } else { 403 }, "{path} {scopes}");
        }
        assert_eq!(client::get(address, path, &[]).await.status, 401, "{path}");
    }
}

/// nginx and Traefik ask with `GET` whether to admit a request, with the content type of their client.
#[tokio::test]
async fn what_is_no_call_is_refused_over_http() {
    let tenant = Tenant::new();
    // The server of tonic has HTTP/2 only.
    let [(_, axum), _] = start(|| tenant.auth0()).await;
    let lines: [(&str, &[u8]); 1] = [("content-type", b"application/grpc")];
    let answer = client::get(axum, CHECK, &lines).await;
    assert_eq!(answer.status, 401);
    assert!(answer.lines("grpc-status").is_empty());
}

/// A browser speaks grpc-web: the layer of tonic-web is outside, and translates.
#[tokio::test]
async fn grpc_web_is_translated_outside() {
    let tenant = Tenant::new();
    let (_, health) = tonic_health::server::health_reporter();
    let grpc = Routes::new(health).prepare().into_axum_router().layer(layer(tenant.auth0()));
    let app = grpc.layer(tonic_web::GrpcWebLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let reader = format!("Bearer {}", tenant.token().mint());
    let empty_message = [0; 5];
    for (authorization, status) in [("", "16"), ("Bearer x", "16"), (&*reader, "0")] {
        let mut lines: Vec<(&str, &[u8])> =
            vec![("content-type", b"application/grpc-web+proto"), ("x-grpc-web", b"1")];
        if !authorization.is_empty() {
            lines.push(("authorization", authorization.as_bytes()));
        }
        let target = format!("POST {CHECK}");
        let answer = client::send_body(address, &target, &lines, &empty_message, false).await;
        let case = format!("{authorization} {answer:?}");
        assert_eq!(answer.status, 200, "{case}");
        assert!(answer.lines("content-type")[0].starts_with("application/grpc-web"), "{case}");
        // In the headers, or in the last frame of the body.
        let in_headers = answer.lines("grpc-status") == [status];
        assert!(in_headers || answer.body.contains(&format!("grpc-status:{status}")), "{case}");
    }
}

/// A page of another origin reads the refusal: CORS is outside of everything, because a preflight has no token.
#[tokio::test]
async fn cors_is_outside_of_the_translation() {
    let tenant = Tenant::new();
    let (_, health) = tonic_health::server::health_reporter();
    let grpc = Routes::new(health).prepare().into_axum_router().layer(layer(tenant.auth0()));
    let exposed = ["grpc-status", "grpc-message", "error-code", "www-authenticate", "retry-after"];
    let cors = CorsLayer::permissive()
        .allow_headers(["authorization", "content-type", "x-grpc-web"].map(HeaderName::from_static))
        .expose_headers(exposed.map(HeaderName::from_static));
    let app = grpc.layer(tonic_web::GrpcWebLayer::new()).layer(cors);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let origin: (&str, &[u8]) = ("origin", b"https://app.example");
    let method: (&str, &[u8]) = ("access-control-request-method", b"POST");
    let host = format!("host: {address}\r\n");
    let preflight =
        client::send(address, &format!("OPTIONS {CHECK}"), &host, &[origin, method]).await;
    assert_eq!(preflight.status, 200, "{preflight:?}");
    assert_eq!(preflight.lines("access-control-allow-origin"), ["*"]);
    let content_type: (&str, &[u8]) = ("content-type", b"application/grpc-web-text");
    let target = format!("POST {CHECK}");
    let lines = [origin, content_type];
    let answer = client::send_body(address, &target, &lines, b"AAAAAAA=", false).await;
    assert_eq!(answer.lines("grpc-status"), ["16"], "{answer:?}");
    assert_eq!(answer.lines("access-control-expose-headers"), [exposed.join(",")]);
}
