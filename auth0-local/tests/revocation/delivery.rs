use crate::{kit::start, receiver::Receiver};
use auth0_local::{Client, LocalTenant, LogoutDelivery};
use tokio::net::TcpListener;

async fn tenant(urls: &[String]) -> LocalTenant {
    let tenant = start().await;
    for (number, url) in urls.iter().enumerate() {
        let client = Client::public(number.to_string()).backchannel_logout_url(url);
        tenant.add_client(client).unwrap();
    }
    tenant
}

#[tokio::test]
async fn what_the_clients_answer() {
    let receiver = Receiver::start().await;
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let paths = ["/accepts", "/refuses", "/fails", "/redirects", "/huge"];
    let mut urls: Vec<String> = paths.iter().map(|path| receiver.url(path)).collect();
    urls.push(closed);
    let tenant = tenant(&urls).await;
    let deliveries = tenant.log_out("auth0|ann").await.unwrap();
    let seen: Vec<&str> = deliveries.iter().map(|it| &*it.url).collect();
    assert_eq!(seen, urls, "in the order of the clients");
    let statuses: Vec<Option<u16>> = deliveries.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [Some(204), Some(400), Some(500), Some(302), Some(200), None]);
    let accepted: Vec<bool> = deliveries.iter().map(LogoutDelivery::is_accepted).collect();
    assert_eq!(accepted, [true, false, false, false, true, false]);
    assert_eq!(deliveries[1].body, "{\"error\":\"invalid_request\"}");
    assert_eq!(deliveries[4].body.len(), 4096, "the beginning of a huge answer");
    assert!(deliveries[..5].iter().all(|it| it.error.is_none()));
    let error = deliveries[5].error.as_deref().unwrap();
    assert!(error.starts_with("no connection: "), "{error}");
}

/// The clock of the test jumps to the end of the time limit.
#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_is_given_up() {
    let mut receiver = Receiver::start().await;
    let tenant = tenant(&[receiver.url("/hangs"), receiver.url("/accepts")]).await;
    let [hanging, _] = tenant.log_out("auth0|ann").await.unwrap().try_into().unwrap();
    assert_eq!((hanging.status, &*hanging.error.unwrap()), (None, "no answer within 5 seconds"));
    drop(receiver.arrived());
}
