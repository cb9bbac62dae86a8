//! One verification per request and verifier, by the layer or by the first extractor. The verdict is not kept
//! if the token is in the verifier's cache.
use crate::request::RequestAdapter;
use auth0_core::{
    Auth0, Error, VerifiedToken,
    adapter::{Verdicts, is_to_be_kept, only},
};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION, request::Parts};

type Verdict = Result<VerifiedToken, Error>;

/// Returns the verdict about a request, and the header of the token.
pub(crate) async fn verify_once(
    auth: &Auth0,
    parts: &mut Parts,
) -> Result<(VerifiedToken, Option<HeaderValue>), Error> {
    let token = match verify_once_now(auth, parts) {
        Some(verdict) => verdict?,
        None => verify_waiting(auth, parts).await?,
    };
    Ok((token, only_header(&parts.headers).cloned()))
}

/// Verifies after [`verify_once_now`] had no verdict.
pub(crate) async fn verify_waiting(auth: &Auth0, parts: &mut Parts) -> Verdict {
    let verdict = auth.authenticate(&RequestAdapter(parts).view()).await;
    keep(auth, &verdict, parts);
    verdict
}

/// Verifies without waiting: `None` if keys must be fetched, or a store or resolver must be called first.
pub(crate) fn verify_once_now(auth: &Auth0, parts: &mut Parts) -> Option<Verdict> {
    if let Some(verdicts) = parts.extensions.get::<Verdicts<HeaderValue, Verdict>>()
        && let Some(header) = only_header(&parts.headers)
        && let Some(verdict) = verdicts.get(auth, header)
    {
        return Some(verdict.clone());
    }
    let verdict = auth.authenticate_now(&RequestAdapter(parts).view())?;
    if is_to_be_kept(auth, &verdict) {
        keep(auth, &verdict, parts);
    }
    Some(verdict)
}

/// Keeps a verdict with the request. Without a header, or with several, no token would be verified twice.
fn keep(auth: &Auth0, verdict: &Verdict, parts: &mut Parts) {
    let Some(header) = only_header(&parts.headers).cloned() else { return };
    match parts.extensions.get_mut::<Verdicts<HeaderValue, Verdict>>() {
        Some(verdicts) => verdicts.push(auth, header, verdict.clone()),
        None => drop(parts.extensions.insert(Verdicts::new(auth, header, verdict.clone()))),
    }
}

fn only_header(headers: &HeaderMap) -> Option<&HeaderValue> {
    only(headers.get_all(AUTHORIZATION))
}
