use super::*;
use actix_web::{
    body::to_bytes,
    test::{TestRequest, call_service, init_service},
};
use auth0_actix::testing::Tenant;
use std::{
    fs,
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    time::Duration,
};

const API: &str = "https://api.acme.com";

#[actix_web::test]
async fn a_proof_is_used_once_on_all_instances() {
    let Some(mut redis) = Redis::start() else { return };
    let tenant = Tenant::new();
    let instance = || instance(tenant.builder().public_url(API), &redis.url).unwrap();
    let (one, other) = (instance(), instance());
    let token = tenant.token().subject("auth0|ann").bound_to(&tenant.client_key()).mint();
    let proof = || tenant.proof("GET", &format!("{API}/me")).for_token(&token).mint();

    let mut used = proof();
    let mut answer = call(&one, &token, &used).await;
    for _ in 0..500 {
        if answer.0 != 503 {
            break;
        }
        // Redis has not started yet.
        tokio::time::sleep(Duration::from_millis(20)).await;
        used = proof();
        answer = call(&one, &token, &used).await;
    }
    assert_eq!(answer, (200, "auth0|ann\n".to_owned()));

    for auth in [&one, &other] {
        let (status, body) = call(auth, &token, &used).await;
        assert_eq!(status, 401, "{body}");
        assert!(body.contains("dpop_proof_replayed"), "{body}");
    }

    redis.child.kill().unwrap();
    redis.child.wait().unwrap();
    let (status, body) = call(&other, &token, &proof()).await;
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("replay_store_unavailable"), "{body}");
}

/// Returns the status and the body.
async fn call(auth: &Auth0, token: &str, proof: &str) -> (u16, String) {
    let app = init_service(App::new().configure(routes(auth.clone()))).await;
    let request = TestRequest::with_uri("/me")
        .insert_header(("authorization", format!("DPoP {token}")))
        .insert_header(("dpop", proof));
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body()).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// A server on a Unix socket, which needs no port.
struct Redis {
    url: String,
    socket: PathBuf,
    child: Child,
}

impl Redis {
    /// Returns `None` where there is no `redis-server`.
    fn start() -> Option<Self> {
        let socket = env::temp_dir().join(format!("actix-dpop-redis-{}.sock", process::id()));
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(&socket);
        match command.stdout(Stdio::null()).spawn() {
            Ok(child) => Some(Self { url: format!("unix://{}", socket.display()), socket, child }),
            Err(error) => {
                println!("skipped: redis-server cannot be started ({error})");
                None
            }
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
    }
}
