//! What the tables of requests are made of.
use auth0_axum::testing::Tenant;
use wire_tests::{client::Answer, refusals::Refusal};

/// A request and its response.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) authorization: Vec<Vec<u8>>,
    /// Further header lines.
    pub(crate) headers: Vec<(&'static str, &'static [u8])>,
    pub(crate) expected: Expected,
}

/// What is expected besides `cache-control` and `content-type`, which every refusal has.
pub(crate) enum Expected {
    Ok(&'static str),
    /// Each challenge is a line.
    Refused {
        status: u16,
        challenge: String,
        error: &'static str,
        code: &'static str,
    },
}

impl Row {
    /// Returns every row of the table.
    pub(crate) fn all(tenant: &Tenant) -> Vec<Self> {
        let rows = super::tokens::rows(tenant).into_iter();
        rows.chain(super::requirements::rows(tenant)).collect()
    }

    /// Returns the header lines of the request.
    pub(crate) fn lines(&self) -> Vec<(&str, &[u8])> {
        let authorization = self.authorization.iter().map(|line| ("authorization", &line[..]));
        authorization.chain(self.headers.iter().copied()).collect()
    }
}

pub(crate) fn bearer(token: &str) -> Vec<Vec<u8>> {
    vec![format!("Bearer {token}").into_bytes()]
}

pub(crate) fn row(
    name: &'static str,
    path: &'static str,
    authorization: Vec<Vec<u8>>,
    expected: Expected,
) -> Row {
    Row { name, path, authorization, headers: Vec::new(), expected }
}

/// The response where the application is set up wrongly.
pub(crate) fn misconfigured() -> Expected {
    Expected::Refused {
        status: 500,
        challenge: String::new(),
        error: "server_error",
        code: "misconfigured",
    }
}

pub(crate) fn refused(
    status: u16,
    error: &'static str,
    code: &'static str,
    parameters: &str,
) -> Expected {
    let challenge = match Refusal::of(code).parameters() {
        None => "Bearer".to_owned(),
        Some(standard) => format!("Bearer {standard}{parameters}"),
    };
    let challenge = challenge + "\nDPoP algs=\"ES256\"";
    Expected::Refused { status, challenge, error, code }
}

pub(crate) fn check(server: &str, row: &Row, answer: &Answer) {
    let case = format!("{server}: {}: {answer:?}", row.name);
    match &row.expected {
        Expected::Ok(body) => {
            assert_eq!((answer.status, answer.body.as_str()), (200, *body), "{case}");
            assert!(answer.lines("www-authenticate").is_empty(), "{case}");
        }
        Expected::Refused { status, challenge, error, code } => {
            let refusal = Refusal::of(code);
            assert_eq!((refusal.status, refusal.error.as_str()), (*status, *error), "{case}");
            let body = refusal.body();
            assert_eq!((answer.status, answer.body.as_str()), (*status, body.as_str()), "{case}");
            let challenges: Vec<&str> = challenge.lines().collect();
            assert_eq!(answer.lines("www-authenticate"), challenges, "{case}");
            assert_eq!(answer.lines("content-type"), ["application/json"], "{case}");
            assert_eq!(answer.lines("cache-control"), ["no-store"], "{case}");
            assert_eq!(answer.lines("content-length"), [body.len().to_string()], "{case}");
        }
    }
}
