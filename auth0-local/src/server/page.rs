//! Pages for the browser. All text of a client in them is escaped.
use super::refusal::noted;
use crate::secret::random_text;
use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};

const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

/// Returns a page with this content. `title` and `content` are HTML.
pub(super) fn page(status: StatusCode, title: &str, content: &str) -> Response {
    respond(status, title, content, HeaderValue::from_static(POLICY))
}

/// Returns a page whose form is sent to this tenant. With `no-referrer`, a browser would name no origin with the
/// form (`Origin: null`), and the tenant accepts that of the page only.
pub(super) fn asking(title: &str, content: &str) -> Response {
    let mut response = page(StatusCode::OK, title, content);
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// Returns a page that says why a request was refused, and that is no redirect.
pub(super) fn refusal(error: &str, description: &str) -> Response {
    let (shown, description) = (escape(error), escape(description));
    let content = format!("<p><code>{shown}</code>: {description}</p>");
    noted(page(StatusCode::BAD_REQUEST, "Error", &content), error.to_owned())
}

/// Returns a page that posts a form to this URL at once (`response_mode=form_post`).
pub(super) fn posting(url: &str, members: &[(&str, String)]) -> Response {
    let Ok(nonce) = random_text() else { return refusal("server_error", "no randomness") };
    let inputs: String = members.iter().map(|(name, value)| hidden(name, value)).collect();
    let content = format!(
        "<form method=\"post\" action=\"{}\">{inputs}<noscript><button>Continue</button></noscript></form>\
         <script nonce=\"{nonce}\">document.forms[0].submit()</script>",
        escape(url)
    );
    let policy = HeaderValue::try_from(format!("{POLICY}; script-src 'nonce-{nonce}'"));
    let policy = policy.unwrap_or(HeaderValue::from_static(POLICY));
    respond(StatusCode::OK, "Continue", &content, policy)
}

pub(super) fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
}

pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn respond(status: StatusCode, title: &str, content: &str, policy: HeaderValue) -> Response {
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <h1>{title}</h1>{content}</html>"
    );
    document(status, body, policy)
}

/// Returns a whole document with this policy for its content.
pub(super) fn document(status: StatusCode, html: String, policy: HeaderValue) -> Response {
    let fixed = |name: HeaderName, value| (name, HeaderValue::from_static(value));
    let headers = [
        fixed(CONTENT_TYPE, "text/html; charset=utf-8"),
        fixed(CACHE_CONTROL, "no-store"),
        fixed(REFERRER_POLICY, "no-referrer"),
        fixed(X_FRAME_OPTIONS, "DENY"),
        (CONTENT_SECURITY_POLICY, policy),
    ];
    (status, headers, html).into_response()
}
