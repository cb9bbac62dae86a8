//! Further factors, after `mfa_required`: challenge, enroll, verify.
use super::Members;
use crate::{
    client::Client,
    error::{Error, ErrorKind, MfaRequirement, Purpose},
    parameters::{Parameters, required},
    secret::Secret,
    server::{Body, Call, Endpoint, Repeat},
    token::Tokens,
};
use auth0_core::ConfigError;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{fmt, net::IpAddr, time::Duration};

const OTP: &str = "http://auth0.com/oauth/grant-type/mfa-otp";
const OOB: &str = "http://auth0.com/oauth/grant-type/mfa-oob";
/// The description of a notification that the user has refused. Its code is that of a wrong one-time password.
const REJECTED: &str = "MFA Authorization rejected.";

const RECOVERY_CODE: &str = "http://auth0.com/oauth/grant-type/mfa-recovery-code";

/// The factors of a user who has to pass one: see [`Client::mfa`].
#[derive(Clone)]
pub struct Mfa {
    client: Client,
    token: Secret,
    /// The scopes of an answer that names none.
    implied_scope: Box<str>,
    forwarded_for: Option<IpAddr>,
    deadline: Duration,
}

/// A factor that a user has enrolled.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Authenticator {
    /// Its id, for [`Mfa::challenge`] and [`Mfa::delete`].
    pub id: String,
    /// Its type, an open string: `otp`, `oob`, `recovery-code` and others.
    pub authenticator_type: String,
    /// How a code is delivered: `sms`, `auth0`, `email`, …
    #[serde(default, alias = "oob_channels")]
    pub oob_channel: Option<String>,
    /// Its name, for example a part of a phone number.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it is confirmed. Others cannot be used.
    #[serde(default)]
    pub active: bool,
}

/// A challenge that a user has to answer.
pub struct MfaChallenge {
    challenge_type: String,
    oob_code: Option<Secret>,
    needs_code: bool,
}

/// A factor that is being enrolled.
pub struct Enrollment {
    members: Members,
    oob_code: Option<Secret>,
}

impl Client {
    /// Continues after [`MfaRequired`](ErrorKind::MfaRequired): `error.mfa()` has the requirement.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, mfa_of_eve, one_time_password, web};
    /// # run(async {
    /// # let client = web();
    /// # let error = mfa_of_eve(&client).await;
    /// let requirement = error.mfa().expect("mfa_required has a token");
    /// let mfa = client.mfa(requirement);
    /// let challenge = mfa.challenge(None).await?;
    /// assert_eq!(challenge.challenge_type(), "otp");
    /// # let code = one_time_password();
    /// let tokens = mfa.verify_otp(&code).await?;
    /// assert!(tokens.access_token().expires_at().is_some());
    /// # Ok(())
    /// # });
    /// ```
    #[must_use]
    pub fn mfa(&self, requirement: &MfaRequirement) -> Mfa {
        Mfa {
            client: self.clone(),
            token: Secret::new(requirement.token()),
            implied_scope: requirement.scope().into(),
            forwarded_for: None,
            deadline: self.0.deadline,
        }
    }
}

impl Mfa {
    /// Sets the address of the user (`auth0-forwarded-for`).
    #[must_use]
    pub const fn forwarded_for(mut self, address: IpAddr) -> Self {
        self.forwarded_for = Some(address);
        self
    }

