//! Shows one API for many organizations: each sees only its own data.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin axum-organizations        # in another
//!
//! acme="Authorization: Bearer $(cargo run -q -p auth0-local -- token \
//!     --audience https://api.local.test --org org_acme:acme)"
//! curl -i http://127.0.0.1:3000/orgs/org_acme/projects -H "$acme"     # 200
//! curl -i http://127.0.0.1:3000/orgs/org_other/projects -H "$acme"    # 403 organization_mismatch
//! ```
//!
//! The organization of the token must be the one in the path. An extractor of the application adds
//! a check that only the application can make: whether the user is a member of a project.
use auth0_axum::{
    AccessToken, Auth0, AuthRejection, Authorized, Organization, VerifiedToken, policy::*,
};
use axum::{
    Router,
    extract::{FromRef, FromRequestParts, Path, State},
    http::request::Parts,
    routing::get,
};
use std::{
    collections::HashMap,
    error::Error,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpListener;

// The organization of the token must be the one that the path names.
policy!(Here = organization_in_path("org"));

/// The data of the application: the projects of each organization, and their members.
#[derive(Clone, Default)]
struct Projects(Arc<Mutex<HashMap<String, Vec<Project>>>>);

#[derive(Clone)]
struct Project {
    name: String,
    members: Vec<String>,
}

impl Projects {
    fn add(&self, organization: &str, name: &str, member: &str) {
        let project = Project { name: name.to_owned(), members: vec![member.to_owned()] };
        self.lock().entry(organization.to_owned()).or_default().push(project);
    }

    fn names(&self, organization: &str) -> String {
        let projects = self.lock().get(organization).cloned().unwrap_or_default();
        projects.iter().map(|project| &*project.name).collect::<Vec<_>>().join(", ")
    }

    /// Stands for a query to a database or to `OpenFGA`.
    async fn is_member(&self, organization: &str, name: &str, user: &str) -> bool {
        let projects = self.lock().get(organization).cloned().unwrap_or_default();
        projects.iter().any(|known| known.name == name && known.members.iter().any(|m| m == user))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<Project>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, FromRef)]
struct AppState {
    auth: Auth0,
    projects: Projects,
}

/// Lists by the organization of the token, never by the text of the path. The policy has checked
/// that both name the same organization.
async fn list(
    _: Authorized<Here>,
    organization: Organization,
    State(projects): State<Projects>,
) -> String {
    projects.names(organization.id())
}

async fn add(
    token: Authorized<Here>,
    organization: Organization,
    State(projects): State<Projects>,
    name: String,
) -> String {
    projects.add(organization.id(), &name, token.subject());
    name
}

/// A member of the project that the path names. Only the application knows the members, so this is
/// an extractor of its own.
struct Member(VerifiedToken);

impl FromRequestParts<AppState> for Member {
    type Rejection = axum::response::Response;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, axum::response::Response> {
        use axum::response::IntoResponse;
        let refuse = |refusal: AuthRejection| refusal.into_response();
        let token = Authorized::<Here>::from_request_parts(parts, state).await.map_err(refuse)?;
        let organization = Organization::from_request_parts(parts, state).await.map_err(refuse)?;
        let Path((_, name)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let token = token.into_token().into_inner();
        if state.projects.is_member(organization.id(), &name, token.subject()).await {
            return Ok(Self(token));
        }
        Err(refuse(state.auth.forbid(&token, "not a member of the project").into()))
    }
}

async fn open(Member(token): Member, Path((_, name)): Path<(String, String)>) -> String {
    format!("{name}, opened by {}", token.subject())
}

async fn me(token: AccessToken) -> String {
    token.organization().map_or("none".to_owned(), |organization| organization.to_string())
}

fn app(state: AppState) -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/orgs/{org}/projects", get(list).post(add))
        .route("/orgs/{org}/projects/{name}", get(open))
        .with_state(state)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let state = AppState { auth: Auth0::from_env()?, projects: Projects::default() };
    let listener = TcpListener::bind(auth0_local::address()?).await?;
    let service = app(state).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

#[cfg(test)]
mod tests;
