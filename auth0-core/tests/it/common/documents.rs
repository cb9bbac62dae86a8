//! An issuer whose documents a test writes one by one.
use auth0_core::{
    BoxFuture,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use auth0_testing::Tenant;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// A transport that answers with documents by their URLs, and with 404 where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Documents(Arc<Mutex<BTreeMap<String, HttpResponse>>>);

impl Documents {
    /// Publishes the tenant's metadata, which says that its key set is at this path.
    pub(crate) fn put_metadata(&self, tenant: &Tenant, key_set: &str) {
        let issuer = tenant.issuer();
        let metadata = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}{key_set}"}}"#);
        self.put(tenant, ".well-known/openid-configuration", metadata);
    }

    /// Publishes the tenant's key set as it is now at this path.
    pub(crate) fn put_key_set(&self, tenant: &Tenant, path: &str) {
        self.put(tenant, path, tenant.key_set_json());
    }

    /// Publishes a document of the tenant at this path.
    pub(crate) fn put(&self, tenant: &Tenant, path: &str, text: String) {
        self.put_at(&format!("{}{path}", tenant.issuer()), text);
    }

    /// Publishes a document at this URL.
    pub(crate) fn put_at(&self, url: &str, text: String) {
        self.answer_at(url, HttpResponse::json(text));
    }

    /// Sets the answer of this URL.
    pub(crate) fn answer_at(&self, url: &str, answer: HttpResponse) {
        self.0.lock().unwrap().insert(url.to_owned(), answer);
    }
}

impl HttpClient for Documents {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        let answer = self.0.lock().unwrap().get(request.url).cloned();
        let answer = answer.unwrap_or_else(|| HttpResponse::new(404, ""));
        Box::pin(async move { Ok(answer) })
    }
}
