//! Each error as a response.
use crate::{
    servers,
    world::{Requests, tenant, verifier},
};
use auth0_local::{Endpoint, Fault, LocalTenant, Throttle};
use std::{net::SocketAddr, time::Duration};
use wire_tests::client::{Answer, get};

/// A caller with a token, and the scheme that it uses.
struct Caller<'a> {
    tenant: &'a LocalTenant,
    scheme: &'static str,
    token: String,
}

impl<'a> Caller<'a> {
    /// A caller whose token differs from those of other numbers: a failure can hold back requests for the same one.
    fn new(tenant: &'a LocalTenant, scheme: &'static str, number: usize) -> Self {
        let token = tenant.token().subject("auth0|ann").client("spa").scope("read:messages");
        let token = token.claim("number", number);
        Self { tenant, scheme, token: Self::bound(tenant, scheme, token) }
    }

    /// A caller whose token our API accepts, and the tenant does not exchange: no client is named in it.
    fn that_is_refused(tenant: &'a LocalTenant, scheme: &'static str) -> Self {
        let token = tenant.token().subject("auth0|ann").scope("read:messages").without("azp");
        Self { tenant, scheme, token: Self::bound(tenant, scheme, token) }
    }

    fn bound(
        tenant: &LocalTenant,
        scheme: &str,
        token: auth0_axum::testing::TokenBuilder,
    ) -> String {
        match scheme {
            "DPoP" => token.bound_to(&tenant.tenant().client_key()).mint(),
            _ => token.mint(),
        }
    }

    async fn get(&self, server: SocketAddr, path: &str) -> Answer {
        let authorization = format!("{} {}", self.scheme, self.token);
        let url = format!("http://{server}{path}");
        let proof = self.tenant.tenant().proof("GET", &url).for_token(&self.token).mint();
        let mut lines = vec![("authorization", authorization.as_bytes())];
        if self.scheme == "DPoP" {
            lines.push(("dpop", proof.as_bytes()));
        }
        get(server, path, &lines).await
    }
}

/// What a caller receives.
#[derive(Clone, Copy)]
struct Row {
    request: &'static str,
    fault: Option<Fault>,
    kind: &'static str,
    status: u16,
    error: &'static str,
    code: &'static str,
    description: &'static str,
    retry_after: Option<&'static str>,
}

