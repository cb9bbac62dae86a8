//! Shows one API for many organizations: each sees only its own data.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin actix-organizations       # in another
//!
//! acme="Authorization: Bearer $(cargo run -q -p auth0-local -- token \
//!     --audience https://api.local.test --org org_acme:acme)"
//! curl -i http://127.0.0.1:3000/orgs/org_acme/projects -H "$acme"     # 200
//! curl -i http://127.0.0.1:3000/orgs/org_other/projects -H "$acme"    # 403 organization_mismatch
//! ```
//!
//! The organization of the token must be the one in the path. An extractor of the application adds
//! a check that only the application can make: whether the user is a member of a project.
use actix_web::{
    App, FromRequest, HttpRequest, HttpServer, Responder, dev::Payload, get, post, web,
};
use auth0_actix::{
    AccessToken, Auth0, AuthError, Authorized, Organization, VerifiedToken, policy::*,
};
use std::{
    collections::HashMap,
    error::Error,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

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

/// Lists by the organization of the token, never by the text of the path. The policy has checked
/// that both name the same organization.
#[get("/orgs/{org}/projects")]
async fn list(
    _: Authorized<Here>,
    organization: Organization,
    projects: web::Data<Projects>,
) -> impl Responder {
    projects.names(organization.id())
}

#[post("/orgs/{org}/projects")]
async fn add(
    token: Authorized<Here>,
    organization: Organization,
    projects: web::Data<Projects>,
    name: String,
) -> impl Responder {
    projects.add(organization.id(), &name, token.subject());
    name
}

/// A member of the project that the path names. Only the application knows the members, so this is
/// an extractor of its own.
struct Member(VerifiedToken);

impl FromRequest for Member {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let token = Authorized::<Here>::from_request(request, payload);
        let organization = Organization::from_request(request, payload);
        let path = web::Path::<(String, String)>::from_request(request, payload);
        let auth = request.app_data::<Auth0>().cloned();
        let projects = request.app_data::<web::Data<Projects>>().cloned();
        Box::pin(async move {
            let (Some(auth), Some(projects)) = (auth, projects) else {
                return Err(actix_web::error::ErrorInternalServerError("not set up"));
            };
            let token = token.await?.into_token().into_inner();
            let organization = organization.await?;
            let (_, name) = path.await?.into_inner();
            if projects.is_member(organization.id(), &name, token.subject()).await {
                return Ok(Self(token));
            }
            Err(AuthError::from(auth.forbid(&token, "not a member of the project")).into())
        })
    }
}

#[get("/orgs/{org}/projects/{name}")]
async fn open(Member(token): Member, path: web::Path<(String, String)>) -> impl Responder {
    format!("{}, opened by {}", path.1, token.subject())
}

#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    token.organization().map_or("none".to_owned(), |organization| organization.to_string())
}

fn routes(auth: Auth0, projects: Projects) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config
            .app_data(auth)
            .app_data(web::Data::new(projects))
            .service(me)
            .service(list)
            .service(add)
            .service(open);
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let projects = Projects::default();
    let server =
        HttpServer::new(move || App::new().configure(routes(auth.clone(), projects.clone())));
    Ok(server.bind(auth0_local::address()?)?.run().await?)
}

#[cfg(test)]
mod tests;
