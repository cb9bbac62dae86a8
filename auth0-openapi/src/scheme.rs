//! The security schemes of a verifier's issuers.
use crate::{alternative::Alternative, alternatives::Alternatives, sentence};
use auth0_core::{Auth0, AuthorizationServer, ConfigError, DpopMode};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, AuthorizationCode, ClientCredentials, Flow, HttpAuthScheme, HttpBuilder,
    OAuth2, Scopes, SecurityScheme,
};

const ONLY_ISSUER: &str = "auth0";

/// Where clients get the tokens of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// At these endpoints, instead of those of the issuer's metadata.
    At { authorization: String, token: String },
    /// In a way that is no flow of OAuth 2.
    Elsewhere,
}

/// A way to send a token of certain issuers.
pub(crate) struct Scheme {
    pub(crate) name: String,
    /// What the issuers require of each of their tokens.
    requirements: Vec<Alternatives>,
    kind: Kind,
}

enum Kind {
    OAuth2 { description: String, endpoints: Endpoints },
    Bearer { description: &'static str },
    Dpop,
}

struct Endpoints {
    authorization: Option<String>,
    token: Option<String>,
    metadata: Option<String>,
}

impl Scheme {
    /// Returns the schemes of a verifier: one for each issuer that has a login, and one for tokens of any origin.
    pub(crate) fn all_of(
        auth: &Auth0,
        logins: &BTreeMap<String, Login>,
    ) -> Result<Vec<Self>, ConfigError> {
        let servers: Vec<AuthorizationServer> = auth.authorization_servers().collect();
        if let Some(other) =
            logins.keys().find(|name| !servers.iter().any(|it| it.issuer() == **name))
        {
            let known: Vec<&str> = servers.iter().map(AuthorizationServer::issuer).collect();
            return Err(ConfigError::new(format!(
                "the issuer {other:?} is not configured. Write one of {known:?}"
            )));
        }
        let mut schemes: Vec<Self> = Vec::new();
        for server in &servers {
            let login = logins.get(server.issuer());
            if login == Some(&Login::Elsewhere) {
                continue;
            }
            let name = match servers.len() {
                1 => ONLY_ISSUER.to_owned(),
                _ => name_of(server.issuer()),
            };
            let is_taken = |name: &str| schemes.iter().any(|known| known.name == name);
            let free = (2..).map(|number| format!("{name}_{number}")).find(|name| !is_taken(name));
            let name = if is_taken(&name) { free.unwrap_or_default() } else { name };
            schemes.push(Self::of_issuer(name, server, login)?);
        }
        schemes.push(Self::of_any_origin(auth, &servers));
        Ok(schemes)
    }

    fn of_issuer(
        name: String,
        server: &AuthorizationServer,
        login: Option<&Login>,
    ) -> Result<Self, ConfigError> {
        let endpoints = match login {
            Some(Login::At { authorization, token }) => Endpoints {
                authorization: Some(authorization.clone()),
                token: Some(token.clone()),
                metadata: server.metadata_url().map(str::to_owned),
            },
            _ => Endpoints {
                authorization: server.authorization_endpoint().map(str::to_owned),
                token: server.token_endpoint().map(str::to_owned),
                metadata: server.metadata_url().map(str::to_owned),
            },
        };
        let issuer = server.issuer();
        if endpoints.token.is_none() {
            return Err(ConfigError::new(format!(
                "the token endpoint of {issuer} is not known. Call warm_up() of the verifier first, which reads the \
                 issuer's metadata, or add .endpoints({issuer:?}, …) or .without_login({issuer:?})"
            )));
        }
        let bound = match server.dpop() {
            DpopMode::Required => {
                " They must be bound to a key (DPoP, RFC 9449), and be sent with a proof."
            }
            DpopMode::Allowed | DpopMode::Disabled => "",
        };
        let requirement = requirement_of(server);
        let own =
            sentence::of(&requirement).unwrap_or_default().replacen("Needs", " Each needs", 1);
        let description = format!("Access tokens of {issuer}.{own}{bound}");
        let kind = Kind::OAuth2 { description, endpoints };
        Ok(Self { name, requirements: vec![requirement], kind })
    }

