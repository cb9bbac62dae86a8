//! The API under test, once for each framework, on a free port.
use auth0_core::Auth0;
use std::{error::Error, net::TcpListener, thread};

#[derive(Clone, Copy, Debug)]
pub enum Framework {
    Axum,
    Actix,
}

impl Framework {
    pub const ALL: [Self; 2] = [Self::Axum, Self::Actix];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Axum => "auth0-axum",
            Self::Actix => "auth0-actix",
        }
    }

    /// Starts a server with one protected route, and returns its URL. It runs until the process ends.
    pub fn serve(self, auth: Auth0) -> Result<String, Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}/", listener.local_addr()?);
        match self {
            Self::Axum => axum_server(listener, auth)?,
            Self::Actix => actix_server(listener, auth),
        }
        Ok(url)
    }
}

fn axum_server(listener: TcpListener, auth: Auth0) -> Result<(), Box<dyn Error>> {
    async fn private(token: auth0_axum::AccessToken) -> String {
        token.subject().to_owned()
    }
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let app = axum::Router::new().route("/", axum::routing::get(private)).with_state(auth);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(())
}

fn actix_server(listener: TcpListener, auth: Auth0) {
    async fn private(token: auth0_actix::AccessToken) -> String {
        token.subject().to_owned()
    }
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = actix_web::HttpServer::new(move || {
                actix_web::App::new()
                    .app_data(auth.clone())
                    .route("/", actix_web::web::get().to(private))
            });
            server.workers(2).disable_signals().listen(listener)?.run().await
        })
    });
}
