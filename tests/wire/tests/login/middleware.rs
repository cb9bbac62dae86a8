//! Middleware of actix-web outside that of the login, which sees the errors that pass through.
use crate::{provider::Provider, world::builder};
use actix_web::{
    App, HttpRequest, HttpResponse,
    dev::Service,
    test::{TestRequest, init_service},
    web,
};
use auth0_actix::login::{LoginError, LoginMiddleware, MiddlewareError, Session};

#[test]
fn middleware_outside_finds_the_error_that_passed_through() {
    actix_web::rt::System::new().block_on(async {
        let login = builder(&Provider::new()).build().unwrap();
        let app = App::new()
            .wrap_fn(|mut request, service| {
                let is_refused = request.headers().contains_key("cookie");
                let session = request.extract::<Session>();
                let answer = service.call(request);
                async move {
                    if is_refused {
                        let error = session.await?.access_token("api").await.unwrap_err();
                        return Err(LoginError::from(error).into());
                    }
                    answer.await
                }
            })
            .wrap(LoginMiddleware::new(&login))
            .route("/", web::get().to(async |_: HttpRequest| HttpResponse::Ok()));
        let app = init_service(app).await;
        // The cookie is no session, and is removed.
        let request = TestRequest::get().insert_header(("cookie", "__Host-a0_session=1junk"));
        let error = app.call(request.to_request()).await.map(drop).unwrap_err();
        let passed = error.as_error::<MiddlewareError>().unwrap();
        assert!(passed.cause().as_error::<LoginError>().is_some());
        assert!(!format!("{error:?}").contains("a0_session"), "{error:?}");
        assert_eq!(error.as_response_error().status_code(), 401);
        for time in ["first", "second"] {
            let response = error.error_response();
            assert_eq!(response.status(), 401, "{time}");
            let cookies = response.headers().get_all("set-cookie");
            assert_eq!(cookies.count(), 1, "{time}");
        }
    });
}