    /// Sets the limit of each call: that of the client by default.
    #[must_use]
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Lists the factors that the user has enrolled.
    ///
    /// # Errors
    /// As for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn authenticators(&self) -> Result<Vec<Authenticator>, Error> {
        let body = Body::WithToken(self.token.clone(), None);
        let answer = self.send(Endpoint::MfaAuthenticators, "mfa_authenticators", body).await?;
        serde_json::from_slice(answer.body()).map_err(|_| {
            Error::new(ErrorKind::Malformed, "The answer is not a list of authenticators")
        })
    }

    /// Deletes a factor, by its id. Auth0 permits it to a user who has just passed another.
    ///
    /// # Errors
    /// As for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn delete(&self, authenticator_id: &str) -> Result<(), Error> {
        check(required("the id of the authenticator", authenticator_id))?;
        let id = url::form_urlencoded::byte_serialize(authenticator_id.as_bytes());
        let body = Body::Delete(self.token.clone(), id.collect());
        self.send(Endpoint::MfaAuthenticators, "mfa_delete", body).await.map(drop)
    }

    /// Enrolls a one-time password app: [`Enrollment::barcode_uri`] is what the user scans. The first
    /// [`verify_otp`](Self::verify_otp) confirms it.
    ///
    /// # Errors
    /// As for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn enroll_otp(&self) -> Result<Enrollment, Error> {
        self.enroll([("authenticator_types", Value::from(vec!["otp"]))]).await
    }

    /// Enrolls a channel to which codes or notifications are sent: `sms` or `voice` with a phone number, `email` with an
    /// address (or that of the user), or `auth0` for the Guardian app.
    ///
    /// # Errors
    /// As for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn enroll_oob(
        &self,
        channel: &str,
        address: Option<&str>,
    ) -> Result<Enrollment, Error> {
        check(required("the channel", channel))?;
        let name = if channel == "email" { "email" } else { "phone_number" };
        let address = address.map(|address| (name, Value::from(address)));
        let types = ("authenticator_types", Value::from(vec!["oob"]));
        let channels = ("oob_channels", Value::from(vec![channel]));
        self.enroll([types, channels].into_iter().chain(address)).await
    }

    async fn enroll(
        &self,
        parameters: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Result<Enrollment, Error> {
        let body: Map<_, _> =
            parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let body = Body::WithToken(self.token.clone(), Some(body));
        let members =
            Members::read(&self.send(Endpoint::MfaAssociate, "mfa_associate", body).await?)?;
        let oob_code = members.optional("oob_code").map(Secret::new);
        Ok(Enrollment { members, oob_code })
    }

    /// Requests a challenge: for this authenticator, or the one that Auth0 chooses.
    ///
    /// # Errors
    /// As for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn challenge(&self, authenticator_id: Option<&str>) -> Result<MfaChallenge, Error> {
        let mut body = Map::new();
        body.insert("mfa_token".into(), (*self.token).into());
        body.insert("challenge_type".into(), "otp oob".into());
        if let Some(id) = authenticator_id {
            check(required("the id of the authenticator", id))?;
            body.insert("authenticator_id".into(), id.into());
        }
        let answer = self.send(Endpoint::MfaChallenge, "mfa_challenge", Body::Json(body)).await?;
        let members = Members::read(&answer)?;
        Ok(MfaChallenge {
            challenge_type: members.text("challenge_type")?,
            oob_code: members.optional("oob_code").map(Secret::new),
            needs_code: members.get("binding_method").is_some_and(|method| method == "prompt"),
        })
    }

    /// Verifies a one-time password, and returns the tokens of the login.
    ///
    /// # Errors
    /// [`InvalidGrant`](ErrorKind::InvalidGrant): the code is wrong. Others as for
    /// [`TokenSource::token`](crate::TokenSource::token).
    pub async fn verify_otp(&self, code: &str) -> Result<Tokens, Error> {
        check(required("the code", code))?;
        self.verify(Parameters::of_grant(OTP).with("otp", code)).await
    }

    /// Verifies a challenge that was sent to the user: with the code that the user has entered if
    /// [`MfaChallenge::needs_code`] says so, else as soon as the user has approved.
    ///
    /// # Errors
    /// [`Pending`](ErrorKind::Pending), [`SlowDown`](ErrorKind::SlowDown): the user has not approved yet; call again
    /// after five seconds. [`Denied`](ErrorKind::Denied): the user refused. Others as for
    /// [`verify_otp`](Self::verify_otp).
    pub async fn verify_challenge(
        &self,
        challenge: &MfaChallenge,
        code: Option<&str>,
    ) -> Result<Tokens, Error> {
        let oob_code = challenge.oob_code.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Misconfigured, "This challenge is one for verify_otp")
        })?;
        self.verify_oob(oob_code, code).await
    }

    /// Confirms an enrolled channel: see [`verify_challenge`](Self::verify_challenge).
    ///
    /// # Errors
    /// As for [`verify_challenge`](Self::verify_challenge).
    pub async fn verify_enrollment(
        &self,
        enrollment: &Enrollment,
        code: Option<&str>,
    ) -> Result<Tokens, Error> {
        let oob_code = enrollment.oob_code.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Misconfigured, "This factor is confirmed with verify_otp")
        })?;
        self.verify_oob(oob_code, code).await
    }

    async fn verify_oob(&self, oob_code: &Secret, code: Option<&str>) -> Result<Tokens, Error> {
        let mut parameters = Parameters::of_grant(OOB).with("oob_code", oob_code.clone());
        parameters.set_some("binding_code", code);
        self.verify(parameters).await.map_err(|error| match error.description() {
            Some(REJECTED) => error.into_denied(),
            _ => error,
        })
    }

    /// Verifies a recovery code. [`Tokens::recovery_code`] is the next one, which the user writes down.
    ///
    /// # Errors
    /// As for [`verify_otp`](Self::verify_otp).
    pub async fn verify_recovery_code(&self, code: &str) -> Result<Tokens, Error> {
        check(required("the recovery code", code))?;
        self.verify(Parameters::of_grant(RECOVERY_CODE).with("recovery_code", code)).await
    }

    async fn verify(&self, parameters: Parameters) -> Result<Tokens, Error> {
        let parameters = parameters.with("mfa_token", self.token.clone());
        let mut call = Call::token("mfa", parameters, Repeat::UnseenNow, Purpose::Other);
        call.forwarded_for = self.forwarded_for;
        let scope = self.implied_scope.to_string();
        self.client.0.tokens_once(call, scope, None, self.deadline).await
    }

    async fn send(
        &self,
        endpoint: Endpoint,
        label: &'static str,
        body: Body,
    ) -> Result<auth0_core::transport::HttpResponse, Error> {
        let mut call = Call::to(endpoint, label, body);
        call.forwarded_for = self.forwarded_for;
        self.client.0.answer(call, self.deadline).await
    }
}

