//! One verification per request and verifier, whoever asks first: the layer or any extractor. What
//! the verifier itself remembers need not be kept here as well.
use crate::request::Sent;
use auth0_core::{AccessToken, Auth0, Error};
use http::{Extensions, HeaderMap, HeaderValue, header::AUTHORIZATION, request::Parts};

/// What each verifier said about this request. Refusals are remembered too. Keyed by verifier: a
/// token that one audience accepts must not reach a route that trusts another. And by the field: a
/// middleware further in may put another token into it.
#[derive(Clone)]
struct Verdicts {
    first: Verdict,
    /// Where there are several verifiers or fields, which is rare.
    more: Vec<Verdict>,
}

#[derive(Clone)]
struct Verdict {
    by: Auth0,
    of: HeaderValue,
    result: Result<AccessToken, Error>,
}

pub(crate) async fn verify_once(auth: &Auth0, parts: &mut Parts) -> Result<AccessToken, Error> {
    match verify_once_now(auth, parts) {
        Some(result) => result,
        None => ask(auth, parts).await,
    }
}

/// After [`verify_once_now`] had no verdict.
pub(crate) async fn ask(auth: &Auth0, parts: &mut Parts) -> Result<AccessToken, Error> {
    let result = auth.authenticate(&Sent(parts).view()).await;
    if let Some(field) = only_field(&parts.headers) {
        remember(auth, field, &result, &mut parts.extensions);
    }
    result
}

/// The same without waiting: `None` if the issuer, or a store of used proofs, has to be asked first.
pub(crate) fn verify_once_now(
    auth: &Auth0,
    parts: &mut Parts,
) -> Option<Result<AccessToken, Error>> {
    let Some(field) = only_field(&parts.headers) else {
        // None or several: judged without looking at a token.
        return auth.authenticate_now(&Sent(parts).view());
    };
    if let Some(Verdicts { first, more }) = parts.extensions.get::<Verdicts>() {
        let mut known = std::iter::once(first).chain(more);
        if let Some(verdict) = known.find(|known| known.by.is(auth) && known.of == *field) {
            return Some(verdict.result.clone());
        }
    }
    let result = auth.authenticate_now(&Sent(parts).view())?;
    if !result.as_ref().is_ok_and(|token| auth.remembers(token)) {
        remember(auth, field, &result, &mut parts.extensions);
    }
    Some(result)
}

fn remember(
    auth: &Auth0,
    field: &HeaderValue,
    result: &Result<AccessToken, Error>,
    extensions: &mut Extensions,
) {
    let verdict = Verdict { by: auth.clone(), of: field.clone(), result: result.clone() };
    match extensions.get_mut::<Verdicts>() {
        Some(verdicts) => verdicts.more.push(verdict),
        None => drop(extensions.insert(Verdicts { first: verdict, more: Vec::new() })),
    }
}

fn only_field(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut lines = headers.get_all(AUTHORIZATION).into_iter();
    match (lines.next(), lines.next()) {
        (Some(field), None) => Some(field),
        _ => None,
    }
}
