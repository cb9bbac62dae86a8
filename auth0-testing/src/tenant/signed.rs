//! Reading of what a tenant signed.
use super::Tenant;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

impl Tenant {
    /// Returns the claims of a token that one of the published keys signed, an ID token for example. Its
    /// claims are not validated: it may have expired.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// let tenant = Tenant::new();
    /// let claims = tenant.signed_claims(&tenant.token().expired().mint()).unwrap();
    /// assert_eq!(claims["iss"], tenant.issuer());
    /// let forged = tenant.token().signed_by(&tenant.unknown_key()).mint();
    /// assert_eq!(tenant.signed_claims(&forged), None);
    /// ```
    #[must_use]
    pub fn signed_claims(&self, token: &str) -> Option<Value> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
        let algorithm = header.get("alg")?.as_str()?.parse().ok()?;
        let signature = decode(signature)?;
        let id = header.get("kid")?.as_str()?;
        let keys = self.state().keys.clone();
        let key = keys.iter().find(|key| key.id() == id)?;
        let is_signed = key.verifies(algorithm, message.as_bytes(), &signature);
        is_signed.then(|| serde_json::from_slice(&decode(payload)?).ok())?
    }
}
