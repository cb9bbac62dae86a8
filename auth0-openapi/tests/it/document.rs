//! What is written for each requirement.
use crate::common::{api, auth0, completed, document_of, listed, operation_of};
use auth0_core::policy::*;
use auth0_openapi::{Documentation, EXTENSION, SecuritySchemes, any_token, document, public};
use serde_json::{Value, json};
use utoipa::openapi::{Response, path::Operation};

fn requires(requirement: &Requirement) -> Value {
    operation_of(requirement)[EXTENSION].clone()
}

/// Every entry once: each is there for two schemes.
fn each(requirement: &Requirement) -> Vec<Value> {
    let all = requires(requirement);
    let all = all.as_array().unwrap();
    assert!(all.chunks(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    all.iter().step_by(2).cloned().collect()
}

#[test]
fn a_scope_is_needed_by_each_scheme() {
    let operation = operation_of(&scope("read:messages"));
    assert_eq!(
        operation["security"],
        json!([{ "auth0": ["read:messages"] }, { "bearer": ["read:messages"] }])
    );
    let entry = json!({ "permissions": [], "scopes": ["read:messages"] });
    assert_eq!(operation[EXTENSION], json!([entry, entry]));
    assert_eq!(operation["description"], Value::Null, "security says everything");
}

#[test]
fn alternatives_stay_alternatives() {
    assert_eq!(
        operation_of(&any_of![all_of![scope("a"), scope("b")], scope("c")])["security"],
        json!([{ "auth0": ["a", "b"] }, { "bearer": ["a", "b"] }, { "auth0": ["c"] }, { "bearer": ["c"] }])
    );
    // What follows from another alternative is none.
    let operation = operation_of(&any_of![all_of![scope("a"), scope("b")], scope("a")]);
    assert_eq!(operation["security"], json!([{ "auth0": ["a"] }, { "bearer": ["a"] }]));
    let operation = operation_of(&any_of![scope("a"), authenticated()]);
    assert_eq!(operation["security"], json!([{ "auth0": [] }, { "bearer": [] }]));
}

#[test]
fn any_token_and_no_token_differ() {
    let schemes = SecuritySchemes::of(&auth0());
    let any = completed(&schemes, api(Operation::new(), &any_token()));
    let any = &any["paths"]["/"]["get"];
    assert_eq!(any["security"], json!([{ "auth0": [] }, { "bearer": [] }]));
    let responses: Vec<&String> = any["responses"].as_object().unwrap().keys().collect();
    assert_eq!(responses, ["400", "401", "503"], "a valid token is enough");

    let none = completed(&schemes, api(Operation::new(), &public()));
    let none = &none["paths"]["/"]["get"];
    assert_eq!(none["security"], json!([]));
    assert_eq!(none[EXTENSION], json!([]));
    assert_eq!(none["responses"], json!({}));
}

#[test]
fn a_permission_is_in_the_extension_and_the_description() {
    let operation = operation_of(&all_of![scope("write:messages"), permission("messages:purge")]);
    assert_eq!(
        operation["security"],
        json!([{ "auth0": ["write:messages"] }, { "bearer": ["write:messages"] }])
    );
    let entry = json!({ "permissions": ["messages:purge"], "scopes": ["write:messages"] });
    assert_eq!(operation[EXTENSION], json!([entry, entry]));
    assert_eq!(
        operation["description"],
        "Needs the scope `write:messages` and the permission `messages:purge`."
    );
    let described = Operation::builder().description(Some("Purges.")).build();
    let api = api(described, &Documentation::of(&any_of![permission("purge"), machine()]));
    let document = completed(&SecuritySchemes::of(&auth0()), api);
    assert_eq!(
        document["paths"]["/"]["get"]["description"],
        "Purges.\n\nNeeds the permission `purge`; or to be that of a machine."
    );
}

#[test]
fn every_condition_has_a_member() {
    let check = check("employee", |token| token.subject().starts_with("waad|"));
    for (requirement, member, value) in [
        (organization("org_1"), "organization", json!(["org_1"])),
        (organization_name("acme"), "organization_name", json!(["acme"])),
        (any_organization(), "any_organization", json!(true)),
        (organization_in_path("org"), "organization_in_path", json!(["org"])),
        (organization_in_header("x-org"), "organization_in_header", json!(["x-org"])),
        (acr(MFA), "acr", json!([MFA])),
        (amr("mfa"), "amr", json!(["mfa"])),
        (max_age(300), "max_age", json!(300)),
        (machine(), "machine", json!(true)),
        (user(), "user", json!(true)),
        (not_anonymous(), "not_anonymous", json!(true)),
        (client("spa"), "client", json!(["spa"])),
        (check, "checks", json!(["employee"])),
        (claim("plan").equals("beta"), "claims", json!([r#"claim("plan").equals("beta")"#])),
        // A text that no client can request, and names that no token has.
        (scope("a\"b"), "requirement", json!([r#"scope("a\"b")"#])),
        (scope(""), "requirement", json!([r#"scope("")"#])),
        (permission(""), "requirement", json!([r#"permission("")"#])),
    ] {
        let [entry] = &each(&requirement)[..] else { panic!("{requirement}") };
        assert_eq!(*entry, json!({ member: value, "permissions": [], "scopes": [] }));
        let operation = operation_of(&requirement);
        let description = operation["description"].as_str().unwrap();
        assert!(description.starts_with("Needs ") && description.ends_with('.'), "{description}");
        assert!(operation["responses"]["403"].is_object(), "more than a valid token is needed");
    }
    let twice = all_of![max_age(300), max_age(60), scope("a b"), scope("b"), acr("x"), acr("y")];
    let expected =
        json!({ "acr": ["x", "y"], "max_age": 60, "permissions": [], "scopes": ["a", "b"] });
    assert_eq!(each(&twice), [expected]);
}

#[test]
fn what_cannot_be_listed_is_said() {
    let pair = |one: &'static str, other: &'static str| scope(one).or(scope(other));
    let many = ["a", "b", "c", "d", "e", "f", "g"].map(|name| {
        let other: &'static str = Box::leak(name.to_uppercase().into_boxed_str());
        pair(name, other)
    });
    let many = many.into_iter().reduce(Requirement::and).unwrap();
    let [entry] = &each(&many)[..] else { panic!() };
    assert_eq!(entry["requirement"], json!([many.to_string()]));
    let description = operation_of(&many)["description"].as_str().unwrap().to_owned();
    assert!(description.contains(&many.to_string()), "{description}");

    let [never] = &each(&Requirement::any_of(&[]))[..] else { panic!("not public") };
    assert_eq!(*never, json!({ "never": true, "permissions": [], "scopes": [] }));
}

#[test]
fn optional_authentication_is_an_alternative() {
    let optional = Documentation::of(&scope("a")).optional();
    let api = api(Operation::new(), &optional);
    let document = completed(&SecuritySchemes::of(&auth0()), api);
    let operation = &document["paths"]["/"]["get"];
    assert_eq!(operation["security"], json!([{ "auth0": ["a"] }, { "bearer": ["a"] }, {}]));
    let anonymous = json!({ "anonymous": true, "permissions": [], "scopes": [] });
    assert_eq!(operation[EXTENSION][2], anonymous);
    assert_eq!(
        operation["description"],
        "A token is optional. A token that is sent needs the scope `a`."
    );
}

#[test]
fn two_guards_need_both() {
    let both = |outer: Documentation, inner: Documentation| {
        let mut api = api(Operation::new(), &inner);
        outer.apply_to(&mut api.paths);
        let document = completed(&SecuritySchemes::of(&auth0()), api);
        document["paths"]["/"]["get"].clone()
    };
    let of = |requirement: Requirement| Documentation::of(&requirement);
    let operation = both(of(any_of![scope("a"), permission("p")]), of(scope("b")));
    let all = listed(&operation);
    assert_eq!(all.len(), 4);
    assert_eq!((&*all[0].scopes, all[0].permissions.len()), (&["b".to_owned(), "a".into()][..], 0));
    assert_eq!((&*all[2].scopes, &*all[2].permissions), (&["b".into()][..], &["p".into()][..]));

    // A route that is public behind a guard is not public.
    assert_eq!(listed(&both(of(scope("a")), public())).len(), 2);
    // Without a token, one of the two guards refuses.
    let operation = both(of(scope("a")).optional(), of(scope("b")));
    let both_scopes = json!([{ "auth0": ["b", "a"] }, { "bearer": ["b", "a"] }]);
    assert_eq!(operation["security"], both_scopes);
    let operation = both(of(scope("a")).optional(), of(scope("b")).optional());
    assert_eq!(operation["security"][2], json!({}));
}

#[test]
fn a_changed_scope_changes_the_document() {
    let before = document_of(&all_of![scope("read:messages"), scope("read:drafts")]);
    let after = document_of(&all_of![scope("read:messages")]);
    for document in [&before, &after] {
        let flows = &document["components"]["securitySchemes"]["auth0"]["flows"];
        let is_there = *document == before;
        for flow in ["authorizationCode", "clientCredentials"] {
            let scopes = flows[flow]["scopes"].as_object().unwrap();
            assert!(scopes.contains_key("read:messages"));
            assert_eq!(scopes.contains_key("read:drafts"), is_there);
            assert_eq!(scopes.len(), if is_there { 2 } else { 1 }, "and no others");
        }
    }
    assert_ne!(before["paths"], after["paths"]);
}

#[test]
fn responses_of_the_operation_stay() {
    let own = Operation::builder()
        .response("200", Response::new("messages"))
        .response("403", Response::new("of the application"));
    let document = completed(
        &SecuritySchemes::of(&auth0()),
        api(own.build(), &Documentation::of(&scope("a"))),
    );
    let responses = &document["paths"]["/"]["get"]["responses"];
    assert_eq!(responses["200"], json!({ "description": "messages" }));
    assert_eq!(responses["403"], json!({ "description": "of the application" }));
    let reference = |name: &str| json!({ "$ref": format!("#/components/responses/{name}") });
    assert_eq!(responses["400"], reference("Auth0BadRequest"));
    assert_eq!(responses["401"], reference("Auth0Unauthorized"));
    assert_eq!(responses["503"], reference("Auth0Unavailable"));

    let components = &document["components"];
    for (name, header) in [
        ("Auth0BadRequest", "WWW-Authenticate"),
        ("Auth0Unauthorized", "WWW-Authenticate"),
        ("Auth0Forbidden", "WWW-Authenticate"),
        ("Auth0Unavailable", "Retry-After"),
    ] {
        let response = &components["responses"][name];
        assert!(response["headers"][header].is_object(), "{name}");
        let schema = json!({ "$ref": "#/components/schemas/Auth0Refusal" });
        let content = &response["content"]["application/json"];
        assert_eq!(content["schema"], schema);
        // The example has the members of the schema.
        let members = components["schemas"]["Auth0Refusal"]["properties"].as_object().unwrap();
        assert!(content["example"].as_object().unwrap().keys().eq(members.keys()), "{name}");
    }
}

#[test]
fn security_that_was_written_by_hand_is_replaced() {
    use utoipa::openapi::SecurityRequirement;
    policy!(pub ReadMessages = scope("read:messages"));
    let by_hand = Operation::builder().security(SecurityRequirement::new("auth0", ["wrong"]));
    let document = completed(
        &SecuritySchemes::of(&auth0()),
        api(by_hand.build(), &document::<ReadMessages>()),
    );
    let security = &document["paths"]["/"]["get"]["security"];
    assert_eq!(*security, json!([{ "auth0": ["read:messages"] }, { "bearer": ["read:messages"] }]));
}

#[test]
fn an_operation_that_is_not_documented_stays() {
    let mut api = api(Operation::new(), &public());
    api.paths.paths.values_mut().for_each(|item| item.get = Some(Operation::new()));
    let document = completed(&SecuritySchemes::of(&auth0()), api);
    assert_eq!(document["paths"]["/"]["get"], json!({ "responses": {} }));
}
