//! The responses of refusals, as components of the document.
use crate::alternative::Alternative;
use auth0_core::ErrorCode;
use serde_json::json;
use utoipa::openapi::{
    Components, Content, ContentBuilder, Header, Object, ObjectBuilder, Ref, RefOr, Response,
    ResponseBuilder, Schema, Type, header::HeaderBuilder, path::Operation,
};

const SCHEMA: &str = "Auth0Refusal";

/// The name of a response's component and what it means.
struct Refusal {
    name: &'static str,
    description: &'static str,
    /// An example of it. All have the same status.
    code: ErrorCode,
}

const MALFORMED: Refusal = Refusal {
    name: "Auth0BadRequest",
    description: "The request has malformed credentials, or more than one token.",
    code: ErrorCode::RequestMalformed,
};
const UNAUTHORIZED: Refusal = Refusal {
    name: "Auth0Unauthorized",
    description: "The request has no token, the token is not valid, or a stronger or more recent login is required.",
    code: ErrorCode::TokenExpired,
};
const FORBIDDEN: Refusal = Refusal {
    name: "Auth0Forbidden",
    description: "The token is valid and lacks what the operation needs: a scope, a permission or another condition.",
    code: ErrorCode::InsufficientScope,
};
const UNAVAILABLE: Refusal = Refusal {
    name: "Auth0Unavailable",
    description: "The token could not be verified at the moment. It may be valid.",
    code: ErrorCode::KeysUnavailable,
};

/// The body of refusals, if it is the application's own.
pub(crate) struct OwnBody<'a> {
    pub(crate) media_type: &'a str,
    pub(crate) schema: Option<&'a RefOr<Schema>>,
}

/// Adds the responses of an operation's refusals, without those that the operation itself describes.
pub(crate) fn refer<'a>(
    operation: &mut Operation,
    alternatives: impl IntoIterator<Item = &'a Alternative>,
) {
    for refusal in refusals_of(alternatives) {
        let response = Ref::from_response_name(refusal.name);
        let status = refusal.code.status().to_string();
        operation.responses.responses.entry(status).or_insert(response.into());
    }
}

fn refusals_of<'a>(
    alternatives: impl IntoIterator<Item = &'a Alternative>,
) -> &'static [&'static Refusal] {
    let needs_more = |one: &Alternative| !one.is_any_token() && !one.is_anonymous();
    match alternatives.into_iter().map(needs_more).max() {
        None => &[],
        Some(false) => &[&MALFORMED, &UNAUTHORIZED, &UNAVAILABLE],
        Some(true) => &[&MALFORMED, &UNAUTHORIZED, &FORBIDDEN, &UNAVAILABLE],
    }
}

/// Adds the components that operations refer to.
pub(crate) fn define(components: &mut Components, own: Option<&OwnBody<'_>>) {
    if own.is_none() {
        components.schemas.entry(SCHEMA.to_owned()).or_insert_with(|| schema().into());
    }
    for refusal in [&MALFORMED, &UNAUTHORIZED, &FORBIDDEN, &UNAVAILABLE] {
        let response = || response(refusal, own).into();
        components.responses.entry(refusal.name.to_owned()).or_insert_with(response);
    }
}

fn response(refusal: &Refusal, own: Option<&OwnBody<'_>>) -> Response {
    let (media_type, content) = match own {
        Some(own) => (own.media_type, Content::new(own.schema.cloned())),
        None => {
            let code = refusal.code;
            let example = json!({
                "error": code.oauth_error().unwrap_or("unauthorized"),
                "error_code": code.as_str(),
                "error_description": code.description(),
            });
            let schema = Ref::from_schema_name(SCHEMA);
            let content = ContentBuilder::new().schema(Some(schema)).example(Some(example));
            ("application/json", content.build())
        }
    };
    let (name, header) = match refusal.code.status() {
        503 => ("Retry-After", retry_after()),
        _ => ("WWW-Authenticate", challenge()),
    };
    ResponseBuilder::new()
        .description(refusal.description)
        .header(name, header)
        .content(media_type, content)
        .build()
}

fn challenge() -> Header {
    HeaderBuilder::new()
        .schema(Some(Object::with_type(Type::String)))
        .description(Some(
            "The challenge (RFC 6750, RFC 9449), one line for each scheme: what is wrong, and the scopes to request.",
        ))
        .build()
}

fn retry_after() -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build()))
        .description(Some("Seconds to wait before the request is repeated."))
        .build()
}

fn schema() -> Schema {
    let text = |description| {
        ObjectBuilder::new().schema_type(Type::String).description(Some(description)).build()
    };
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Why a request was refused."))
        .property("error", text("The error code of OAuth 2."))
        .property("error_description", text("A sentence for developers."))
        .property("error_code", text("The precise reason, stable and for programs."))
        .required("error")
        .required("error_description")
        .required("error_code")
        .build()
        .into()
}