const fn row(
    request: &'static str,
    kind: &'static str,
    status: u16,
    (error, code, description): (&'static str, &'static str, &'static str),
) -> Row {
    let retry_after = if status == 503 { Some("5") } else { None };
    Row { request, fault: None, kind, status, error, code, description, retry_after }
}

const INVALID_TOKEN: (&str, &str, &str) = (
    "invalid_token",
    "subject_token_invalid",
    "The access token is not accepted any more. Request a new one.",
);
const DENIED: (&str, &str, &str) =
    ("access_denied", "delegation_denied", "This API may not call another API for this caller.");
const NOT_CONNECTED: (&str, &str, &str) = (
    "access_denied",
    "account_not_connected",
    "The user has not connected this account. Connect it, and try again.",
);
const FACTOR: (&str, &str, &str) =
    ("access_denied", "mfa_required", "The user has to pass another factor.");
const CLIENT: (&str, &str, &str) = (
    "server_error",
    "client_misconfigured",
    "This API cannot call another API. Its operator has to correct that.",
);
const MALFORMED: (&str, &str, &str) =
    ("server_error", "upstream_invalid", "The answer of another server cannot be used.");
const THROTTLED: (&str, &str, &str) = (
    "temporarily_unavailable",
    "upstream_throttled",
    "A limit of another server is reached. Try again after the time in Retry-After.",
);
const UNAVAILABLE: (&str, &str, &str) = (
    "temporarily_unavailable",
    "upstream_unavailable",
    "Another server is not available. Try again after the time in Retry-After.",
);
const PENDING: (&str, &str, &str) = (
    "temporarily_unavailable",
    "authorization_pending",
    "The user has not answered yet. Try again after the time in Retry-After.",
);

fn rows() -> Vec<Row> {
    let with = |fault: Fault, row: Row| Row { fault: Some(fault), ..row };
    let after = |seconds: &'static str, row: Row| Row { retry_after: Some(seconds), ..row };
    let status = |code: u16| Fault::status(code).unwrap();
    let half_minute = Duration::from_secs(30);
    vec![
        row("unknown-api", "Denied", 403, DENIED),
        row("wrong-secret", "InvalidClient", 502, CLIENT),
        row("no-account", "AccountNotConnected", 403, NOT_CONNECTED),
        row("factor", "MfaRequired", 403, FACTOR),
        row("waiting", "Pending", 503, PENDING),
        row("refused-401", "InvalidGrant", 401, INVALID_TOKEN),
        row("refused-403", "Denied", 403, DENIED),
        after("30", row("refused-429", "Throttled", 503, THROTTLED)),
        row("refused-500", "Unavailable", 503, UNAVAILABLE),
        row("refused-400", "Malformed", 502, MALFORMED),
        row("service-401", "Misconfigured", 502, CLIENT),
        with(Fault::hang(), row("late", "DeadlineExceeded", 503, UNAVAILABLE)),
        with(status(503), row("down", "Unavailable", 503, UNAVAILABLE)),
        with(Fault::reset(), row("down", "Unavailable", 503, UNAVAILABLE)),
        with(Fault::html_with_status(502).unwrap(), row("down", "Unavailable", 503, UNAVAILABLE)),
        with(status(418), row("down", "Misconfigured", 502, CLIENT)),
        with(Fault::garbage(), row("down", "Malformed", 502, MALFORMED)),
        with(Fault::redirect(), row("down", "Malformed", 502, MALFORMED)),
        with(Fault::empty(), row("down", "Malformed", 502, MALFORMED)),
        // The last, because it holds later requests back.
        with(
            Fault::throttled(Throttle::Policy, half_minute),
            after("30", row("down", "Throttled", 503, THROTTLED)),
        ),
    ]
}

fn check(server: &str, row: &Row, scheme: &str, answer: &Answer) {
    let name = format!("{server} {scheme} {} {:?}", row.request, row.fault);
    assert_eq!(answer.status, row.status, "{name}: {answer:?}");
    assert_eq!(answer.lines("x-kind"), [row.kind], "{name}: it is in the extensions");
    assert_eq!(answer.lines("content-type"), ["application/json"], "{name}");
    assert_eq!(answer.lines("cache-control"), ["no-store"], "{name}");
    let body = format!(
        r#"{{"error":"{}","error_description":"{}","error_code":"{}"}}"#,
        row.error, row.description, row.code
    );
    assert_eq!(answer.body, body, "{name}");
    assert_eq!(
        answer.lines("retry-after"),
        row.retry_after.into_iter().collect::<Vec<_>>(),
        "{name}"
    );
    // One line for each scheme, as those of a token that the verifier refuses.
    let parameters = format!(r#" error="{}", error_description="{}""#, row.error, row.description);
    let challenge = match scheme {
        "DPoP" => vec!["Bearer".to_owned(), format!(r#"DPoP{parameters}, algs="ES256""#)],
        _ => vec![format!("Bearer{parameters}"), r#"DPoP algs="ES256""#.to_owned()],
    };
    let challenges = if row.status == 401 { challenge } else { Vec::new() };
    assert_eq!(answer.lines("www-authenticate"), challenges, "{name}");
}

#[tokio::test]
async fn every_error_gives_the_same_bytes() {
    let tenant = tenant().await;
    let servers = servers::start(|| verifier(&tenant), || Requests::new(&tenant)).await;
    for (number, row) in rows().into_iter().enumerate() {
        for scheme in ["Bearer", "DPoP"] {
            let caller = Caller::new(&tenant, scheme, number);
            let mut answers = Vec::new();
            for (server, address) in servers {
                for path in ["plain", "policy"] {
                    tenant.set_fault(Endpoint::Token, row.fault.unwrap_or(Fault::none()));
                    let answer = caller.get(address, &format!("/{path}/{}", row.request)).await;
                    check(server, &row, scheme, &answer);
                    answers.push(answer);
                }
            }
            tenant.clear_faults();
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{}", row.request);
        }
    }
}

/// The caller's own token is refused by the tenant: it gets the challenge of its scheme.
#[tokio::test]
async fn a_refused_caller_logs_in_again() {
    let tenant = tenant().await;
    let servers = servers::start(|| verifier(&tenant), || Requests::new(&tenant)).await;
    for scheme in ["Bearer", "DPoP"] {
        let caller = Caller::that_is_refused(&tenant, scheme);
        for request in ["down", "account"] {
            let row = row(request, "InvalidGrant", 401, INVALID_TOKEN);
            let mut answers = Vec::new();
            for (server, address) in servers {
                for path in ["plain", "policy"] {
                    let answer = caller.get(address, &format!("/{path}/{request}")).await;
                    check(server, &row, scheme, &answer);
                    answers.push(answer);
                }
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{request}");
        }
    }
}

#[tokio::test]
async fn callers_of_both_extractors_get_their_tokens() {
    let tenant = tenant().await;
    let servers = servers::start(|| verifier(&tenant), || Requests::new(&tenant)).await;
    for scheme in ["Bearer", "DPoP"] {
        let caller = Caller::new(&tenant, scheme, 0);
        for (server, address) in servers {
            for path in ["plain", "policy"] {
                let answer = caller.get(address, &format!("/{path}/down")).await;
                assert_eq!((answer.status, &*answer.body), (200, "false read:a"), "{server}");
                let answer = caller.get(address, &format!("/{path}/account")).await;
                assert_eq!((answer.status, &*answer.body), (200, "false "), "{server}");
            }
        }
    }
    // Each server asks twice for each caller: both extractors have the same one.
    assert_eq!(tenant.token_requests().total(), 8);
    // Who is not let in does not reach the handler.
    let other = tenant.token().subject("auth0|ann").mint();
    for (server, address) in servers {
        let authorization = format!("Bearer {other}");
        let lines = [("authorization", authorization.as_bytes())];
        assert_eq!(get(address, "/policy/down", &lines).await.status, 403, "{server}");
        assert_eq!(get(address, "/plain/down", &[]).await.status, 401, "{server}");
    }
    assert_eq!(tenant.token_requests().total(), 8);
}
