//! A DPoP proof (RFC 9449 §4.3), as the verifier checks it. What is wrong is set right in what the verifier expects,
//! because a proof cannot be signed again.
use super::{
    check::{Refused, Row, Table},
    decoded::Decoded,
    found::Found,
    given::dpop,
    pasted::Unusable,
    rules::{self, PROOF},
    settings::Settings,
};
use auth0_core::{
    Error,
    dpop::ProofVerifier,
    support::{Thumbprint, verify_proof_for},
    time::Clock,
};
use auth0_testing::ManualClock;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// What a proof is compared with.
struct Expected {
    method: String,
    url: String,
    token: Option<String>,
    /// The thumbprint that the access token names.
    key: Option<Thumbprint>,
    clock: Arc<dyn Clock>,
}

pub(super) fn check(decoded: &Decoded<'_>, settings: &Settings) -> Result<Found, Unusable> {
    let request = &settings.request;
    let own = |name: &str| decoded.text(name).unwrap_or_default().to_owned();
    let token = request.token.as_deref().map(str::trim).map(str::to_owned);
    let mut expected = Expected {
        method: request.method.clone().unwrap_or_else(|| own("htm")),
        url: request.url.as_deref().map_or_else(|| own("htu"), |url| without_query(url).to_owned()),
        key: token.as_deref().and_then(key_of),
        token,
        clock: Arc::clone(&settings.clock),
    };
    let mut table = Table::new(&PROOF);
    let (mut refused_by, mut response, mut mended) = (None, None, Vec::new());
    loop {
        let verdict = expected.verify(decoded.text, settings)?;
        let proves = verdict.as_ref().map_or_else(|refused| refused.proves, |_| &PROOF);
        proves.iter().for_each(|row| table.pass(*row, seen(*row, decoded, settings.now())));
        let Err(refused) = verdict else { break };
        table.fail(&refused);
        refused_by = refused_by.or(Some(refused.row));
        response = response.or_else(|| refused.response.clone());
        if mended.contains(&refused.row) || !expected.mend(refused.row, decoded) {
            break;
        }
        mended.push(refused.row);
    }
    for (row, is_given, why) in [
        (Row::Method, request.method.is_some(), "no method was named: pass --method"),
        (Row::Url, request.url.is_some(), "no URL was named: pass --url"),
        (Row::Token, request.token.is_some(), "no access token was passed: pass --token"),
        (
            Row::Binding,
            request.token.as_deref().is_some_and(|token| key_of(token).is_some()),
            "no access token was passed that is bound to a key: pass --token",
        ),
    ] {
        if !is_given {
            table.take_back(row, why);
        }
    }
    Ok(Found { checks: table.into_checks(), refused_by, response, is_verified: true })
}

impl Expected {
    fn verify(&self, proof: &str, settings: &Settings) -> Result<Result<(), Refused>, Unusable> {
        let verifier = ProofVerifier::new(dpop(settings), Arc::clone(&self.clock));
        let verifier = verifier.map_err(Unusable::options)?;
        let Self { method, url, token, key, .. } = self;
        let verdict = verify_proof_for(
            &verifier,
            method,
            url,
            proof.as_bytes(),
            token.as_deref(),
            key.as_ref(),
        );
        Ok(verdict.map(drop).map_err(|error| refused(&error)))
    }

    /// Expects what the proof says. Returns whether that is possible.
    fn mend(&mut self, row: Row, decoded: &Decoded<'_>) -> bool {
        match row {
            Row::Method => decoded.text("htm").map(|htm| self.method = htm.to_owned()).is_some(),
            Row::Url => decoded.text("htu").map(|htu| self.url = htu.to_owned()).is_some(),
            Row::Age => {
                let issued = decoded.claim("iat").and_then(Value::as_f64);
                let issued = issued.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                issued.map(|time| self.clock = Arc::new(ManualClock::at(time))).is_some()
            }
            Row::Token => self.token.take().is_some(),
            Row::Binding => self.key.take().is_some(),
            _ => false,
        }
    }
}

fn refused(error: &Error) -> Refused {
    let (row, proves) = rules::of_proof(error);
    let mut refused = Refused::of(error, row, proves);
    if let Some(rest) = refused.seen.strip_prefix("the DPoP proof: ") {
        refused.seen = rest.to_owned();
    }
    if refused.advice.is_empty() {
        refused.advice = match row {
            Row::Method => "Let the client sign the method of the request",
            Row::Token => {
                "Let the client hash the access token that it sends with the proof (RFC 9449 §4.2)"
            }
            _ => "Let the client create a proof for each request, as RFC 9449 §4.2 says",
        }
        .to_owned();
    }
    refused
}

/// Returns the key that an access token is bound to, by what the token says.
fn key_of(token: &str) -> Option<Thumbprint> {
    let decoded = Decoded::of(token.trim())?;
    Thumbprint::parse(decoded.claim("cnf")?.get("jkt")?.as_str()?)
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// Describes what a check has read.
fn seen(row: Row, decoded: &Decoded<'_>, now: Duration) -> String {
    match row {
        Row::Form => "three parts in base64url, of JSON".to_owned(),
        Row::Type => decoded.described_header("typ"),
        Row::Algorithm => decoded.described_header("alg"),
        Row::Key => "jwk is a public key".to_owned(),
        Row::Method => decoded.described_claim("htm"),
        Row::Url => decoded.described_claim("htu"),
        Row::Age => decoded.described_time("iat", now),
        Row::Id => decoded.described_claim("jti"),
        Row::Token => decoded.described_claim("ath"),
        Row::Binding => "the key of the proof is that of the token".to_owned(),
        _ => "it verifies with the jwk".to_owned(),
    }
}
