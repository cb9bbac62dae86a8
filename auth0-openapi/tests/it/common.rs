//! Documents of a few operations, as JSON.
use auth0_core::{Auth0, policy::*};
use auth0_openapi::{Documentation, EXTENSION, SecuritySchemes};
use auth0_testing::Tenant;
use serde_json::Value;
use utoipa::openapi::{
    OpenApi,
    path::{HttpMethod, Operation, Paths},
};

pub(crate) fn auth0() -> Auth0 {
    let builder = Auth0::builder().domain("acme.eu.auth0.com").audience("https://api.acme.com");
    builder.build().unwrap()
}

/// Returns a document with this operation at `/`.
pub(crate) fn api(operation: Operation, documentation: &Documentation) -> OpenApi {
    let mut paths = Paths::new();
    paths.add_path_operation("/", vec![HttpMethod::Get], operation);
    documentation.apply_to(&mut paths);
    OpenApi::new(Default::default(), paths)
}

pub(crate) fn completed(schemes: &SecuritySchemes, mut api: OpenApi) -> Value {
    schemes.apply_to(&mut api).unwrap();
    serde_json::to_value(api).unwrap()
}

/// Returns the complete document of one operation with this requirement.
pub(crate) fn document_of(requirement: &Requirement) -> Value {
    let api = api(Operation::new(), &Documentation::of(requirement));
    completed(&SecuritySchemes::of(&auth0()), api)
}

/// Returns the operation of a document with one.
pub(crate) fn operation_of(requirement: &Requirement) -> Value {
    document_of(requirement)["paths"]["/"]["get"].clone()
}

/// What the document says about one alternative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) scheme: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) permissions: Vec<String>,
    /// The whole entry of the extension.
    pub(crate) requires: Value,
}

/// Reads the alternatives of an operation, and checks that both lists agree.
pub(crate) fn listed(operation: &Value) -> Vec<Listed> {
    let security = operation["security"].as_array().expect("security is a list");
    let requires = operation[EXTENSION].as_array().expect("the extension is a list");
    assert_eq!(security.len(), requires.len(), "{operation:#}");
    let entries = security.iter().zip(requires).map(|(security, requires)| {
        let schemes = security.as_object().unwrap();
        let (scopes, permissions) = (texts(&requires["scopes"]), texts(&requires["permissions"]));
        if schemes.is_empty() {
            assert_eq!(requires["anonymous"], true, "{operation:#}");
        }
        assert!(schemes.len() <= 1, "{operation:#}");
        let (scheme, of_scheme) = match schemes.iter().next() {
            Some((scheme, scopes)) => (scheme.clone(), texts(scopes)),
            None => (String::new(), Vec::new()),
        };
        assert_eq!(of_scheme, scopes, "{operation:#}");
        Listed { scheme, scopes, permissions, requires: requires.clone() }
    });
    entries.collect()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Returns a token with exactly these scopes and permissions.
pub(crate) fn token(tenant: &Tenant, scopes: &[String], permissions: &[String]) -> String {
    tenant.token().scope(&scopes.join(" ")).permissions(permissions.to_vec()).mint()
}
