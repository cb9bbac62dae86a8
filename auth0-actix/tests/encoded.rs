//! The token as the client sent it, which extractors keep for calls on behalf of the user.
#![allow(clippy::unwrap_used, reason = "these are tests")]
use actix_web::{
    App, HttpMessage, HttpRequest,
    http::header,
    test::{self, TestRequest},
    web,
};
use auth0_actix::{
    AccessToken, Authorized, MaybeAccessToken, RequireAuth, policy::*, testing::Tenant,
};

policy!(ReadMessages = scope("read:messages"));

async fn extracted(
    token: AccessToken,
    MaybeAccessToken(optional): MaybeAccessToken,
    authorized: Authorized<ReadMessages>,
) -> String {
    let optional = optional.unwrap();
    assert_eq!(optional.encoded(), token.encoded());
    assert_eq!(authorized.encoded(), token.encoded());
    let debug = format!("{token:?} {optional:?} {authorized:?}");
    let (signed, signature) = token.encoded().rsplit_once('.').unwrap();
    assert!(!debug.contains(signed) && !debug.contains(signature), "{debug}");
    token.encoded().to_owned()
}

async fn of_the_middleware(request: HttpRequest) -> String {
    request.extensions().get::<AccessToken>().unwrap().encoded().to_owned()
}

/// Each user's token comes back to that user, also when it is cached.
#[actix_web::test]
async fn it_is_the_token_of_the_request() {
    let tenant = Tenant::new();
    let guarded = |path| web::resource(path).wrap(RequireAuth::new());
    let app = App::new()
        .app_data(tenant.auth0())
        .route("/extracted", web::get().to(extracted))
        .service(guarded("/both").to(extracted))
        .service(guarded("/middleware").to(of_the_middleware));
    let app = test::init_service(app).await;
    let token = |subject| tenant.token().subject(subject).scope("read:messages").mint();
    let (ann, ben) = (token("auth0|ann"), token("auth0|ben"));
    for path in ["/extracted", "/both", "/middleware"] {
        for (scheme, token) in
            [("Bearer ", &ann), ("Bearer ", &ben), ("bearer   ", &ann), ("BEARER ", &ben)]
        {
            let request = TestRequest::get().uri(path);
            let request =
                request.insert_header((header::AUTHORIZATION, format!("{scheme}{token}")));
            let body = test::call_and_read_body(&app, request.to_request()).await;
            assert_eq!(body, token.as_bytes(), "{path} {scheme}");
        }
    }
}

#[test]
fn without_a_request_it_is_empty() {
    assert_eq!(AccessToken::from(Tenant::new().token().verified()).encoded(), "");
}
