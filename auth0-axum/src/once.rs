//! One verification per request and verifier, whoever asks first: the layer or any extractor.
use auth0_core::{AccessToken, Auth0, Error, RequestView};
use http::{Extensions, HeaderMap, HeaderValue, header::AUTHORIZATION};

/// What each verifier said about this request. Refusals are remembered too. Keyed by verifier: a
/// token that one audience accepts must not reach a route that trusts another. And by the field: a
/// middleware further in may put another token into it.
#[derive(Clone, Default)]
struct Verdicts(Vec<Verdict>);

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
    let lines = headers.get_all(AUTHORIZATION);
    let request = RequestView::new().authorization(lines.iter().map(HeaderValue::as_bytes));
    let mut lines = lines.iter();
    let (Some(field), None) = (lines.next(), lines.next()) else {
        // None or several: judged without looking at a token.
        return auth.authenticate(&request).await;
    };
    let known = extensions
        .get::<Verdicts>()
        .and_then(|Verdicts(list)| list.iter().find(|v| v.by.is(auth) && v.of == *field));
    if let Some(verdict) = known {
        return verdict.result.clone();
    }
    let result = auth.authenticate(&request).await;
    let Verdicts(list) = extensions.get_or_insert_default::<Verdicts>();
    list.push(Verdict { by: auth.clone(), of: field.clone(), result: result.clone() });
    result
}
