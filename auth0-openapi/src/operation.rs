//! An operation of the document.
use crate::{alternative::Alternative, alternatives::Alternatives};
use utoipa::openapi::{
    SecurityRequirement,
    path::{Operation, PathItem, Paths},
};

/// The extension with what `OpenAPI` cannot say: a list in the order of `security`. Each entry has the conditions of its
/// alternative, with `scopes` and `permissions` always.
pub const EXTENSION: &str = "x-auth0-requires";

/// The schemes of an operation whose document has no schemes yet.
const USUAL_SCHEMES: [&str; 2] = ["auth0", "bearer"];

/// Returns all operations of these paths.
pub(crate) fn all_of(paths: &mut Paths) -> impl Iterator<Item = &mut Operation> {
    paths.paths.values_mut().flat_map(|item| {
        let PathItem { get, put, post, delete, options, head, patch, trace, query, .. } = item;
        let usual = [get, put, post, delete, options, head, patch, trace, query];
        usual.into_iter().flatten().chain(item.additional_operations.values_mut())
    })
}

/// Documents one more guard.
pub(crate) fn restrict(operation: &mut Operation, alternatives: &Alternatives) {
    let all = match documented(operation) {
        Some(others) => others.and(alternatives),
        None => alternatives.clone(),
    };
    let of_every_scheme = |one| USUAL_SCHEMES.map(|scheme| (scheme, one));
    write(operation, all.iter().flat_map(of_every_scheme));
}

/// Returns what is documented; `None` if the operation has not been documented.
pub(crate) fn documented(operation: &Operation) -> Option<Alternatives> {
    let listed = operation.extensions.as_ref()?.get(EXTENSION)?;
    serde_json::from_value(listed.clone()).ok().map(Alternatives::from_listed)
}

/// Writes the alternatives, each with the scheme of its token.
pub(crate) fn write<'a>(
    operation: &mut Operation,
    alternatives: impl IntoIterator<Item = (&'a str, &'a Alternative)>,
) {
    let mut security = Vec::new();
    let mut requires: Vec<&Alternative> = Vec::new();
    for (scheme, alternative) in alternatives {
        let requirement = match alternative.is_anonymous() {
            true if requires.contains(&alternative) => continue,
            true => SecurityRequirement::default(),
            false => SecurityRequirement::new(scheme, alternative.scopes()),
        };
        security.push(requirement);
        requires.push(alternative);
    }
    operation.security = Some(security);
    // Without an error: the keys are texts, and so are the values.
    let requires = serde_json::to_value(requires).unwrap_or_default();
    operation.extensions.get_or_insert_default().insert(EXTENSION.to_owned(), requires);
}
