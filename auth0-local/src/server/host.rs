//! Protection from web pages. A tenant that mints any token must not be reachable from a page whose
//! name was made to resolve to this machine (DNS rebinding). The name in the request reveals that. It
//! must be a loopback name, or the host of the issuer.
use super::refusal::Refusal;
use crate::running::RunningTenant;
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, StatusCode, Uri,
        header::{HOST, ORIGIN},
        uri::Authority,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a browser says about the page that sends a request (Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses requests that name a host other than loopback and the issuer's.
pub(super) async fn known_names_only(
    State(running): State<RunningTenant>,
    request: Request,
    next: Next,
) -> Response {
    let issuer = host_of_issuer(&running);
    if is_for(issuer, request.uri(), request.headers()) {
        return next.run(request).await;
    }
    let other = match issuer.parse::<Authority>() {
        Ok(authority) if !is_loopback(&authority) => format!(", and to {issuer},"),
        _ => String::new(),
    };
    Refusal::new(
        StatusCode::FORBIDDEN,
        "access_denied",
        format!(
            "a local tenant responds to the names 127.0.0.1, [::1] and localhost{other} only. Use one of \
             them, or start it with the issuer under which it is reached: auth0-local serve --issuer URL"
        ),
    )
    .into_response()
}

/// Refuses requests from pages of other origins. Such a page cannot read the response that its
/// request gets, but the request would take effect.
pub(super) async fn no_foreign_origin(
    State(running): State<RunningTenant>,
    request: Request,
    next: Next,
) -> Response {
    if all_origins(request.headers(), |origin| is_own_origin(&running, origin)) {
        return next.run(request).await;
    }
    Refusal::new(
        StatusCode::FORBIDDEN,
        "access_denied",
        "a page of another origin may not control a local tenant. Send the request from a shell",
    )
    .into_response()
}

/// Refuses requests that name a host other than loopback: also that of the issuer, which other machines reach.
pub(super) async fn loopback_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()?.parse().ok());
    let is_here =
        host.as_ref().is_some_and(is_loopback) && request.uri().authority().is_none_or(is_loopback);
    if is_here {
        return next.run(request).await;
    }
    Refusal::new(
        StatusCode::FORBIDDEN,
        "access_denied",
        "this page is for the machine of the tenant only. Open it at 127.0.0.1, [::1] or localhost",
    )
    .into_response()
}

/// Refuses forms that were not sent by a page of this very origin, or not by a browser.
pub(super) async fn same_origin_only(request: Request, next: Next) -> Response {
    if !request.method().is_safe() && !is_same_origin(request.headers()) {
        return Refusal::new(
            StatusCode::FORBIDDEN,
            "access_denied",
            "only the page itself may send its forms. From a shell, use the commands of auth0-local",
        )
        .into_response();
    }
    next.run(request).await
}

/// Returns whether the browser says that a page of this origin has sent the request: in `Origin`, in
/// `Sec-Fetch-Site`, or in both.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = format!("http://{host}");
    let (origins, sites) = (headers.get_all(ORIGIN), headers.get_all(SEC_FETCH_SITE));
    let says_so = origins.iter().next().is_some() || sites.iter().next().is_some();
    says_so
        && all_origins(headers, |origin| origin.eq_ignore_ascii_case(&own))
        && sites.iter().all(|site| site == "same-origin")
}

/// Returns whether the origin of the page that sent a request is trusted. A program sends none.
pub(super) fn all_origins(headers: &HeaderMap, is_trusted: impl Fn(&str) -> bool) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    origins.all(|origin| origin.to_str().is_ok_and(&is_trusted))
}

/// Returns whether an origin has a loopback name or the host of the issuer.
pub(super) fn is_own_origin(running: &RunningTenant, origin: &str) -> bool {
    let issuer = host_of_issuer(running);
    let uri: Option<Uri> = origin.parse().ok();
    uri.is_some_and(|uri| uri.authority().is_some_and(|name| is_ours(issuer, name)))
}

/// Checks every name in the request: exactly one `Host` header, and the target if it is absolute.
fn is_for(issuer: &str, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(HOST).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Some(authority) = value.to_str().ok().and_then(|text| text.parse().ok()) else {
        return false;
    };
    is_ours(issuer, &authority) && uri.authority().is_none_or(|name| is_ours(issuer, name))
}

/// Returns whether the name is a loopback name or the host of the issuer, with any port.
fn is_ours(issuer: &str, authority: &Authority) -> bool {
    let is_issuer = authority.host().eq_ignore_ascii_case(issuer);
    is_loopback(authority) || is_issuer && !authority.as_str().contains('@')
}

/// Returns the host in the issuer, which is `http://host/` or `http://host:port/`.
fn host_of_issuer(running: &RunningTenant) -> &str {
    let rest = running.tenant().issuer().trim_start_matches("http://").trim_end_matches('/');
    match rest.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => rest,
    }
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let v6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    !authority.as_str().contains('@')
        && (host.eq_ignore_ascii_case("localhost")
            || host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
            || v6.and_then(|v6| v6.parse().ok()).is_some_and(|v6: Ipv6Addr| v6.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_the_issuer_is_one_of_ours() {
        for (host, expected) in [
            ("auth0.localtest", true),
            ("AUTH0.localtest:4400", true),
            ("auth0.localtest:1", true),
            ("127.0.0.1", true),
            ("evil.test", false),
            ("localtest", false),
            ("a.auth0.localtest", false),
            ("auth0.localtest.evil.test", false),
            ("auth0.localtest@evil.test", false),
            ("evil.test@auth0.localtest", false),
        ] {
            let authority = host.parse::<Authority>();
            let is_ours = authority.is_ok_and(|name| is_ours("auth0.localtest", &name));
            assert_eq!(is_ours, expected, "{host}");
        }
    }

    #[test]
    fn accepts_loopback_names_only() {
        for (host, expected) in [
            ("127.0.0.1", true),
            ("127.0.0.1:4400", true),
            ("127.8.9.10:4400", true),
            ("localhost:4400", true),
            ("LOCALHOST", true),
            ("[::1]:4400", true),
            ("evil.test", false),
            ("evil.test:4400", false),
            ("127.0.0.1.evil.test:4400", false),
            ("localhost.evil.test", false),
            ("evil.localhost.test", false),
            ("127.0.0.1@evil.test", false),
            ("evil.test@127.0.0.1", false),
            ("192.168.0.1", false),
            ("0.0.0.0:4400", false),
            ("[::]:4400", false),
            ("[::2]", false),
        ] {
            let authority = host.parse::<Authority>();
            assert_eq!(authority.is_ok_and(|name| is_loopback(&name)), expected, "{host}");
        }
    }
}
