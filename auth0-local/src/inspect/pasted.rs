//! What people paste: a token with a scheme, quotation marks or line breaks around it, or the response that has it.
use super::{
    check::Scheme,
    copy::Signer,
    shown::{printable, quoted},
};
use auth0_core::{Auth0, TrustedIssuer, support};
use serde_json::{Map, Value};
use std::borrow::Cow;
use url::form_urlencoded;

/// More than any response with tokens has.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// More layers than anyone wraps a token in.
const MAX_LAYERS: usize = 8;

/// The members of responses and forms that are tokens, the first one first.
const MEMBERS: [&str; 4] = ["access_token", "id_token", "logout_token", "token"];

/// An input that is no token and no proof, or options that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// A stable name of the reason.
    pub(crate) error: &'static str,
    pub(crate) message: String,
}

impl Unusable {
    pub(crate) fn new(error: &'static str, message: impl Into<String>) -> Self {
        Self { error, message: message.into() }
    }

    pub(crate) fn options(message: impl std::fmt::Display) -> Self {
        Self::new("options", printable(&message.to_string()))
    }
}

/// A text that may be a token, without what was around it.
pub(super) struct Pasted {
    pub(super) text: String,
    /// The scheme before it.
    pub(super) scheme: Option<Scheme>,
    /// What was removed.
    pub(super) notes: Vec<String>,
}

impl Pasted {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Unusable> {
        if bytes.len() > MAX_BYTES {
            return Err(Unusable::new(
                "too_long",
                format!(
                    "The input is longer than {} KiB, which no token is. Pass one token",
                    MAX_BYTES / 1024
                ),
            ));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(Unusable::new(
                "not_text",
                "The input is not text. Pass one token, as base64url with dots between its parts",
            ));
        };
        let mut pasted = Self { text: trimmed(text).to_owned(), scheme: None, notes: Vec::new() };
        for _ in 0..MAX_LAYERS {
            if !pasted.unwrap()? {
                break;
            }
        }
        pasted.join_lines()?;
        match pasted.text.is_empty() {
            true => Err(empty()),
            false => Ok(pasted),
        }
    }

    /// Removes one layer around the token. Returns whether there was one.
    fn unwrap(&mut self) -> Result<bool, Unusable> {
        if self.text.is_empty() {
            return Err(empty());
        }
        if self.text.starts_with('{') {
            self.text = self.member()?;
            return Ok(true);
        }
        let text = self.text.as_str();
        let unquoted = ['"', '\'', '`']
            .iter()
            .find_map(|mark| text.strip_prefix(*mark).and_then(|rest| rest.strip_suffix(*mark)));
        if let Some(inside) = unquoted {
            let inside = inside.to_owned();
            return Ok(self.replace(&inside, "Quotation marks around it were removed"));
        }
        if let Some(rest) = text.strip_prefix("-H").filter(|rest| !rest.starts_with('.')) {
            let rest = rest.to_owned();
            return Ok(self.replace(&rest, "The option -H before it was removed"));
        }
        for (name, what) in [
            ("authorization:", "The name of the header Authorization was removed"),
            ("dpop:", "The name of the header DPoP was removed"),
        ] {
            if let Some(rest) = after(text, name) {
                let rest = rest.to_owned();
                return Ok(self.replace(&rest, what));
            }
        }
        for scheme in [Scheme::Bearer, Scheme::Dpop] {
            let rest =
                after(text, scheme.name()).filter(|rest| rest.starts_with(char::is_whitespace));
            if let Some(rest) = rest {
                let (rest, name) = (rest.to_owned(), scheme.name());
                if self.scheme.is_some() {
                    self.notes.push(format!(
                        "A scheme is there twice. An API refuses {name} before another one"
                    ));
                }
                self.scheme = Some(scheme);
                return Ok(self.replace(&rest, &format!("The scheme {name} before it was removed")));
            }
        }
        if let Some(scheme) = [Scheme::Bearer, Scheme::Dpop]
            .into_iter()
            .find(|it| it.name().eq_ignore_ascii_case(text))
        {
            let sentence =
                format!("No token follows the word {}: a variable was empty", scheme.name());
            return Err(Unusable::new("empty", sentence));
        }
        let found = assigned(text).or_else(|| parameter(text)).map(Cow::into_owned);
        Ok(match found {
            Some(value) => self.replace(&value, "The name before it was removed"),
            None => false,
        })
    }

