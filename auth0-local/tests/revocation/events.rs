use crate::{
    kit::{Parameters, acme, claims, client, start, token, url},
    reader::{Reader, refused, request},
};
use auth0_local::{Api, Client, ClientGrant, LocalTenant, User};
use serde_json::json;
use std::time::Duration;

async fn emit(tenant: &LocalTenant, id: &str) -> String {
    tenant.emit_event("user.updated", json!({ "user_id": id })).unwrap();
    tenant.events().last_offset()
}

/// The ids of the next events.
async fn ids(reader: &mut Reader, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(reader.event().await.object()["user_id"].as_str().unwrap().to_owned());
    }
    ids
}

#[tokio::test]
async fn the_transcript() {
    let tenant = acme().event_heartbeat(Duration::from_millis(1)).start().await.unwrap();
    emit(&tenant, "before").await;
    let mut reader = Reader::connect(&tenant, "").await;
    let heartbeat = reader.next().await.unwrap();
    assert_eq!((&*heartbeat.event, heartbeat.id), ("offset-only", tenant.events().last_offset()));
    assert_eq!(heartbeat.data, json!({ "offset": tenant.events().last_offset() }));
    assert_eq!(reader.next().await.unwrap().text, ": heartbeat");

    tenant.block("auth0|bob").unwrap();
    let message = reader.event().await;
    let lines: Vec<&str> = message.text.lines().map(|it| it.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["event", "id", "data"]);
    let offset = tenant.events().last_offset();
    assert_eq!((&*message.event, &message.id), ("user.updated", &offset));
    assert_eq!(message.data["offset"], json!(offset));
    let event = &message.data["event"];
    assert_eq!((&event["type"], &event["specversion"]), (&json!("user.updated"), &json!("1.0")));
    let domain = tenant.issuer().trim_start_matches("http://").trim_end_matches('/');
    assert_eq!(event["source"], format!("urn:auth0:{domain}"));
    assert_eq!(event["id"].as_str().unwrap().len(), 26);
    assert!(event["id"].as_str().unwrap().starts_with("evt_"));
    assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
    assert!(event["a0tenant"].is_string() && event["a0stream"].is_string());
    let object = message.object();
    assert_eq!((&object["user_id"], &object["blocked"]), (&json!("auth0|bob"), &json!(true)));
    assert_eq!(object["updated_at"], event["time"]);
}

#[tokio::test]
async fn who_may_read() {
    let tenant = start().await;
    let audience = tenant.management_audience();
    assert_eq!(audience, url(&tenant, "api/v2/"));
    let token = || tenant.token().machine("m").audience(&audience).scope("read:events");
    let unknown = tenant.tenant().unknown_key();
    let key = tenant.tenant().client_key();
    for (authorization, status, code) in [
        (None, 401, "invalid_token"),
        (Some("Bearer".into()), 401, "invalid_token"),
        (Some("Bearer x".into()), 401, "invalid_token"),
        (Some(format!("Basic {}", token().mint())), 401, "invalid_token"),
        (Some(format!("Bearer {}", "x".repeat(20_000))), 401, "invalid_token"),
        (Some(format!("Bearer {}", token().expired().mint())), 401, "invalid_token"),
        (Some(format!("Bearer {}", token().not_yet_valid().mint())), 401, "invalid_token"),
        (Some(format!("Bearer {}", token().signed_by(&unknown).mint())), 401, "invalid_token"),
        (Some(format!("Bearer {}", token().issuer("http://a.test/").mint())), 401, "invalid_token"),
        (
            Some(format!("Bearer {}", token().audience(tenant.audience()).mint())),
            401,
            "invalid_token",
        ),
        (Some(format!("Bearer {}", token().bound_to(&key).mint())), 401, "invalid_token"),
        (Some(format!("Bearer {}", token().scope("read:users").mint())), 403, "insufficient_scope"),
        (Some(format!("Bearer {}", token().without("scope").mint())), 403, "insufficient_scope"),
    ] {
        let mut request = client().get(url(&tenant, "api/v2/events"));
        if let Some(authorization) = &authorization {
            request = request.header("authorization", authorization);
        }
        let answer = crate::kit::Answer::of(request.send().await.unwrap()).await;
        let json = answer.json();
        assert_eq!(
            (answer.status, &json["errorCode"]),
            (status, &json!(code)),
            "{authorization:?}"
        );
        let error = if status == 401 { "Unauthorized" } else { "Forbidden" };
        assert_eq!((&json["statusCode"], &json["error"]), (&json!(status), &json!(error)));
        assert!(json["message"].is_string() && answer.header("content-type") == "application/json");
    }
    assert_eq!(tenant.events().connections(), 0);
}

