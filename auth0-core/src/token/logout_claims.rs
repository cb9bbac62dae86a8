//! The claims of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4 and §2.6).
use crate::jose::json::{self, Strings, Value};
use std::{borrow::Cow, time::Duration};

/// The member of `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Longer names than any issuer has.
const LONGEST_NAME: usize = 1024;

/// The claims of a logout token that is well formed. Whether they are true, the signature says.
#[derive(Debug)]
pub(crate) struct LogoutClaims<'a> {
    pub(crate) issuer: Cow<'a, str>,
    pub(crate) client_id: String,
    pub(crate) subject: Option<Cow<'a, str>>,
    pub(crate) session: Option<Cow<'a, str>>,
    pub(crate) id: Cow<'a, str>,
    pub(crate) issued_at: Duration,
    pub(crate) expires_at: Duration,
    /// In seconds since 1970, of any size.
    not_before: Option<f64>,
}

/// The reason why claims are not those of a logout token, for the log.
type Reason = Cow<'static, str>;

impl<'a> LogoutClaims<'a> {
    /// Reads the claims, and checks all but the issuer and the times.
    pub(crate) fn read(payload: &'a str, is_ours: impl Fn(&str) -> bool) -> Result<Self, Reason> {
        let mut members = Members::default();
        json::check_object(payload, |name, value| {
            let place = match name {
                "iss" => &mut members.issuer,
                "sub" => &mut members.subject,
                "sid" => &mut members.session,
                "aud" => &mut members.audience,
                "jti" => &mut members.id,
                "iat" => &mut members.issued_at,
                "exp" => &mut members.expires_at,
                "nbf" => &mut members.not_before,
                "events" => &mut members.events,
                "nonce" => &mut members.nonce,
                _ => return,
            };
            *place = Some(value);
        })
        .map_err(|why| format!("its payload: {}", why.as_str()))?;
        let Members { issuer, subject, session, audience, id, issued_at, expires_at, .. } = members;
        if members.nonce.is_some() {
            return Err("it has a nonce, as an ID token has".into());
        }
        let not_before =
            members.not_before.map(|value| value.as_number().ok_or("nbf is not a number"));
        let event = members.events.ok_or("the claim events is missing")?;
        let is_logout = event.is_object() && event.member(EVENT).is_some_and(Value::is_object);
        if !is_logout {
            return Err(
                "the claim events does not have the member of a logout, which is an object".into(),
            );
        }
        let subject = subject.map(|value| text("sub", value)).transpose()?;
        let session = session.map(|value| text("sid", value)).transpose()?;
        if subject.is_none() && session.is_none() {
            return Err("it has neither sub nor sid".into());
        }
        Ok(Self {
            issuer: text("iss", issuer.ok_or("the claim iss is missing")?)?,
            client_id: client(audience.ok_or("the claim aud is missing")?, is_ours)?,
            subject,
            session,
            id: text("jti", id.ok_or("the claim jti is missing")?)?,
            issued_at: moment("iat", issued_at)?,
            expires_at: moment("exp", expires_at)?,
            not_before: not_before.transpose()?,
        })
    }

    pub(crate) fn check_times(&self, now: Duration, leeway: Duration) -> Result<(), Reason> {
        if now >= self.expires_at.saturating_add(leeway) {
            let ago = now.saturating_sub(self.expires_at).as_secs();
            return Err(format!("exp was {ago} s ago").into());
        }
        if now.saturating_add(leeway) < self.issued_at {
            let ahead = self.issued_at.saturating_sub(now).as_secs();
            return Err(format!("iat is {ahead} s ahead").into());
        }
        let latest = now.saturating_add(leeway).as_secs_f64();
        if self.not_before.is_some_and(|not_before| not_before > latest) {
            return Err("nbf is ahead of the clock".into());
        }
        Ok(())
    }
}

#[derive(Default)]
struct Members<'a> {
    issuer: Option<Value<'a>>,
    subject: Option<Value<'a>>,
    session: Option<Value<'a>>,
    audience: Option<Value<'a>>,
    id: Option<Value<'a>>,
    issued_at: Option<Value<'a>>,
    expires_at: Option<Value<'a>>,
    not_before: Option<Value<'a>>,
    events: Option<Value<'a>>,
    nonce: Option<Value<'a>>,
}

fn text<'a>(name: &str, value: Value<'a>) -> Result<Cow<'a, str>, Reason> {
    match value.as_str() {
        Some(text) if text.is_empty() => Err(format!("{name} is empty").into()),
        Some(text) if text.len() > LONGEST_NAME => Err(format!("{name} is too long").into()),
        Some(text) => Ok(text),
        None => Err(format!("{name} is not a string").into()),
    }
}

/// Returns the client of ours that the token is for.
fn client(audience: Value<'_>, is_ours: impl Fn(&str) -> bool) -> Result<String, Reason> {
    let one = audience.as_str();
    let ours = match (one, audience.strings()) {
        (Some(one), _) => is_ours(&one).then(|| one.into_owned()),
        (None, Some(Strings::Plain(inside))) => {
            json::plain_strings(inside).find(|name| is_ours(name)).map(str::to_owned)
        }
        (None, Some(Strings::Unescaped(all))) => {
            all.iter().find(|name| is_ours(name)).map(|name| name.clone().into())
        }
        (None, None) => return Err("aud is neither a string nor an array of strings".into()),
    };
    ours.ok_or_else(|| "aud is none of the client ids".into())
}

fn moment(name: &str, value: Option<Value<'_>>) -> Result<Duration, Reason> {
    let value = value.ok_or_else(|| format!("the claim {name} is missing"))?;
    let number = value.as_number().filter(|number| number.is_finite() && *number >= 0.0);
    number
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or_else(|| format!("{name} is not a time").into())
}
