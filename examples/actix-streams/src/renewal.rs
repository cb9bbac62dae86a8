//! The messages of a client that renews its lease.
use auth0_actix::Lease;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    renew: String,
}

/// Answers `{"renew":"<token>"}` with the new end of the lease, or with why the old end remains. The answer has no
/// token.
pub(crate) async fn answer(lease: &Lease, text: &str) -> String {
    let Ok(Message { renew }) = serde_json::from_str(text) else {
        return json!({ "error": "expected {\"renew\":\"<token>\"}" }).to_string();
    };
    let answer = match lease.renew(&renew).await {
        Ok(token) => json!({ "renewed": true, "exp": unix_time(token.expires_at()) }),
        Err(error) => {
            let code = error.code();
            json!({ "error": code.description(), "error_code": code.as_str() })
        }
    };
    answer.to_string()
}

fn unix_time(time: std::time::SystemTime) -> u64 {
    time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}
