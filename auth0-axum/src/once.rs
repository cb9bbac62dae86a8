//! One verification per request and verifier, whoever asks first: the layer or any extractor. What
//! the verifier itself remembers need not be kept here as well.
use auth0_core::{AccessToken, Auth0, Error, RequestView};
use http::{Extensions, HeaderMap, HeaderValue, header::AUTHORIZATION};

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

pub(crate) async fn verify_once(
    auth: &Auth0,
    headers: &HeaderMap,
    extensions: &mut Extensions,
) -> Result<AccessToken, Error> {
    match verify_once_now(auth, headers, extensions) {
        Some(result) => result,
        None => ask(auth, headers, extensions).await,
    }
}

/// After [`verify_once_now`] had no verdict.
pub(crate) async fn ask(
    auth: &Auth0,
    headers: &HeaderMap,
    extensions: &mut Extensions,
) -> Result<AccessToken, Error> {
    let result = auth.authenticate(&view(headers)).await;
    if let Some(field) = only_field(headers) {
        remember(auth, field, &result, extensions);
    }
    result
}

/// The same without waiting: `None` if the issuer has to be asked first.
pub(crate) fn verify_once_now(
    auth: &Auth0,
    headers: &HeaderMap,
    extensions: &mut Extensions,
) -> Option<Result<AccessToken, Error>> {
    let Some(field) = only_field(headers) else {
        // None or several: judged without looking at a token.
        return auth.authenticate_now(&view(headers));
    };
    if let Some(Verdicts { first, more }) = extensions.get::<Verdicts>() {
        let mut known = std::iter::once(first).chain(more);
        if let Some(verdict) = known.find(|known| known.by.is(auth) && known.of == *field) {
            return Some(verdict.result.clone());
        }
    }
    let request = RequestView::new().authorization([field.as_bytes()]);
    let result = auth.authenticate_now(&request)?;
    if !result.as_ref().is_ok_and(|token| auth.remembers(token)) {
        remember(auth, field, &result, extensions);
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

fn view(headers: &HeaderMap) -> RequestView<'_> {
    let lines = headers.get_all(AUTHORIZATION).into_iter();
    RequestView::new().authorization(lines.map(HeaderValue::as_bytes))
}

fn only_field(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut lines = headers.get_all(AUTHORIZATION).into_iter();
    match (lines.next(), lines.next()) {
        (Some(field), None) => Some(field),
        _ => None,
    }
}