    fn replace(&mut self, text: &str, note: &str) -> bool {
        self.text = trimmed(text).to_owned();
        self.notes.push(note.to_owned());
        true
    }

    /// Takes the token out of a response in JSON.
    fn member(&mut self) -> Result<String, Unusable> {
        let members: Map<String, Value> = serde_json::from_str(&self.text).map_err(|_| {
            Unusable::new(
                "not_a_token",
                "The input begins as JSON and is not complete JSON. Pass the whole response, or one token",
            )
        })?;
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if let Some(name) = MEMBERS.iter().find(|name| text(name).is_some()) {
            let others: Vec<&str> = MEMBERS
                .into_iter()
                .chain(["refresh_token"])
                .filter(|other| other != name && text(other).is_some())
                .collect();
            let others = match others.is_empty() {
                true => String::new(),
                false => {
                    format!(". It also has {}: pass it alone to inspect it", others.join(" and "))
                }
            };
            self.notes.push(format!("The input is JSON: this is its member {name}{others}"));
            return Ok(trimmed(text(name).unwrap_or_default()).to_owned());
        }
        if let Some(error) = text("error") {
            let description = text("error_description").unwrap_or_default();
            return Err(Unusable::new(
                "not_a_token",
                format!(
                    "The input is an error response without a token: {} {}. Correct the request for the token",
                    quoted(error),
                    quoted(description)
                ),
            ));
        }
        let why = match members.contains_key("signatures") || members.contains_key("signature") {
            true => {
                "The input is a JWS in its JSON form. An API takes the compact form: three parts with dots between them"
            }
            false => {
                "The input is JSON without an access_token, id_token or logout_token. Pass the response of the token \
                 endpoint, or one token"
            }
        };
        Err(Unusable::new("not_a_token", why))
    }

    /// Removes the line breaks of a terminal or a mail inside the token.
    fn join_lines(&mut self) -> Result<(), Unusable> {
        if !self.text.contains(is_invisible) {
            return Ok(());
        }
        let is_jws = |part: &&str| part.split('.').count() == 3 && part.starts_with("eyJ");
        if self.text.split_whitespace().filter(is_jws).count() > 1 {
            return Err(Unusable::new(
                "several_tokens",
                "The input has more than one token. Pass one at a time",
            ));
        }
        let joined: String = self.text.chars().filter(|c| !is_invisible(*c)).collect();
        let is_token =
            joined.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.=".contains(&byte))
                && joined.contains('.');
        if is_token {
            self.text = joined;
            self.notes.push(
                "Spaces or line breaks in it were removed. An API refuses a token that has them"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// Says why a text is no token, in the words of the verifier.
pub(super) async fn not_a_token(text: &str) -> Unusable {
    const ISSUER: &str = "https://no-issuer.invalid/";
    let issuer = TrustedIssuer::new(ISSUER).key_set(Signer::new().key_set());
    let builder = support::without_introduction(Auth0::builder()).issuer(issuer);
    let verdict = match builder.audience("https://no-audience.invalid").build() {
        Ok(auth) => auth.verify(text).await,
        Err(error) => return Unusable::options(error),
    };
    let (code, seen) = match &verdict {
        Err(error) => (error.code().as_str(), support::cause_parts(error)[0].unwrap_or_default()),
        Ok(_) => ("token_malformed", "it has no header"),
    };
    let advice = match text.split('.').count() {
        5 => {
            "It can be read by its audience only. Auth0 encrypts access tokens for its own API: request the token with \
             the audience of your API"
        }
        1 => {
            "Such a token is read by its issuer only. Auth0 issues one if no audience is requested, and as refresh \
             token: request an access token with the audience of your API"
        }
        3 => "Its first part is not the header of a JWT. Pass the token unchanged",
        _ => {
            "A part may have been cut off. Pass the whole token: three parts with dots between them"
        }
    };
    Unusable::new(
        code,
        format!("This is not a token that can be read: {}. {advice}", printable(seen)),
    )
}

fn empty() -> Unusable {
    Unusable::new("empty", "The input is empty. Pass a token or a DPoP proof on standard input")
}

/// Returns the value of `TOKEN=…` and `export TOKEN=…`.
fn assigned(text: &str) -> Option<Cow<'_, str>> {
    let (name, value) = text.split_once('=')?;
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !value.contains(['=', '&']);
    is_name.then_some(Cow::Borrowed(value)).filter(|_| value.contains('.'))
}

/// Returns the token in a form, or in the query or fragment of a URL.
fn parameter(text: &str) -> Option<Cow<'_, str>> {
    let form = text.rsplit(['#', '?']).next().unwrap_or(text);
    if text.contains(char::is_whitespace) || !form.contains('=') {
        return None;
    }
    let value = |name: &str| {
        let mut pairs = form_urlencoded::parse(form.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value)
    };
    MEMBERS.iter().find_map(|name| value(name))
}

/// Returns what follows a word, in any case.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(is_invisible)
}

/// Returns whether a character is a space, or is not shown at all.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA";

