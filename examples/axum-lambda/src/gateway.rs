//! What differs behind API Gateway: the stage in the path, and one line for each header of a response.
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, Uri, header::SET_COOKIE},
};
use lambda_http::{Request, RequestExt, request::RequestContext};
use std::convert::Infallible;
use tower::{Service, ServiceBuilder};

/// Returns a router as a function for `lambda_http::run`.
pub(crate) fn function(
    app: Router,
) -> impl Service<Request, Response = Response<Body>, Error = Infallible, Future: Send> + Clone {
    ServiceBuilder::new().map_request(without_stage).map_response(one_line_each).service(app)
}

/// Removes the stage, which is the first segment of the path unless it is `$default`. The routes of the application do
/// not name it, and `AUTH0_PUBLIC_URL` has it where clients write it.
fn without_stage(mut request: Request) -> Request {
    let path = path_without_stage(&request).and_then(|path| path.parse::<Uri>().ok());
    if let Some(path) = path {
        let mut uri = request.uri().clone().into_parts();
        uri.path_and_query = path.into_parts().path_and_query;
        if let Ok(uri) = Uri::from_parts(uri) {
            *request.uri_mut() = uri;
        }
    }
    request
}

fn path_without_stage(request: &Request) -> Option<String> {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        return None;
    };
    let stage = context.stage.as_deref()?;
    let path = request.uri().path_and_query()?.as_str();
    let rest = path.strip_prefix('/')?.strip_prefix(stage)?;
    // lambda_http puts the stage in front unless it is followed by a slash.
    let is_root = request.raw_http_path().strip_prefix('/') == Some(stage);
    let rest = if is_root { rest.strip_prefix('/')?.strip_prefix(stage)? } else { rest };
    match rest.chars().next() {
        Some('/') => Some(rest.to_owned()),
        Some('?') | None => Some(format!("/{rest}")),
        Some(_) => None,
    }
}

/// Joins the lines of a header into one, as RFC 9110 §5.3 allows. A response to API Gateway has one line for each
/// name, and `lambda_http` would send the first one only: of a refusal, the challenge `Bearer` without that of `DPoP`.
pub(crate) fn one_line_each(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| *name != SET_COOKIE).cloned().collect();
    for name in names {
        if let Some(joined) = joined(headers, &name) {
            headers.insert(name, joined);
        }
    }
    response
}

/// Returns the joined lines of a header, if there are several.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() < 2 {
        return None;
    }
    HeaderValue::from_bytes(&lines.join(&b", "[..])).ok()
}