fn check(result: Result<(), ConfigError>) -> Result<(), Error> {
    result.map_err(|error| Error::new(ErrorKind::Misconfigured, error.to_string()))
}

impl MfaChallenge {
    /// Returns the type of the challenge, an open string: `otp`, `oob` and others.
    #[must_use]
    pub fn challenge_type(&self) -> &str {
        &self.challenge_type
    }

    /// Returns whether the user has to enter the code that was sent.
    #[must_use]
    pub const fn needs_code(&self) -> bool {
        self.needs_code
    }
}

impl Enrollment {
    /// Returns the URI that the user scans as a QR code. It contains a secret.
    #[must_use]
    pub fn barcode_uri(&self) -> Option<&str> {
        self.members.get("barcode_uri")?.as_str()
    }

    /// Returns the secret of a one-time password app, for users who cannot scan.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        self.members.get("secret")?.as_str()
    }

    /// Returns the recovery codes, which the user writes down. They come with the first factor.
    pub fn recovery_codes(&self) -> impl Iterator<Item = &str> {
        let codes = self.members.get("recovery_codes").and_then(Value::as_array);
        codes.into_iter().flatten().filter_map(Value::as_str)
    }
}

impl fmt::Debug for Mfa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mfa").finish_non_exhaustive()
    }
}

impl fmt::Debug for MfaChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MfaChallenge")
            .field("challenge_type", &self.challenge_type)
            .field("needs_code", &self.needs_code)
            .finish_non_exhaustive()
    }
}

/// Omits the secrets.
impl fmt::Debug for Enrollment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrollment").finish_non_exhaustive()
    }
}
