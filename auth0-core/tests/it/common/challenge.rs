//! The headers of a refusal.
use auth0_core::Error;

/// Returns the values of all headers of this name, in order.
fn headers(error: &Error, name: &str) -> Vec<String> {
    let challenge = error.challenge();
    let headers = challenge.headers().filter(|(known, _)| *known == name);
    headers.map(|(_, value)| value.to_owned()).collect()
}

/// Returns the value of the first header of this name.
pub(crate) fn header(error: &Error, name: &str) -> Option<String> {
    headers(error, name).into_iter().next()
}

/// Returns the challenges, one for each scheme.
pub(crate) fn www_authenticate(error: &Error) -> Vec<String> {
    headers(error, "www-authenticate")
}

/// Returns the seconds after which a client may try again.
pub(crate) fn retry_after(error: &Error) -> u64 {
    let seconds = header(error, "retry-after").expect("a 503 says when to come back");
    seconds.parse().unwrap()
}
