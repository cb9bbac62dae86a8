//! Sends forms as the page does, and reads pages.
use crate::common::{address, post};
use auth0_local::LocalTenant;
use reqwest::Response;

/// Text that would be markup, and would change the direction of writing.
pub(crate) const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&\u{202e}";

pub(crate) async fn body(response: Response) -> String {
    String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap()
}

/// Sends a form as the page does. Returns the status and the page.
pub(crate) async fn send(tenant: &LocalTenant, fields: &[(&str, &str)]) -> (u16, String) {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = post(tenant, "").header("origin", format!("http://{}", address(tenant)));
    let response = request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), body(response).await)
}

/// Returns the text between two others.
pub(crate) fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap() + start.len();
    &text[from..from + text[from..].find(end).unwrap()]
}

/// Returns the token or proof that the page shows in a field.
pub(crate) fn minted<'a>(page: &'a str, id: &str) -> &'a str {
    between(&page[page.find(&format!("id=\"{id}\"")).unwrap()..], ">\n", "</textarea>")
}
