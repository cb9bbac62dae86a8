//! Requests and tokens.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::time::Duration;

/// Returns a client with its own connections, which uses no proxy.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()
}

/// Returns the status of a request with a token, or 0 where there is no response.
pub async fn status(client: &reqwest::Client, url: &str, token: &str) -> u16 {
    let response = client.get(url).header("authorization", format!("Bearer {token}")).send().await;
    match response {
        Ok(response) => {
            let status = response.status().as_u16();
            // Read to the end, so that the connection can be reused.
            drop(response.bytes().await);
            status
        }
        Err(_) => 0,
    }
}

/// Returns the same token with an unknown key in its header. An attacker can make such tokens as cheaply.
pub fn with_made_up_key(token: &str, number: usize) -> String {
    let rest = token.split_once('.').map_or("", |(_, rest)| rest);
    let header = format!(r#"{{"alg":"RS256","typ":"JWT","kid":"made-up-{number}"}}"#);
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
}
