//! Frequent mistakes of clients in the `Authorization` header, for the log. No part of a token is repeated:
//! of an unknown scheme only the word, and of a token only texts that no token has.
use crate::error::{AuthScheme, DpopMode, Error, ErrorCode};
use std::borrow::Cow;

/// Longer than the names of registered schemes.
const MAX_SCHEME_LEN: usize = 20;

/// Texts that a program sends if its variable has no token.
const EMPTY_VALUES: [&str; 9] =
    ["undefined", "null", "none", "nil", "nan", "false", "true", "(null)", "\"\""];

/// Refuses a scheme that is not enabled.
pub(super) fn other_scheme(name: &[u8], rest: &[u8], mode: DpopMode) -> Error {
    let error = Error::new(ErrorCode::SchemeUnsupported);
    match (AuthScheme::named(name), shown_scheme(name, rest)) {
        (Some(AuthScheme::Bearer), _) => bearer_where_required(error),
        (Some(AuthScheme::Dpop), _) => error
            .because("the scheme is DPoP")
            .expecting("Bearer, because DPoP is disabled here")
            .advising(
                "Enable it with Dpop::allowed() or AUTH0_DPOP=allowed, or let the client request tokens that \
                 are not bound to a key",
            ),
        (None, None) => error
            .because("the Authorization header has a token or another text where the scheme belongs")
            .advising(format!(
                "Let the client write the word {} and a space before the token",
                AuthScheme::first_of(mode).as_str()
            )),
        (None, Some(word)) => {
            let is_basic = word.eq_ignore_ascii_case("basic");
            let advice = if is_basic {
                "Let the client send an access token instead of a user name and a password. A proxy must not \
                 replace the header of the client"
                    .into()
            } else {
                format!(
                    "Let the client write the word {} instead of {word:?}",
                    AuthScheme::first_of(mode).as_str()
                )
            };
            error.because(format!("the scheme is {word:?}")).advising(advice)
        }
    }
}

/// Completes the refusal of a bearer token where DPoP is required.
pub(super) fn bearer_where_required(error: Error) -> Error {
    error.because("the scheme is Bearer").expecting("DPoP, which is required here").advising(
        "Let the client send a token that is bound to its key, as \"Authorization: DPoP <access token>\" with a \
         proof in the header DPoP, or accept bearer tokens with Dpop::allowed() or AUTH0_DPOP=allowed",
    )
}

/// Refuses a header that does not begin with the name of a scheme.
pub(super) fn no_scheme(value: &[u8]) -> Error {
    let seen = if starts_with_bearer(value) {
        "a character other than a space follows the word Bearer"
    } else if matches!(value.first(), Some(b'"' | b'\'')) {
        "the Authorization header begins with a quotation mark"
    } else {
        "the Authorization header does not begin with a scheme"
    };
    malformed(seen)
}

pub(super) fn no_token(scheme: AuthScheme) -> Error {
    malformed(format!("no token follows the scheme {}", scheme.as_str()))
        .advising("Check that the client has a token: its variable was empty")
        .with_scheme(scheme)
}

pub(super) fn too_long(length: usize, limit: usize, scheme: AuthScheme) -> Error {
    malformed(format!("the token has {length} bytes"))
        .expecting(format!("at most {limit}, the size limit"))
        .advising(
            "Put fewer claims into the token, or raise Builder::max_token_bytes and the limits for headers of \
             server and proxies",
        )
        .with_scheme(scheme)
}

/// Refuses what is not one token.
pub(super) fn not_one_token(token: &[u8]) -> Error {
    if let Some(error) = placeholder(token, ErrorCode::RequestMalformed) {
        return error;
    }
    let error = malformed("what follows the scheme is not one token");
    if starts_with_bearer(token) {
        return malformed("the word Bearer is there twice")
            .advising("Let the client write it once: its variable has the word already");
    }
    match token.first() {
        Some(b'"' | b'\'') => {
            error.advising("Let the client remove the quotation marks around the token")
        }
        _ => error.advising("Let the client send one token, without spaces, commas or line breaks"),
    }
}

/// Returns the refusal of a text that programs and templates leave where a token belongs.
pub(super) fn placeholder(token: &[u8], code: ErrorCode) -> Option<Error> {
    let text = std::str::from_utf8(token).ok()?;
    let empty = EMPTY_VALUES.iter().find(|value| value.eq_ignore_ascii_case(text));
    let starts = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
    let (seen, advice) = if let Some(value) = empty {
        let seen: Cow<'static, str> = format!("the token is the text {value:?}").into();
        (seen, "Let the client wait until it has a token, and then send the request")
    } else if starts(&["[object ", "Promise", "<coroutine"]) {
        (
            "the token is the name of an object".into(),
            "Let the client await the token, and send its text",
        )
    } else if starts(&["$", "{{", "{", "<", "%", "YOUR_", "your_", "your-"]) {
        (
            "the token is a placeholder".into(),
            "Let the client replace it with the value of its variable",
        )
    } else {
        return None;
    };
    Some(Error::new(code).because(seen).advising(advice))
}

pub(super) fn malformed(seen: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::RequestMalformed).because(seen)
}

/// Returns the word of a scheme for the log. `None` if it may be a token, or a part of one.
fn shown_scheme<'a>(name: &'a [u8], rest: &[u8]) -> Option<&'a str> {
    let is_word = name.len() <= MAX_SCHEME_LEN
        && name.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-')
        && !name.starts_with(b"eyJ");
    if !is_word || rest.trim_ascii().is_empty() {
        return None;
    }
    std::str::from_utf8(name).ok()
}

fn starts_with_bearer(text: &[u8]) -> bool {
    text.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"bearer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_may_be_a_token_is_not_shown() {
        for (name, rest, shown) in [
            ("Basic", " YTpi", true),
            ("Token", " abc", true),
            ("Api-Key", " abc", true),
            ("Token", "", false),
            ("Token", "  ", false),
            ("eyJhbGciOiJSUzI", " x", false),
            ("a.b.c", " x", false),
            ("s3cr3t", " x", false),
            ("abcdefghijklmnopqrstu", " x", false),
        ] {
            let word = shown_scheme(name.as_bytes(), rest.as_bytes());
            assert_eq!(word, shown.then_some(name), "{name}{rest}");
        }
    }

    #[test]
    fn placeholders_are_found_and_tokens_are_not() {
        for text in
            ["undefined", "NULL", "None", "[object Object]", "${TOKEN}", "<token>", "YOUR_TOKEN"]
        {
            assert!(placeholder(text.as_bytes(), ErrorCode::TokenMalformed).is_some(), "{text}");
        }
        for text in ["eyJhbGciOiJSUzI1NiJ9.e30.AAAA", "undefined1", "abc", "nullable"] {
            assert!(placeholder(text.as_bytes(), ErrorCode::TokenMalformed).is_none(), "{text}");
        }
    }
}
