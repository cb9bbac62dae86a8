//! The servers in Rust: one thread each, one route, and the subject of the token as the response.
use crate::{
    Outcome, process,
    token::Claims,
    verify::{keys_by_id, remote_decoder, validation},
};
use actix_web::{
    App, HttpServer,
    dev::Payload,
    error::ErrorUnauthorized,
    middleware::{Next, from_fn},
    web,
};
use auth0_axum::{Auth0, AuthLayer};
use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use axum::{
    Extension, Router,
    extract::{FromRef, FromRequestParts},
    http::{Request, StatusCode, request::Parts},
    routing::get,
};
use axum_jwt_auth::Decoder;
use jsonwebtoken::{DecodingKey, Validation};
use jwt_authorizer::{IntoLayer, JwtAuthorizer, JwtClaims};
use std::{
    collections::HashMap,
    env,
    future::{Ready, ready},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::{Duration, SystemTime},
};
use tower::{Service, layer::layer_fn};
use tower_oauth2_resource_server::{server::OAuth2ResourceServer, tenant::TenantConfiguration};

/// As long as the subjects of the tokens.
const SUBJECT: &str = "auth0|6543210fedcba987654300000000000000000000";

const LOOPBACK: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
/// The default size of the token cache.
const CACHE_SIZE: usize = 10_000;

/// Prints the port, and serves until the standard input ends.
pub(crate) fn serve(contender: &str) -> Outcome {
    process::end_with_input();
    let tenant = Issuer { issuer: env::var("ISSUER")?, audience: env::var("AUDIENCE")? };
    if contender.starts_with("actix") {
        return actix_web::rt::System::new().block_on(serve_actix(contender, &tenant));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if contender.starts_with("old-axum") {
            serve_old_axum(contender, &tenant).await
        } else {
            serve_axum(contender, &tenant).await
        }
    })
}

struct Issuer {
    issuer: String,
    audience: String,
}

impl Issuer {
    async fn ours(&self, token_cache: usize) -> Outcome<Auth0> {
        let auth = Auth0::builder()
            .issuer(&self.issuer)
            .audience(&self.audience)
            .token_cache(token_cache)
            .build()?;
        auth.warm_up().await?;
        Ok(auth)
    }

    async fn by_hand(&self) -> Outcome<ByHand> {
        let url = format!("{}.well-known/jwks.json", self.issuer);
        let keys = keys_by_id(reqwest::get(url).await?.json().await?)?;
        let validation = validation(&self.issuer, &self.audience);
        Ok(ByHand(Arc::new((keys, validation))))
    }
}

fn announce(address: SocketAddr) {
    println!("{}", address.port());
}

/// A service that only calls another: what a layer costs before it does anything.
#[derive(Clone)]
struct Through<S>(S);

impl<R, S: Service<R>> Service<R> for Through<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

/// Responds as a protected route does, so that the response makes no difference.
async fn open() -> String {
    SUBJECT.to_owned()
}