    fn of_any_origin(auth: &Auth0, servers: &[AuthorizationServer]) -> Self {
        let is_bearer = auth.dpop_mode() != DpopMode::Required;
        let (name, kind) = match auth.dpop_mode() {
            DpopMode::Required => ("dpop", Kind::Dpop),
            DpopMode::Allowed => {
                let description = "An access token. A token that is bound to a key is sent with the scheme DPoP \
                                   and a proof instead (RFC 9449).";
                ("bearer", Kind::Bearer { description })
            }
            DpopMode::Disabled => ("bearer", Kind::Bearer { description: "An access token." }),
        };
        let mut requirements: Vec<Alternatives> = Vec::new();
        let is_sent =
            |server: &&AuthorizationServer| !is_bearer || server.dpop() != DpopMode::Required;
        for requirement in servers.iter().filter(is_sent).map(requirement_of) {
            if !requirements.contains(&requirement) {
                requirements.push(requirement);
            }
        }
        if auth.resolves_issuers() && !requirements.contains(&Alternatives::default()) {
            // What resolved issuers require is known for each request only.
            requirements.push(Alternatives::default());
        }
        // A token of any of them must be enough: otherwise that of the least would be described as enough for all.
        let requirements =
            requirements.into_iter().reduce(|all, one| all.and(&one)).into_iter().collect();
        Self { name: name.to_owned(), requirements, kind }
    }

    /// Returns the alternatives of an operation for tokens of this scheme.
    pub(crate) fn alternatives(&self, operation: &Alternatives) -> Vec<Alternative> {
        // What an issuer requires of its tokens is not required of a request that needs none.
        if operation.is_public() {
            return Vec::new();
        }
        let all = self.requirements.iter().map(|requirement| {
            let anonymous = operation.iter().filter(|one| one.is_anonymous()).cloned();
            let requirement = match anonymous.count() {
                0 => requirement.clone(),
                _ => requirement.clone().or_anonymous(),
            };
            operation.and(&requirement)
        });
        let all: Vec<Alternative> =
            all.flat_map(|all| all.iter().cloned().collect::<Vec<_>>()).collect();
        Alternatives::from_listed(all).iter().cloned().collect()
    }

    /// Returns the definition, with the scopes that operations need.
    pub(crate) fn definition(&self, scopes: &Scopes, has_metadata_url: bool) -> SecurityScheme {
        match &self.kind {
            Kind::OAuth2 { description, endpoints } => {
                let scheme = OAuth2::with_description(endpoints.flows(scopes), description);
                SecurityScheme::OAuth2(match &endpoints.metadata {
                    Some(url) if has_metadata_url => scheme.with_metadata_url(url),
                    _ => scheme,
                })
            }
            Kind::Bearer { description } => {
                let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
                let bearer = bearer.bearer_format("JWT").description(Some(*description));
                SecurityScheme::Http(bearer.build())
            }
            // utoipa has no scheme of this name, and a value of the header is what it is.
            Kind::Dpop => SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "Authorization",
                "The scheme DPoP with an access token that is bound to a key. The header DPoP has the proof (RFC 9449).",
            ))),
        }
    }
}

impl Endpoints {
    fn flows(&self, scopes: &Scopes) -> Vec<Flow> {
        let mut flows = Vec::new();
        if let (Some(authorization), Some(token)) = (&self.authorization, &self.token) {
            let flow = AuthorizationCode::new(authorization, token, scopes.clone());
            flows.push(Flow::AuthorizationCode(flow));
        }
        if let Some(token) = &self.token {
            flows.push(Flow::ClientCredentials(ClientCredentials::new(token, scopes.clone())));
        }
        flows
    }
}

fn requirement_of(server: &AuthorizationServer) -> Alternatives {
    server.requirement().map(Alternatives::of).unwrap_or_default()
}

/// Returns a name for a component: letters, digits, `.`, `-` and `_` are allowed.
fn name_of(issuer: &str) -> String {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let is_allowed = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-');
    let name: String =
        rest.trim_matches('/').chars().map(|it| if is_allowed(it) { it } else { '_' }).collect();
    format!("{ONLY_ISSUER}_{name}")
}

/// Returns the scopes with their descriptions.
pub(crate) fn described(
    scopes: &BTreeSet<String>,
    descriptions: &BTreeMap<String, String>,
) -> Scopes {
    let described = scopes.iter().map(|name| {
        let description = descriptions.get(name).cloned().unwrap_or_default();
        (name.clone(), description)
    });
    described.collect()
}