#[tokio::test]
async fn a_machine_gets_a_token_for_it() {
    let tenant = acme().api(Api::new("https://other.test")).start().await.unwrap();
    let grant = ClientGrant::new(tenant.management_audience()).scopes(["read:events"]);
    tenant.add_client(Client::confidential("reader", "s3cret").grant(grant)).unwrap();
    let form = Parameters::new(&[
        ("grant_type", "client_credentials"),
        ("client_id", "reader"),
        ("client_secret", "s3cret"),
    ]);
    let form = form.and("audience", &tenant.management_audience());
    let issued = token(&tenant, &form).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    assert_eq!(claims(&tenant, &issued.text("access_token"))["scope"], "read:events");
    let request = client().get(url(&tenant, "api/v2/events"));
    let bearer = format!("Bearer {}", issued.text("access_token"));
    let mut reader = Reader::of(request.header("authorization", bearer)).await;
    emit(&tenant, "a").await;
    assert_eq!(ids(&mut reader, 1).await, ["a"]);
    let refused = token(&tenant, &form.with("scope", "read:users")).await;
    assert_eq!(refused.text("error"), "access_denied");
}

#[tokio::test]
async fn a_reader_continues_at_an_offset() {
    let tenant = start().await;
    let a = emit(&tenant, "a").await;
    let b = emit(&tenant, "b").await;
    emit(&tenant, "c").await;
    let mut reader = Reader::connect(&tenant, &format!("?from={a}")).await;
    assert_eq!(ids(&mut reader, 2).await, ["b", "c"]);
    let wins = request(&tenant, &format!("?from={a}")).header("last-event-id", &b);
    assert_eq!(ids(&mut Reader::of(wins).await, 1).await, ["c"]);
    let latest = Reader::connect(&tenant, "").await;
    emit(&tenant, "d").await;
    for mut reader in [reader, latest] {
        assert_eq!(ids(&mut reader, 1).await, ["d"]);
    }
    for unknown in ["nothing", "é", &format!("{a}x"), &start().await.events().last_offset()] {
        let request = request(&tenant, "").header("last-event-id", unknown.as_bytes());
        let mut reader = Reader::of(request).await;
        let error = reader.next().await.unwrap();
        assert_eq!(error.error_code(), "invalid_cursor", "{unknown}");
        assert!(error.data["error"]["message"].is_string() && error.id.is_empty());
        assert!(reader.next().await.is_none(), "it is the last message");
    }
}

#[tokio::test]
async fn a_reader_begins_at_a_time() {
    let tenant = start().await;
    emit(&tenant, "a").await;
    tenant.tenant().clock().advance(Duration::from_secs(3600));
    let time = {
        let mut reader = Reader::connect(&tenant, "").await;
        emit(&tenant, "b").await;
        reader.event().await.data["event"]["time"].as_str().unwrap().to_owned()
    };
    tenant.tenant().clock().advance(Duration::from_secs(3600));
    emit(&tenant, "c").await;
    let at = |time: &str| format!("?from_timestamp={}", time.replace('+', "%2B"));
    let mut reader = Reader::connect(&tenant, &at(&time)).await;
    assert_eq!(ids(&mut reader, 2).await, ["b", "c"]);
    let mut reader = Reader::connect(&tenant, &at("1970-01-01T00:00:00+00:00")).await;
    assert_eq!(ids(&mut reader, 3).await, ["a", "b", "c"]);
    let mut reader = Reader::connect(&tenant, &at("9999-12-31T23:59:59Z")).await;
    emit(&tenant, "d").await;
    assert_eq!(ids(&mut reader, 1).await, ["d"]);
}

#[tokio::test]
async fn a_reader_filters_by_types() {
    let tenant = acme().event_heartbeat(Duration::from_millis(1)).start().await.unwrap();
    let query = "?event_type=user.deleted&event_type=organization.deleted";
    let mut reader = Reader::connect(&tenant, query).await;
    let skipped = emit(&tenant, "a").await;
    loop {
        let heartbeat = reader.next().await.unwrap();
        assert!(["", "offset-only"].contains(&&*heartbeat.event), "{heartbeat:?}");
        if heartbeat.id == skipped {
            break; // the offset passes events that are not read
        }
    }
    tenant.delete_organization("acme").unwrap();
    tenant.delete_user("auth0|bob").unwrap();
    assert_eq!(reader.event().await.event, "organization.deleted");
    assert_eq!(reader.event().await.event, "user.deleted");
}

