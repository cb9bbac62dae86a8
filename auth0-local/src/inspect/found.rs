//! The search for everything that is wrong with a token, by the verdicts of the verifier about it and its copies.
use super::{
    check::{Check, Refused, Response, Row, Table},
    copy::{Copy, Right, Signer},
    decoded::Decoded,
    facts,
};
use auth0_core::VerifiedToken;
use std::time::Duration;

/// What the checks found.
pub(super) struct Found {
    pub(super) checks: Vec<Check>,
    /// The check that decides: the first one that refuses.
    pub(super) refused_by: Option<Row>,
    /// What an API answers to the request.
    pub(super) response: Option<Response>,
    /// Whether the check of the signature had the keys of the issuer.
    pub(super) is_verified: bool,
}

/// A token of a kind that is checked by verifying it and copies of it.
pub(super) trait Subject {
    const ROWS: &'static [Row];

    /// Verifies a text: the original, or a copy.
    async fn verify(&self, text: &str, is_original: bool)
    -> Result<Option<VerifiedToken>, Refused>;

    /// Returns why the refusal says nothing about the token: the caller did not name what is needed.
    fn excuse(&self, refused: &Refused, is_original: bool) -> Option<String>;

    /// Returns why a check that has passed says nothing.
    fn not_given(&self, row: Row) -> Option<&'static str>;

    fn right(&self) -> Right<'_>;

    fn signer(&self) -> &Signer;
}

/// The outcome of a search: the checks, the first refusal that counts, and the token if everything could be set right.
pub(super) struct Search {
    pub(super) table: Table,
    pub(super) refused_by: Option<Row>,
    pub(super) response: Option<Response>,
    pub(super) token: Option<VerifiedToken>,
    pub(super) is_signature_good: bool,
}

/// Verifies the original. As long as it is refused, sets that right in a copy, and verifies the copy.
pub(super) async fn search<S: Subject>(subject: &S, decoded: &Decoded<'_>) -> Search {
    let right = subject.right();
    let mut table = Table::new(S::ROWS);
    let mut copy: Option<Copy<'_>> = None;
    let (mut refused_by, mut response, mut mended, mut token) = (None, None, Vec::new(), None);
    let mut is_signature_good = false;
    loop {
        let is_original = copy.is_none();
        let text = copy.as_ref().map(Copy::signed);
        let verdict = subject.verify(text.as_deref().unwrap_or(decoded.text), is_original).await;
        let proves = verdict.as_ref().map_or_else(|refused| refused.proves, |_| S::ROWS);
        // The signature of a copy says nothing about that of the original.
        for row in
            proves.iter().filter(|row| is_original || !matches!(row, Row::Key | Row::Signature))
        {
            table.pass(*row, seen(*row, decoded, right.now));
        }
        is_signature_good |= is_original && proves.contains(&Row::Signature);
        let refused = match verdict {
            Ok(verified) => {
                token = verified;
                break;
            }
            Err(refused) => refused,
        };
        match subject.excuse(&refused, is_original) {
            Some(why) => table.skip(refused.row, why),
            None => {
                table.fail(&refused);
                refused_by = refused_by.or(Some(refused.row));
                response = response.or_else(|| refused.response.clone());
            }
        }
        if let Some(why) = no_signature(refused.row) {
            for row in [Row::Key, Row::Signature] {
                table.skip(row, subject.not_given(row).unwrap_or(why));
            }
        }
        if copy.is_none() {
            copy = Copy::of(decoded, subject.signer());
        }
        let is_mended = copy.as_mut().is_some_and(|copy| copy.mend(refused.row, &right));
        if !is_mended || mended.contains(&refused.row) {
            break;
        }
        mended.push(refused.row);
    }
    for row in S::ROWS {
        if let Some(why) = subject.not_given(*row) {
            table.take_back(*row, why);
        }
    }
    Search { table, refused_by, response, token, is_signature_good }
}

/// Returns why a signature is not verified that comes after this check.
const fn no_signature(failed: Row) -> Option<&'static str> {
    match failed {
        Row::Issuer => Some("only the keys of the named issuer are used, and iss is another one"),
        Row::Key => Some("there is no key to verify it with"),
        Row::Algorithm => Some("no key is used with this alg"),
        _ => None,
    }
}

/// Describes what a check has read.
fn seen(row: Row, decoded: &Decoded<'_>, now: Duration) -> String {
    match row {
        Row::Form => "three parts in base64url, of JSON".to_owned(),
        Row::Type => decoded.described_header("typ"),
        Row::Algorithm => decoded.described_header("alg"),
        Row::Issuer => decoded.described_claim("iss"),
        Row::Key => decoded.described_header("kid"),
        Row::Signature => "it verifies".to_owned(),
        Row::Audience => decoded.described_claim("aud"),
        Row::Expiry | Row::Start => {
            let name = match row {
                Row::Expiry => "exp",
                _ if decoded.claim("nbf").is_some() => "nbf",
                _ => "iat",
            };
            decoded.described_time(name, now)
        }
        Row::Binding => facts::binding(decoded),
        _ => "they are there, in the right types".to_owned(),
    }
}
