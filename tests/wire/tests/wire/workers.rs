//! Two workers of actix, of which one is blocked by a handler.
use actix_web::{App, HttpServer, rt, web};
use auth0_actix::{AccessToken, Auth0};
use auth0_axum::testing::Tenant;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};
use tokio::{sync::oneshot, task::JoinSet};
use wire_tests::client::{Answer, get};

/// What blocks a worker, and how the test ends it.
#[derive(Clone)]
struct Blocking {
    tenant: Tenant,
    token: String,
    is_blocked: Arc<Mutex<Option<oneshot::Sender<()>>>>,
    end: Arc<Mutex<mpsc::Receiver<()>>>,
}

/// Begins a fetch on this worker, and then blocks the worker.
async fn block(auth: web::Data<Auth0>, blocking: web::Data<Blocking>) -> String {
    let (auth, token) = (Auth0::clone(&auth), blocking.token.clone());
    let request = rt::spawn(async move { auth.verify(&token).await.is_ok() });
    while blocking.tenant.fetches().metadata == 0 {
        blocking.tenant.settle().await;
    }
    let signal = blocking.is_blocked.lock().unwrap().take().unwrap();
    signal.send(()).unwrap();
    let _ = blocking.end.lock().unwrap().recv();
    request.await.unwrap().to_string()
}

async fn subject(token: AccessToken) -> String {
    token.subject().to_owned()
}

fn start(auth: Auth0, blocking: Blocking) -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(auth.clone())
                    .app_data(web::Data::new(auth.clone()))
                    .app_data(web::Data::new(blocking.clone()))
                    .route("/block", web::get().to(block))
                    .route("/token", web::get().to(subject))
            })
            .workers(2)
            .disable_signals()
            .bind("127.0.0.1:0")
            .unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

/// Sends four requests, of which every second one reaches the blocked worker, and returns the first answer.
async fn first_answer(server: SocketAddr, token: &str) -> Answer {
    let mut requests = JoinSet::new();
    for _ in 0..4 {
        let authorization = format!("Bearer {token}");
        requests.spawn(async move {
            get(server, "/token", &[("authorization", authorization.as_bytes())]).await
        });
    }
    requests.join_next().await.unwrap().unwrap()
}

#[tokio::test]
async fn a_blocked_worker_delays_no_other() {
    let tenant = Tenant::new();
    let token = tenant.token().subject("auth0|ann").expires_in(Duration::from_secs(7200)).mint();
    let (signal, is_blocked) = oneshot::channel();
    let (end, ended) = mpsc::channel();
    tenant.hold();
    let blocking = Blocking {
        tenant: tenant.clone(),
        token: token.clone(),
        is_blocked: Arc::new(Mutex::new(Some(signal))),
        end: Arc::new(Mutex::new(ended)),
    };
    let server = start(tenant.auth0(), blocking);
    let blocked = tokio::spawn(async move { get(server, "/block", &[]).await });
    is_blocked.await.unwrap();

    tenant.release();
    let answer = first_answer(server, &token).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "auth0|ann"), "during its fetch");
    assert_eq!(tenant.fetches().metadata, 1, "the blocked worker's fetch served the other");

    let before = tenant.fetches().key_set;
    for _ in 0..20 {
        tenant.clock().advance(Duration::from_secs(60));
        tenant.settle().await;
    }
    assert!(tenant.fetches().key_set > before, "keys are renewed while the worker is blocked");
    let answer = first_answer(server, &token).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "auth0|ann"), "after its fetch");

    assert!(!blocked.is_finished());
    end.send(()).unwrap();
    assert_eq!(blocked.await.unwrap().body, "true");
}
