//! One verification per request and verifier, by the layer or by the first extractor. The verdict is not kept
//! if the token is in the verifier's cache.
use crate::request::{Head, only_authorization};
use auth0_core::{
    Auth0, Error, VerifiedToken,
    adapter::{Verdicts, is_to_be_kept},
};
use http::{Extensions, HeaderValue, request::Parts};

pub(crate) type Verdict = Result<VerifiedToken, Error>;

/// Verifies after [`verify_once_now`] had no verdict.
pub(crate) async fn verify_waiting(
    auth: &Auth0,
    parts: &mut Parts,
) -> (Verdict, Option<HeaderValue>) {
    let header = only_authorization(&parts.headers).cloned();
    let verdict = auth.authenticate(&parts.adapter().view(header.as_ref())).await;
    keep(auth, &verdict, header.as_ref(), &mut parts.extensions);
    (verdict, header)
}

/// Returns the verdict about a request, and its only `Authorization` header, without waiting: `None` if keys must be
/// fetched, or a store or resolver must be called first.
pub(crate) fn verify_once_now(
    auth: &Auth0,
    head: &mut impl Head,
) -> Option<(Verdict, Option<HeaderValue>)> {
    let request = head.adapter();
    let header = only_authorization(request.headers);
    if let Some(verdicts) = request.extensions.get::<Verdicts<HeaderValue, Verdict>>()
        && let Some(header) = header
        && let Some(verdict) = verdicts.get(auth, header)
    {
        return Some((verdict.clone(), Some(header.clone())));
    }
    let verdict = auth.authenticate_now(&request.view(header))?;
    let header = header.cloned();
    if is_to_be_kept(auth, &verdict) {
        keep(auth, &verdict, header.as_ref(), head.extensions_mut());
    }
    Some((verdict, header))
}

/// Keeps a verdict with the request. Without a header, or with several, no token would be verified twice.
fn keep(
    auth: &Auth0,
    verdict: &Verdict,
    header: Option<&HeaderValue>,
    extensions: &mut Extensions,
) {
    let Some(header) = header.cloned() else { return };
    match extensions.get_mut::<Verdicts<HeaderValue, Verdict>>() {
        Some(verdicts) => verdicts.push(auth, header, verdict.clone()),
        None => drop(extensions.insert(Verdicts::new(auth, header, verdict.clone()))),
    }
}
