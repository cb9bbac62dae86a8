//! The style and the script of the page, and the policy that admits them and nothing else.
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::HeaderValue;
use base64::{Engine, engine::general_purpose::STANDARD};

pub(super) const STYLE: &str = include_str!("page.css");

/// Copies texts, which can be selected without it.
pub(super) const SCRIPT: &str = include_str!("page.js");

/// Returns the policy. Style and script are named by their hashes.
pub(super) fn policy() -> HeaderValue {
    let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    // The text is ASCII.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