async fn serve_axum(contender: &str, tenant: &Issuer) -> Outcome {
    let app = match contender {
        "axum-open" => Router::new().route("/", get(open)),
        "axum-extractor-of-header" => {
            Router::new().route("/", get(async |Header(_)| SUBJECT.to_owned()))
        }
        "axum-extractor-of-tag" => {
            let handler = async |Recognized(known)| known.subject.clone();
            Router::new().route("/", get(handler)).with_state(OneToken::new()?)
        }
        "axum-layer-of-tag" => {
            let one = OneToken::new()?;
            let layer = layer_fn(move |inner| Recognizing(inner, one.clone()));
            Router::new().route("/", get(open).layer(layer))
        }
        "axum-ours" => axum_ours(tenant.ours(CACHE_SIZE).await?),
        "axum-ours-uncached" => axum_ours(tenant.ours(0).await?),
        "axum-layer-of-nothing" => Router::new().route("/", get(open).layer(layer_fn(Through))),
        "axum-ours-layer" => {
            let protect = AuthLayer::new(tenant.ours(CACHE_SIZE).await?);
            Router::new().route("/", get(open).layer(protect))
        }
        "axum-jsonwebtoken" => {
            let handler = async |Subject(subject): Subject| subject;
            Router::new().route("/", get(handler)).with_state(tenant.by_hand().await?)
        }
        "axum-oauth2-resource-server" => oauth2_resource_server(tenant).await?,
        "axum-jwt-auth" => {
            let decoder = remote_decoder(&tenant.issuer, &tenant.audience).await?;
            let decoder: Decoder<Claims> = Arc::new(decoder);
            let handler = async |token: axum_jwt_auth::Claims<Claims>| token.claims.sub;
            Router::new().route("/", get(handler)).with_state(decoder)
        }
        _ => return Err("no such contender".into()),
    };
    let listener = tokio::net::TcpListener::bind(LOOPBACK).await?;
    announce(listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

fn axum_ours(auth: Auth0) -> Router {
    let handler = async |token: auth0_axum::AccessToken| token.subject().to_owned();
    Router::new().route("/", get(handler)).with_state(auth)
}

async fn oauth2_resource_server(tenant: &Issuer) -> Outcome<Router> {
    let configuration =
        TenantConfiguration::builder(&tenant.issuer).audiences(&[&tenant.audience]).build().await?;
    let server =
        OAuth2ResourceServer::<Claims>::builder().add_tenant(configuration).build().await?;
    let handler = async |Extension(claims): Extension<Claims>| claims.sub;
    Ok(Router::new().route("/", get(handler)).layer(server.into_layer()))
}

/// jwt-authorizer uses the extractors and responses of axum 0.7.
async fn serve_old_axum(contender: &str, tenant: &Issuer) -> Outcome {
    use axum_of_jwt_authorizer::{Router, routing::get, serve};
    let app = match contender {
        "old-axum-open" => Router::new().route("/", get(open)),
        "old-axum-jwt-authorizer" => {
            let validation = jwt_authorizer::Validation::new()
                .iss(&[&tenant.issuer])
                .aud(&[&tenant.audience])
                .nbf(true);
            let authorizer =
                JwtAuthorizer::<Claims>::from_oidc(&tenant.issuer).validation(validation);
            let layer = authorizer.build().await?.into_layer();
            let handler = |JwtClaims(claims): JwtClaims<Claims>| async { claims.sub };
            Router::new().route("/", get(handler)).layer(layer)
        }
        _ => return Err("no such contender".into()),
    };
    let listener = tokio::net::TcpListener::bind(LOOPBACK).await?;
    announce(listener.local_addr()?);
    Ok(serve(listener, app).await?)
}

async fn serve_actix(contender: &str, tenant: &Issuer) -> Outcome {
    match contender {
        "actix-open" => run_actix(|config| {
            config.route("/", web::get().to(open));
        }),
        "actix-extractor-of-header" => run_actix(|config| {
            config.route("/", web::get().to(async |Header(_)| SUBJECT.to_owned()));
        }),
        "actix-extractor-of-tag" => {
            let one = OneToken::new()?;
            let handler = async |Recognized(known)| known.subject.clone();
            run_actix(move |config| {
                config.app_data(one.clone()).route("/", web::get().to(handler));
            })
        }
        "actix-ours" => run_actix(actix_ours(tenant.ours(CACHE_SIZE).await?)),
        "actix-ours-uncached" => run_actix(actix_ours(tenant.ours(0).await?)),
        "actix-middleware-of-nothing" => run_actix(|config| {
            let nothing = from_fn(async |request, next: Next<_>| next.call(request).await);
            config.service(web::resource("/").wrap(nothing).get(open));
        }),
        "actix-ours-middleware" => {
            let auth = tenant.ours(CACHE_SIZE).await?;
            run_actix(move |config| {
                let route = web::resource("/").wrap(auth0_actix::RequireAuth::new());
                config.app_data(auth.clone()).service(route.get(open));
            })
        }
        "actix-jsonwebtoken" => {
            let keys = tenant.by_hand().await?;
            let handler = async |Subject(subject): Subject| subject;
            run_actix(move |config| {
                config.app_data(keys.clone()).route("/", web::get().to(handler));
            })
        }
        _ => return Err("no such contender".into()),
    }?
    .await?;
    Ok(())
}

fn actix_ours(auth: Auth0) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    let handler = async |token: auth0_actix::AccessToken| token.subject().to_owned();
    move |config| {
        config.app_data(auth.clone()).route("/", web::get().to(handler));
    }
}

fn run_actix(
    configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> Outcome<actix_web::dev::Server> {
    let app = move || App::new().configure(configure.clone());
    let server = HttpServer::new(app).workers(1).disable_signals().bind(LOOPBACK)?;
    announce(*server.addrs().first().ok_or("no address")?);
    Ok(server.run())
}

/// The length of the token: what an extractor costs before it verifies anything.
struct Header(#[allow(dead_code)] usize);

impl Header {
    fn token(authorization: Option<&[u8]>) -> Option<&[u8]> {
        authorization?.strip_prefix(b"Bearer ")
    }
}

impl<S: Sync> FromRequestParts<S> for Header {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let authorization = parts.headers.get("authorization").map(|value| value.as_bytes());
        let token = Self::token(authorization).ok_or(StatusCode::UNAUTHORIZED)?;
        Ok(Self(token.len()))
    }
}

impl actix_web::FromRequest for Header {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &actix_web::HttpRequest, _: &mut Payload) -> Self::Future {
        let authorization = request.headers().get("authorization").map(|value| value.as_bytes());
        let token = Self::token(authorization).map(|token| Self(token.len()));
        ready(token.ok_or_else(|| ErrorUnauthorized("")))
    }
}

/// The least that recognizes a token: a key in the application's state, a tag, the time, and the content of the only
/// token. It accepts the first token that it sees.
#[derive(Clone)]
struct OneToken(Arc<(LessSafeKey, OnceLock<Arc<Known>>)>);

struct Known {
    tag: [u8; 16],
    ends_at: SystemTime,
    subject: String,
}

/// Extracts the content of the only token.
#[derive(Clone)]
struct Recognized(Arc<Known>);

impl OneToken {
    fn new() -> Outcome<Self> {
        let key = UnboundKey::new(&aead::AES_128_GCM_SIV, &[7; 16])?;
        Ok(Self(Arc::new((LessSafeKey::new(key), OnceLock::new()))))
    }

    fn recognize(&self, authorization: Option<&[u8]>) -> Option<Recognized> {
        let (key, known) = &*self.0;
        let token = Aad::from(Header::token(authorization)?);
        let nonce = Nonce::assume_unique_for_key([0; aead::NONCE_LEN]);
        let tag = key.seal_in_place_separate_tag(nonce, token, &mut []).ok()?;
        let tag = tag.as_ref().try_into().ok()?;
        let now = SystemTime::now();
        let known = known.get_or_init(|| {
            let ends_at = now + Duration::from_secs(86_400);
            Arc::new(Known { tag, ends_at, subject: SUBJECT.to_owned() })
        });
        let is_it = known.tag == tag && now < known.ends_at;
        is_it.then(|| Recognized(Arc::clone(known)))
    }
}

impl<S: Sync> FromRequestParts<S> for Recognized
where
    OneToken: FromRef<S>,
{
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let authorization = parts.headers.get("authorization").map(|value| value.as_bytes());
        OneToken::from_ref(state).recognize(authorization).ok_or(StatusCode::UNAUTHORIZED)
    }
}

