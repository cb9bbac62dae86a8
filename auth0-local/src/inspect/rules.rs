//! Which check a refusal belongs to, and what the checks before it prove.
use super::check::Row;
use auth0_core::{Error, ErrorCode, support};

/// The checks of an access token, in the order of the verifier.
pub(super) const ACCESS_TOKEN: [Row; 11] = [
    Row::Form,
    Row::Algorithm,
    Row::Issuer,
    Row::Key,
    Row::Signature,
    Row::Type,
    Row::Audience,
    Row::Expiry,
    Row::Start,
    Row::Claims,
    Row::Binding,
];

pub(super) const ID_TOKEN: [Row; 10] = [
    Row::Form,
    Row::Claims,
    Row::Issuer,
    Row::Algorithm,
    Row::Type,
    Row::Key,
    Row::Signature,
    Row::Audience,
    Row::Expiry,
    Row::Start,
];

pub(super) const LOGOUT_TOKEN: [Row; 10] = [
    Row::Form,
    Row::Type,
    Row::Claims,
    Row::Audience,
    Row::Issuer,
    Row::Expiry,
    Row::Start,
    Row::Algorithm,
    Row::Key,
    Row::Signature,
];

pub(super) const PROOF: [Row; 11] = [
    Row::Form,
    Row::Type,
    Row::Algorithm,
    Row::Key,
    Row::Method,
    Row::Url,
    Row::Age,
    Row::Id,
    Row::Token,
    Row::Binding,
    Row::Signature,
];

