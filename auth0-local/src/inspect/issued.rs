//! Tokens that an issuer sends to an application: ID tokens and logout tokens.
use super::{
    check::{Refused, Row},
    copy::{Right, Signer},
    decoded::Decoded,
    found::{Found, Search, Subject, search},
    given::Given,
    kind::Kind,
    pasted::Unusable,
    rules::{self, ID_TOKEN, LOGOUT_TOKEN},
    settings::Settings,
};
use auth0_core::{
    VerifiedToken,
    support::{IdTokenExpectations, verify_id_token},
};
use serde_json::{Map, Value, json};

/// The member of `events` that makes a JWT a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

struct Issued<'a> {
    given: Given,
    settings: &'a Settings,
}

struct IdToken<'a>(Issued<'a>);

struct LogoutToken<'a>(Issued<'a>);

pub(super) async fn check(
    decoded: &Decoded<'_>,
    kind: Kind,
    settings: &Settings,
) -> Result<Found, Unusable> {
    let clients: Vec<String> = settings.client_id.iter().cloned().collect();
    let issued = Issued { given: Given::new(decoded, &clients, settings)?, settings };
    let has_keys = issued.given.has_keys;
    let found = match kind {
        Kind::LogoutToken => search(&LogoutToken(issued), decoded).await,
        _ => search(&IdToken(issued), decoded).await,
    };
    let Search { table, refused_by, is_signature_good, .. } = found;
    Ok(Found {
        checks: table.into_checks(),
        refused_by,
        response: None,
        is_verified: is_signature_good && has_keys,
    })
}

impl Issued<'_> {
    fn excuse(&self, refused: &Refused) -> Option<String> {
        let is_of_ours = match refused.row {
            Row::Key | Row::Signature => !self.given.has_keys,
            Row::Issuer => self.given.expects_no_issuer && refused.seen.starts_with("iss is"),
            Row::Audience => self.given.expects_no_audience && refused.seen.ends_with("client id"),
            _ => false,
        };
        is_of_ours.then(|| self.not_given(refused.row)).flatten().map(str::to_owned)
    }

    fn not_given(&self, row: Row) -> Option<&'static str> {
        match row {
            Row::Issuer if !self.given.has_issuer => {
                Some("no issuer was named: pass --issuer or --domain")
            }
            Row::Key | Row::Signature if !self.given.has_keys => {
                Some("without an issuer there are no keys: pass --issuer or --domain, or --jwks")
            }
            Row::Audience if !self.given.has_audience => {
                Some("no application was named: pass --client-id")
            }
            _ => None,
        }
    }

    fn right(&self, kind_claims: Map<String, Value>) -> Right<'_> {
        Right {
            issuer: &self.given.issuer,
            audience: &self.given.audience,
            is_for_a_client: true,
            typ: "JWT",
            kind_claims,
            now: self.settings.now(),
        }
    }

    fn refused(&self, reason: &str, row: Row, proves: &'static [Row]) -> Refused {
        let (expected, advice) = match row {
            Row::Form => (
                "a compact JWS of JSON objects".to_owned(),
                "Pass it unchanged: it may have been cut off",
            ),
            Row::Type => (
                "the typ and the claims of this kind of token".to_owned(),
                "Use the token for what it is, or correct the Action that writes these claims",
            ),
            Row::Algorithm => (
                "an alg that is accepted, and that its key has".to_owned(),
                "Set Dashboard > Applications > Advanced Settings > OAuth > JSON Web Token Signature Algorithm to \
                 RS256, or accept the alg (--algorithm)",
            ),
            Row::Issuer => (
                self.given.issuer.clone(),
                "Configure the application with the iss of its tokens, including a custom domain",
            ),
            Row::Key => (
                format!("a key that {} publishes", self.given.issuer),
                "Check that the token is of this tenant, and that its keys can be fetched",
            ),
            Row::Signature => (
                format!("the signature of {}", self.given.issuer),
                "Check that nothing changes the token on its way",
            ),
            Row::Audience => (
                format!("the client id {}", self.given.audience),
                "Configure the application with the client id that it logs in with (Dashboard > Applications > \
                 Settings > Client ID)",
            ),
            Row::Expiry => (
                "an exp that is not past".to_owned(),
                "Log in or refresh again, and compare the clocks",
            ),
            Row::Start => ("times that are not ahead".to_owned(), "Compare the clocks"),
            _ => (
                "the claims that such a token has".to_owned(),
                "Check the issuer's settings and Actions",
            ),
        };
        Refused {
            row,
            proves,
            seen: reason.to_owned(),
            expected,
            advice: advice.to_owned(),
            code: None,
            response: None,
        }
    }
}

impl Subject for IdToken<'_> {
    const ROWS: &'static [Row] = &ID_TOKEN;

    async fn verify(
        &self,
        text: &str,
        is_original: bool,
    ) -> Result<Option<VerifiedToken>, Refused> {
        let Issued { given, .. } = &self.0;
        let expected = IdTokenExpectations {
            issuer: &given.issuer,
            client_id: &given.audience,
            ..IdTokenExpectations::default()
        };
        let verdict = verify_id_token(given.verifier(is_original), text, &expected).await;
        verdict.map(|_| None).map_err(|error| {
            let reason = error.to_string();
            let (row, proves) = rules::of_id_token(&reason);
            self.0.refused(&reason, row, proves)
        })
    }

    fn excuse(&self, refused: &Refused, _: bool) -> Option<String> {
        self.0.excuse(refused)
    }

    fn not_given(&self, row: Row) -> Option<&'static str> {
        self.0.not_given(row)
    }

    fn right(&self) -> Right<'_> {
        self.0.right(Map::new())
    }

    fn signer(&self) -> &Signer {
        &self.0.given.signer
    }
}

impl Subject for LogoutToken<'_> {
    const ROWS: &'static [Row] = &LOGOUT_TOKEN;

    async fn verify(
        &self,
        text: &str,
        is_original: bool,
    ) -> Result<Option<VerifiedToken>, Refused> {
        let Issued { given, .. } = &self.0;
        let verifier = given.verifier(is_original);
        let verdict = verifier.verify_logout_token(text, &[&given.audience]).await;
        verdict.map(|_| None).map_err(|error| {
            let reason = error.to_string();
            let (row, proves) = rules::of_logout_token(&reason);
            self.0.refused(&reason, row, proves)
        })
    }

    fn excuse(&self, refused: &Refused, _: bool) -> Option<String> {
        let has_no_client = refused.row == Row::Audience && refused.seen.starts_with("aud is none");
        match self.0.given.expects_no_audience && has_no_client {
            true => self.0.not_given(Row::Audience).map(str::to_owned),
            false => self.0.excuse(refused),
        }
    }

    fn not_given(&self, row: Row) -> Option<&'static str> {
        self.0.not_given(row)
    }

    fn right(&self) -> Right<'_> {
        let event = json!({ LOGOUT_EVENT: {} });
        self.0.right(Map::from_iter([("events".to_owned(), event)]))
    }

    fn signer(&self) -> &Signer {
        &self.0.given.signer
    }
}