impl actix_web::FromRequest for Recognized {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &actix_web::HttpRequest, _: &mut Payload) -> Self::Future {
        let authorization = request.headers().get("authorization").map(|value| value.as_bytes());
        let one = request.app_data::<OneToken>().cloned();
        let recognized = one.and_then(|one| one.recognize(authorization));
        ready(recognized.ok_or_else(|| ErrorUnauthorized("")))
    }
}

/// A service that recognizes a token, and leaves its content in the extensions of the request.
#[derive(Clone)]
struct Recognizing<S>(S, OneToken);

impl<B, S: Service<Request<B>>> Service<Request<B>> for Recognizing<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let authorization = request.headers().get("authorization").map(|value| value.as_bytes());
        if let Some(recognized) = self.1.recognize(authorization) {
            request.extensions_mut().insert(recognized);
        }
        self.0.call(request)
    }
}

/// A verifier without a library: the keys and the validation.
#[derive(Clone)]
struct ByHand(Arc<(HashMap<String, DecodingKey>, Validation)>);

impl ByHand {
    fn subject(&self, authorization: Option<&[u8]>) -> Option<Subject> {
        let (keys, validation) = &*self.0;
        let token = authorization?.strip_prefix(b"Bearer ")?;
        let header = jsonwebtoken::decode_header(token).ok()?;
        let key = keys.get(header.kid.as_ref()?)?;
        let token = jsonwebtoken::decode::<Claims>(token, key, validation).ok()?;
        Some(Subject(token.claims.sub))
    }
}

/// The subject of a token that `ByHand` verified.
struct Subject(String);

impl<S: Sync> FromRequestParts<S> for Subject
where
    ByHand: FromRef<S>,
{
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let authorization = parts.headers.get("authorization").map(|value| value.as_bytes());
        ByHand::from_ref(state).subject(authorization).ok_or(StatusCode::UNAUTHORIZED)
    }
}

impl actix_web::FromRequest for Subject {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &actix_web::HttpRequest, _: &mut Payload) -> Self::Future {
        let authorization = request.headers().get("authorization").map(|value| value.as_bytes());
        let subject =
            request.app_data::<ByHand>().and_then(|by_hand| by_hand.subject(authorization));
        ready(subject.ok_or_else(|| ErrorUnauthorized("")))
    }
}
