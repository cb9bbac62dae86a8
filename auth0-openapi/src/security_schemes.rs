//! Completes a document: its security schemes, and what operations refer to.
use crate::{
    alternative::Alternative,
    operation,
    refusals::{self, OwnBody},
    scheme::{Login, Scheme, described},
    sentence,
};
use auth0_core::{Auth0, ConfigError};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};
use utoipa::openapi::{OpenApi, OpenApiVersion, RefOr, Schema, path::Operation};

/// Completes a document, after all operations are in it: adds the security schemes of a verifier's issuers, the
/// responses `400`, `401`, `403` and `503` of documented operations, and a sentence about what `security` cannot say.
///
/// ```
/// use auth0_core::Auth0;
/// use auth0_openapi::SecuritySchemes;
///
/// let auth = Auth0::builder().domain("acme.eu.auth0.com").audience("https://api.acme.com").build()?;
/// let mut api = utoipa::openapi::OpenApi::default();
/// SecuritySchemes::of(&auth).scope("read:messages", "Read messages").apply_to(&mut api)?;
///
/// let json = serde_json::to_value(&api).unwrap();
/// let flows = &json["components"]["securitySchemes"]["auth0"]["flows"];
/// assert_eq!(flows["authorizationCode"]["tokenUrl"], "https://acme.eu.auth0.com/oauth/token");
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
///
/// | scheme | type | tokens |
/// |---|---|---|
/// | `auth0` | `oauth2`: authorization code and client credentials | of the configured issuer. With several, each has a scheme of its own, `auth0_` and its host |
/// | `bearer` | `http`, a JWT | of any issuer, also of one that a resolver finds |
/// | `dpop` | `apiKey`, the header `Authorization` | instead of `bearer`, if proofs are required |
#[derive(Clone)]
#[must_use = "the document does not change until `apply_to` is called"]
pub struct SecuritySchemes {
    auth: Auth0,
    descriptions: BTreeMap<String, String>,
    logins: BTreeMap<String, Login>,
    refusal_schema: Option<RefOr<Schema>>,
}

impl SecuritySchemes {
    /// Begins with the issuers of a verifier.
    pub fn of(auth: &Auth0) -> Self {
        Self {
            auth: auth.clone(),
            descriptions: BTreeMap::new(),
            logins: BTreeMap::new(),
            refusal_schema: None,
        }
    }

    /// Describes a scope. A scope that no operation needs is not in the document, and neither is its description.
    pub fn scope(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.descriptions.insert(name.into(), description.into());
        self
    }

    /// Sets the endpoints of an issuer. Unset, they come from its metadata, or are those of a tenant of Auth0.
    pub fn endpoints(
        mut self,
        issuer: impl Into<String>,
        authorization: impl Into<String>,
        token: impl Into<String>,
    ) -> Self {
        let login = Login::At { authorization: authorization.into(), token: token.into() };
        self.logins.insert(issuer.into(), login);
        self
    }

    /// Leaves out the flows of an issuer whose clients get tokens in another way, such as a workload identity. Its
    /// tokens are those of `bearer`.
    pub fn without_login(mut self, issuer: impl Into<String>) -> Self {
        self.logins.insert(issuer.into(), Login::Elsewhere);
        self
    }

    /// Sets the schema of the application's own body of refusals
    /// ([`Builder::refusal_body`](auth0_core::Builder::refusal_body)). Unset, such a body has none.
    pub fn refusal_schema(mut self, schema: impl Into<RefOr<Schema>>) -> Self {
        self.refusal_schema = Some(schema.into());
        self
    }

    /// Completes a document. Call it once, when all operations are in it.
    ///
    /// # Errors
    /// The endpoints of an issuer are not known, or an issuer is not configured.
    pub fn apply_to(&self, api: &mut OpenApi) -> Result<(), ConfigError> {
        let schemes = Scheme::all_of(&self.auth, &self.logins)?;
        let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for operation in operation::all_of(&mut api.paths) {
            complete(operation, &schemes, &mut used);
        }
        // The member is in version 3.2 only.
        let has_metadata_url = api.openapi == OpenApiVersion::Version32;
        let components = api.components.get_or_insert_default();
        for scheme in &schemes {
            let needed = used.remove(&*scheme.name).unwrap_or_default();
            let scopes = described(&needed, &self.descriptions);
            let definition = scheme.definition(&scopes, has_metadata_url);
            components.add_security_scheme(&scheme.name, definition);
        }
        let own = self.auth.own_refusal_media_type();
        let schema = self.refusal_schema.as_ref();
        let own = own.map(|media_type| OwnBody { media_type, schema });
        refusals::define(components, own.as_ref());
        Ok(())
    }
}

/// Completes an operation, if it is documented. Collects the scopes that it needs, for each scheme.
fn complete<'a>(
    operation: &mut Operation,
    schemes: &'a [Scheme],
    used: &mut BTreeMap<&'a str, BTreeSet<String>>,
) {
    let Some(documented) = operation::documented(operation) else { return };
    let of_schemes: Vec<(&str, Vec<Alternative>)> =
        schemes.iter().map(|scheme| (&*scheme.name, scheme.alternatives(&documented))).collect();
    let most = of_schemes.iter().map(|(_, all)| all.len()).max().unwrap_or_default();
    // Alternative by alternative, each for every scheme.
    let entries = (0..most).flat_map(|place| {
        of_schemes.iter().filter_map(move |(scheme, all)| Some((*scheme, all.get(place)?)))
    });
    operation::write(operation, entries);
    for (scheme, all) in &of_schemes {
        let scopes = all.iter().flat_map(|one| one.scopes().iter().cloned());
        used.entry(*scheme).or_default().extend(scopes);
    }
    refusals::refer(operation, of_schemes.iter().flat_map(|(_, all)| all));
    let Some(sentence) = sentence::of(&documented) else { return };
    operation.description = Some(match operation.description.take() {
        Some(text) if text.ends_with(&sentence) => text,
        Some(text) if !text.is_empty() => format!("{text}\n\n{sentence}"),
        _ => sentence,
    });
}

impl fmt::Debug for SecuritySchemes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecuritySchemes")
            .field("auth", &self.auth)
            .field("descriptions", &self.descriptions)
            .field("logins", &self.logins)
            .finish_non_exhaustive()
    }
}