    #[test]
    fn a_token_is_found_in_what_is_pasted() {
        let json = format!(
            "{{\"token_type\":\"Bearer\",\"id_token\":\"x\",\"access_token\":\"{TOKEN}\"}}"
        );
        let (half, rest) = TOKEN.split_at(10);
        for (text, scheme, notes) in [
            (TOKEN.to_owned(), None, 0),
            (format!(" {TOKEN}\r\n"), None, 0),
            (format!("\u{feff}{TOKEN}\u{200b}"), None, 0),
            (format!("\"{TOKEN}\""), None, 1),
            (format!("'{TOKEN}'\n"), None, 1),
            (format!("Bearer {TOKEN}"), Some(Scheme::Bearer), 1),
            (format!("bearer\t{TOKEN}"), Some(Scheme::Bearer), 1),
            (format!("DPoP {TOKEN}"), Some(Scheme::Dpop), 1),
            (format!("DPoP: {TOKEN}"), None, 1),
            (format!("Bearer Bearer {TOKEN}"), Some(Scheme::Bearer), 3),
            (format!("Authorization: Bearer {TOKEN}"), Some(Scheme::Bearer), 2),
            (format!("-H 'authorization:Bearer {TOKEN}'"), Some(Scheme::Bearer), 4),
            (format!("TOKEN={TOKEN}"), None, 1),
            (format!("export TOKEN='{TOKEN}'"), None, 2),
            (format!("access_token={TOKEN}&expires_in=1"), None, 1),
            (format!("http://localhost/#id_token={TOKEN}&state=x"), None, 1),
            (format!("{half}\n  {rest}"), None, 1),
            (json.clone(), None, 1),
            (format!("'{json}'"), None, 2),
        ] {
            let pasted = Pasted::read(text.as_bytes()).ok().unwrap();
            assert_eq!((&*pasted.text, pasted.scheme), (TOKEN, scheme), "{text}");
            assert_eq!(pasted.notes.len(), notes, "{text}: {:?}", pasted.notes);
        }
    }

    #[test]
    fn what_is_no_token_has_a_reason() {
        let long = vec![b'a'; MAX_BYTES + 1];
        for (bytes, error, sentence) in [
            (&b""[..], "empty", "empty"),
            (b" \n\xe2\x80\x8b", "empty", "empty"),
            (b"\"\"", "empty", "empty"),
            (b"Bearer ", "empty", "No token follows the word Bearer"),
            (b"\xff\xfe", "not_text", "not text"),
            (&long, "too_long", "longer than 256 KiB"),
            (b"{\"access_token\":", "not_a_token", "not complete JSON"),
            (b"{\"access_token\":1}", "not_a_token", "without an access_token"),
            (
                b"{\"error\":\"access_denied\",\"error_description\":\"\\u001b[31m\"}",
                "not_a_token",
                "\"access_denied\"",
            ),
            (b"{\"payload\":\"e30\",\"signatures\":[]}", "not_a_token", "JSON form"),
            (b"eyJ.e30.A eyJ.e30.B", "several_tokens", "more than one"),
        ] {
            let unusable = Pasted::read(bytes).err().unwrap();
            assert_eq!(unusable.error, error, "{unusable:?}");
            assert!(unusable.message.contains(sentence), "{unusable:?}");
            assert!(!unusable.message.contains(char::is_control), "{unusable:?}");
        }
    }
}
