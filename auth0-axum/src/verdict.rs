//! One verification per request and verifier, by the layer or by the first extractor. The verdict is not kept
//! if the token is in the verifier's cache.
use crate::request::RequestAdapter;
use auth0_core::{
    Auth0, Error, VerifiedToken,
    adapter::{Verdicts, is_to_be_kept, only},
};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION, request::Parts};

pub(crate) type Verdict = Result<VerifiedToken, Error>;

/// Returns the token of a request, and its header.
pub(crate) async fn verify_once(
    auth: &Auth0,
    parts: &mut Parts,
) -> Result<(VerifiedToken, Option<HeaderValue>), Error> {
    let (verdict, header) = match verify_once_now(auth, parts) {
        Some(known) => known,
        // In a box, because nearly no request needs it, and the future of each handler would have room for it.
        None => Box::pin(verify_waiting(auth, parts)).await,
    };
    Ok((verdict?, header))
}

/// Verifies after [`verify_once_now`] had no verdict.
pub(crate) async fn verify_waiting(
    auth: &Auth0,
    parts: &mut Parts,
) -> (Verdict, Option<HeaderValue>) {
    let header = only_header(&parts.headers).cloned();
    let verdict = auth.authenticate(&RequestAdapter(parts).view(header.as_ref())).await;
    keep(auth, &verdict, header.as_ref(), parts);
    (verdict, header)
}

/// Returns the verdict about a request, and its only `Authorization` header, without waiting: `None` if keys must be
/// fetched, or a store or resolver must be called first.
pub(crate) fn verify_once_now(
    auth: &Auth0,
    parts: &mut Parts,
) -> Option<(Verdict, Option<HeaderValue>)> {
    let header = only_header(&parts.headers);
    if let Some(verdicts) = parts.extensions.get::<Verdicts<HeaderValue, Verdict>>()
        && let Some(header) = header
        && let Some(verdict) = verdicts.get(auth, header)
    {
        return Some((verdict.clone(), Some(header.clone())));
    }
    let verdict = auth.authenticate_now(&RequestAdapter(parts).view(header))?;
    let header = header.cloned();
    if is_to_be_kept(auth, &verdict) {
        keep(auth, &verdict, header.as_ref(), parts);
    }
    Some((verdict, header))
}

/// Keeps a verdict with the request. Without a header, or with several, no token would be verified twice.
fn keep(auth: &Auth0, verdict: &Verdict, header: Option<&HeaderValue>, parts: &mut Parts) {
    let Some(header) = header.cloned() else { return };
    match parts.extensions.get_mut::<Verdicts<HeaderValue, Verdict>>() {
        Some(verdicts) => verdicts.push(auth, header, verdict.clone()),
        None => drop(parts.extensions.insert(Verdicts::new(auth, header, verdict.clone()))),
    }
}

fn only_header(headers: &HeaderMap) -> Option<&HeaderValue> {
    only(headers.get_all(AUTHORIZATION))
}