/// Returns the checks before a check.
pub(super) fn before(rows: &'static [Row], row: Row) -> &'static [Row] {
    let place = rows.iter().position(|known| *known == row).unwrap_or_default();
    rows.get(..place).unwrap_or_default()
}

/// Returns the check of an access token that a refusal belongs to, and the checks that have passed.
pub(super) fn of_access_token(error: &Error) -> (Row, &'static [Row]) {
    let seen = support::cause_parts(error)[0].unwrap_or_default();
    let row = match error.code() {
        ErrorCode::AlgorithmUnsupported => Row::Algorithm,
        ErrorCode::IssuerMismatch | ErrorCode::IssuersUnavailable => Row::Issuer,
        ErrorCode::KeyUnknown | ErrorCode::KeysUnavailable => Row::Key,
        ErrorCode::SignatureInvalid => Row::Signature,
        ErrorCode::TokenTypeInvalid => Row::Type,
        ErrorCode::AudienceMismatch => Row::Audience,
        ErrorCode::TokenExpired => Row::Expiry,
        ErrorCode::TokenNotYetValid => Row::Start,
        ErrorCode::ClaimsInvalid => claim_of(seen),
        ErrorCode::TokenBindingMismatch
        | ErrorCode::SchemeUnsupported
        | ErrorCode::DpopProofMissing
        | ErrorCode::DpopProofInvalid
        | ErrorCode::DpopProofReplayed
        | ErrorCode::DpopNonceRequired
        | ErrorCode::ReplayStoreUnavailable => Row::Binding,
        _ => Row::Form,
    };
    let proves = match (error.code(), row) {
        // The header is read before the payload.
        (ErrorCode::AlgorithmUnsupported, _) => &[],
        // The types of all times are checked before the times.
        (ErrorCode::ClaimsInvalid, Row::Start) => before(&ACCESS_TOKEN, Row::Expiry),
        // A request that came without a proof for its scheme may be refused before its token is read.
        (ErrorCode::SchemeUnsupported, _) => &[],
        (_, row) => before(&ACCESS_TOKEN, row),
    };
    (row, proves)
}

/// Returns the check that reads the claim which `the claim exp is missing` names.
fn claim_of(seen: &str) -> Row {
    match seen.strip_prefix("the claim ").and_then(|rest| rest.split(' ').next()) {
        Some("iss") => Row::Issuer,
        Some("aud") => Row::Audience,
        Some("exp") => Row::Expiry,
        Some("nbf" | "iat") if !seen.contains("missing") => Row::Start,
        _ => Row::Claims,
    }
}

/// The beginnings of the reasons for which ID tokens are refused.
const OF_ID_TOKENS: [(&str, Row); 22] = [
    ("it is too long", Row::Form),
    ("its payload", Row::Form),
    ("it has events", Row::Type),
    ("its typ is", Row::Type),
    ("iss ", Row::Issuer),
    ("the claim iss ", Row::Issuer),
    ("the claim sub ", Row::Claims),
    ("the alg ", Row::Algorithm),
    ("the keys of its issuer", Row::Key),
    ("the issuer publishes no key", Row::Key),
    ("its kid is unknown", Row::Key),
    ("its signature does not verify", Row::Signature),
    ("the claim aud ", Row::Audience),
    ("aud is ", Row::Audience),
    ("azp is ", Row::Audience),
    ("the claim azp ", Row::Audience),
    ("it has several audiences", Row::Audience),
    ("it has expired", Row::Expiry),
    ("the claim exp ", Row::Expiry),
    ("iat is ", Row::Start),
    ("nbf is ", Row::Start),
    ("the claim iat ", Row::Start),
];

/// The beginnings of the reasons for which logout tokens are refused.
const OF_LOGOUT_TOKENS: [(&str, Row); 23] = [
    ("it is too long", Row::Form),
    ("its payload", Row::Form),
    ("its typ is", Row::Type),
    ("it has a nonce", Row::Type),
    ("the claim events ", Row::Type),
    ("the claim iss ", Row::Issuer),
    ("iss ", Row::Issuer),
    ("the claim aud ", Row::Audience),
    ("aud is ", Row::Audience),
    ("sub ", Row::Claims),
    ("sid ", Row::Claims),
    ("it has neither sub nor sid", Row::Claims),
    ("jti ", Row::Claims),
    ("the claim jti ", Row::Claims),
    ("exp ", Row::Expiry),
    ("the claim exp ", Row::Expiry),
    ("iat ", Row::Start),
    ("the claim iat ", Row::Start),
    ("nbf ", Row::Start),
    ("the alg ", Row::Algorithm),
    ("the keys of its issuer", Row::Key),
    ("the issuer publishes no key", Row::Key),
    ("its signature does not verify", Row::Signature),
];

/// The beginnings of the reasons for which proofs are refused, after the words for a proof.
const OF_PROOFS: [(&str, Row); 20] = [
    ("the header has no typ", Row::Type),
    ("its typ is", Row::Type),
    ("the alg ", Row::Algorithm),
    ("the header has no alg", Row::Algorithm),
    ("the header's alg ", Row::Algorithm),
    ("the header has no jwk", Row::Key),
    ("the jwk ", Row::Key),
    ("htm ", Row::Method),
    ("htu ", Row::Url),
    ("the URL of the request ", Row::Url),
    ("it is over ", Row::Form),
    ("it is not ", Row::Form),
    ("it is ", Row::Age),
    ("its iat is", Row::Age),
    ("iat ", Row::Age),
    ("jti ", Row::Id),
    ("ath ", Row::Token),
    ("the signature ", Row::Signature),
    ("the header", Row::Form),
    ("the payload", Row::Form),
];

/// Returns the check of an ID token that a reason belongs to, and the checks that have passed.
pub(super) fn of_id_token(reason: &str) -> (Row, &'static [Row]) {
    let row = find(&OF_ID_TOKENS, reason);
    match row {
        // Some are refused before the issuer is read.
        Row::Type | Row::Claims => (row, before(&ID_TOKEN, Row::Claims)),
        // What is wrong with a time is not that of another.
        Row::Start if reason.starts_with("the claim") => (row, before(&ID_TOKEN, Row::Start)),
        row => (row, before(&ID_TOKEN, row)),
    }
}

/// Returns the check of a logout token that a reason belongs to, and the checks that have passed.
pub(super) fn of_logout_token(reason: &str) -> (Row, &'static [Row]) {
    let row = find(&OF_LOGOUT_TOKENS, reason);
    // The types of all claims are checked before their values.
    let is_of_types = !["exp was ", "iat is "].iter().any(|start| reason.starts_with(start))
        || reason.ends_with("not a time");
    match row {
        Row::Type => (row, &[]),
        Row::Claims => (row, before(&LOGOUT_TOKEN, Row::Claims)),
        Row::Audience => (row, before(&LOGOUT_TOKEN, Row::Claims)),
        Row::Issuer if !reason.ends_with("not configured") => {
            (row, before(&LOGOUT_TOKEN, Row::Claims))
        }
        Row::Expiry | Row::Start if is_of_types => (row, before(&LOGOUT_TOKEN, Row::Claims)),
        row => (row, before(&LOGOUT_TOKEN, row)),
    }
}

/// Returns the check of a proof that a refusal belongs to, and the checks that have passed.
pub(super) fn of_proof(error: &Error) -> (Row, &'static [Row]) {
    let seen = support::cause_parts(error)[0].unwrap_or_default();
    let row = match error.code() {
        ErrorCode::TokenBindingMismatch => Row::Binding,
        ErrorCode::KeysUnavailable => Row::Age, // the clock is not set
        _ => find(&OF_PROOFS, seen.strip_prefix("the DPoP proof: ").unwrap_or(seen)),
    };
    let proves = match row {
        // The payload is read after the key.
        Row::Form => &[],
        row => before(&PROOF, row),
    };
    (row, proves)
}

/// Returns the check that a reason belongs to. A signature that no key can have made is described as for access tokens.
fn find(table: &[(&str, Row)], reason: &str) -> Row {
    if reason == ErrorCode::AlgorithmUnsupported.description() {
        return Row::Algorithm;
    }
    if reason == ErrorCode::KeyUnknown.description() {
        return Row::Key;
    }
    let found = table.iter().find(|(start, _)| reason.starts_with(start));
    found.map_or(Row::Form, |(_, row)| *row)
}
