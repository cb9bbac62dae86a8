//! Proofs at the verifier itself: what a refusal says, and that no second use is ever let through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use auth0_core::{
    AccessToken, Auth0, Connection, Error, FieldLines, HttpParts, RequestView,
    testing::{ProofBuilder, Tenant},
};

const URL: &str = "http://api.test/me";

struct Request;

impl HttpParts for Request {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/me"
    }

    fn scheme(&self) -> Option<&str> {
        None
    }

    fn authority(&self) -> Option<&str> {
        None
    }

    fn field(&self, name: &str) -> FieldLines<'_> {
        if name == "host" { FieldLines::One(b"api.test") } else { FieldLines::Absent }
    }

    fn connection(&self) -> Connection {
        Connection::new()
    }
}

/// A client with a token that is bound to its key.
struct Client {
    tenant: Tenant,
    token: String,
}

impl Client {
    fn of(tenant: &Tenant) -> Self {
        let token = tenant.token().bound_to(&tenant.client_key()).mint();
        Self { tenant: tenant.clone(), token }
    }

    fn proof(&self) -> ProofBuilder {
        self.tenant.proof("GET", URL).for_token(&self.token)
    }

    async fn ask(&self, auth: &Auth0, proof: &str) -> Result<AccessToken, Error> {
        let field = format!("DPoP {}", self.token);
        let view = RequestView::new()
            .authorization([field.as_bytes()])
            .proof([proof.as_bytes()])
            .parts(&Request);
        auth.authenticate(&view).await
    }
}

fn lines(error: &Error) -> Vec<String> {
    let challenge = error.challenge();
    let lines = challenge.headers().filter(|(name, _)| *name == "www-authenticate");
    lines.map(|(_, line)| line.split(", error_description").next().unwrap().to_owned()).collect()
}

/// Whoever refuses after the token was verified: the error stands on the line of the scheme that the
/// client used.
#[tokio::test]
async fn what_the_application_refuses_is_told_on_the_line_of_the_scheme() {
    let tenant = Tenant::new();
    let client = Client::of(&tenant);
    let auth = tenant.auth0();
    let token = client.ask(&auth, &client.proof().mint()).await.unwrap();
    #[derive(Debug, serde::Deserialize)]
    struct Claims {
        #[allow(dead_code, reason = "it is missing")]
        roles: Vec<String>,
    }
    for (error, code) in [
        (auth.forbid(&token, "not a member"), "insufficient_scope"),
        (auth.organization_of(&token).unwrap_err(), "insufficient_scope"),
        (auth.with_claims::<Claims>(&token).unwrap_err(), "invalid_token"),
    ] {
        assert_eq!(lines(&error), ["Bearer".to_owned(), format!("DPoP error=\"{code}\"")]);
    }
    let token = auth.verify(&tenant.token().mint()).await.unwrap();
    assert_eq!(
        lines(&auth.forbid(&token, "not a member")),
        ["Bearer error=\"insufficient_scope\"", "DPoP algs=\"ES256\""]
    );
}
