//! One verification per request and verifier, whoever asks first: the layer or any extractor.
use auth0_core::{AccessToken, Auth0, Error, RequestView};
use http::{Extensions, HeaderMap, HeaderValue, header::AUTHORIZATION};

/// What each verifier said about this request. Refusals are remembered too. Keyed by verifier: a
/// token that one audience accepts must not reach a route that trusts another.
#[derive(Clone, Default)]
struct Verdicts(Vec<(Auth0, Result<AccessToken, Error>)>);

pub(crate) async fn verify_once(
    auth: &Auth0,
    headers: &HeaderMap,
    extensions: &mut Extensions,
) -> Result<AccessToken, Error> {
    let request = RequestView::new()
        .authorization(headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes));
    if !request.has_credentials() {
        // Not remembered: a middleware further in may still add the field, from a cookie say.
        return auth.authenticate(&request).await;
    }
    let known = extensions.get::<Verdicts>().and_then(|Verdicts(list)| {
        list.iter().find(|(by, _)| by.is(auth)).map(|(_, verdict)| verdict.clone())
    });
    if let Some(verdict) = known {
        return verdict;
    }
    let verdict = auth.authenticate(&request).await;
    let Verdicts(list) = extensions.get_or_insert_default::<Verdicts>();
    list.push((auth.clone(), verdict.clone()));
    verdict
}