#[tokio::test]
async fn queries_that_are_refused() {
    let tenant = start().await;
    let long = "x".repeat(1025);
    for query in [
        "?event_type=user.blocked",
        "?event_type=user.updated&event_type=*",
        "?from_timestamp=yesterday",
        "?from_timestamp=1748779200",
        "?from=a&from=b",
        "?from=a&from_timestamp=2025-06-01T12:00:00Z",
        &format!("?from={long}"),
    ] {
        let answer = refused(&tenant, query).await;
        let json = answer.json();
        assert_eq!((answer.status, &json["error"]), (400, &json!("Bad Request")), "{query}");
        assert_eq!(json["errorCode"], "invalid_query_string", "{query}");
    }
    assert_eq!(tenant.events().connections(), 0);
}

#[tokio::test]
async fn every_action_adds_its_event() {
    let tenant = start().await;
    let mut reader = Reader::connect(&tenant, "").await;
    tenant.add_user(User::new("auth0|carl").email("carl@acme.com")).unwrap();
    tenant.add_user(User::new("auth0|carl").name("Carl")).unwrap();
    tenant.block("auth0|carl").unwrap();
    tenant.unblock("auth0|carl").unwrap();
    tenant.delete_user("auth0|carl").unwrap();
    tenant.remove_member("acme", "auth0|ann").unwrap();
    let acme = auth0_local::Membership::new("org_acme", "acme");
    tenant.add_user(User::new("auth0|ann").member_of(acme)).unwrap();
    assert_eq!(tenant.delete_organization("org_acme").unwrap(), ["auth0|ann"]);
    tenant.emit_event("group.member.deleted", json!({ "group": { "id": "g" } })).unwrap();

    let created = reader.event().await;
    assert_eq!(
        (&*created.event, &created.object()["email"]),
        ("user.created", &json!("carl@acme.com"))
    );
    assert_eq!(created.object()["created_at"], created.data["event"]["time"]);
    let replaced = reader.event().await;
    assert_eq!((&*replaced.event, &replaced.object()["name"]), ("user.updated", &json!("Carl")));
    for blocked in [true, false] {
        let updated = reader.event().await;
        assert_eq!(
            (&*updated.event, &updated.object()["blocked"]),
            ("user.updated", &json!(blocked))
        );
        assert_eq!(updated.object()["user_id"], "auth0|carl");
    }
    let deleted = reader.event().await;
    assert_eq!(
        (&*deleted.event, &deleted.object()["user_id"]),
        ("user.deleted", &json!("auth0|carl"))
    );
    assert!(deleted.object()["deleted_at"].is_string());
    let removed = reader.event().await;
    assert_eq!(removed.event, "organization.member.deleted");
    assert_eq!(
        removed.object(),
        &json!({ "organization": { "id": "org_acme", "name": "acme" }, "user": { "user_id": "auth0|ann" } })
    );
    assert_eq!(reader.event().await.event, "user.updated");
    let deleted = reader.event().await;
    assert_eq!(deleted.event, "organization.deleted");
    assert_eq!(deleted.object(), &json!({ "id": "org_acme", "name": "acme" }));
    let other = reader.event().await;
    assert_eq!(
        (&*other.event, &other.object()["group"]["id"]),
        ("group.member.deleted", &json!("g"))
    );
}

#[tokio::test]
async fn events_that_are_refused() {
    let tenant = start().await;
    let before = tenant.events().last_offset();
    let object = json!({ "user_id": "a" });
    let long = "a".repeat(101);
    for kind in ["", "a b", "a\nid: 1", "user.updated\r", "é", "error", "offset-only", &long] {
        let error = tenant.emit_event(kind, &object).unwrap_err().to_string();
        assert!(error.contains("is not the type of an event"), "{kind:?}: {error}");
    }
    for object in [json!(null), json!("a"), json!([1]), json!({ "a": "x".repeat(16 * 1024) })] {
        let error = tenant.emit_event("user.updated", &object).unwrap_err().to_string();
        assert!(error.contains("must be an object of at most 16 KiB"), "{error}");
    }
    assert_eq!(tenant.events().last_offset(), before);
}
