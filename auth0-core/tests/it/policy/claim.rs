//! Claims of the application.
use super::{NOT_MET, code};
use auth0_core::policy::claim;
use auth0_testing::Tenant;
use serde_json::json;

#[tokio::test]
async fn a_claim_of_the_application() {
    const ROLES: &str = "https://acme.com/roles";
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let claims = |name: &str, value: serde_json::Value| tenant.token().claim(name, value).mint();
    for (name, value, requirement, is_met) in [
        (ROLES, json!(["dev", "admin"]), claim(ROLES).contains("admin"), true),
        (ROLES, json!(["dev", "administrator"]), claim(ROLES).contains("admin"), false),
        (ROLES, json!(["dev", 7, ["admin"]]), claim(ROLES).contains("admin"), false),
        (ROLES, json!(["dev", 7, "admin"]), claim(ROLES).contains("admin"), true),
        (ROLES, json!("admin"), claim(ROLES).contains("admin"), true),
        (ROLES, json!("dev admin"), claim(ROLES).contains("admin"), false),
        (ROLES, json!({ "admin": true }), claim(ROLES).contains("admin"), false),
        (ROLES, json!(["\u{e4}\"dmin"]), claim(ROLES).contains("\u{e4}\"dmin"), true),
        (ROLES, json!([]), claim(ROLES).contains(""), false),
        (ROLES, json!(["admin"]), claim("https://acme").contains("admin"), false),
        ("a.b", json!("x"), claim("a.b").equals("x"), true),
        ("a", json!({ "b": "x" }), claim("a.b").equals("x"), false),
        ("a/b", json!("x"), claim("a/b").equals("x"), true),
        ("plan", json!("gold"), claim("plan").equals("gold"), true),
        ("plan", json!("Gold"), claim("plan").equals("gold"), false),
        ("plan", json!(["gold"]), claim("plan").equals("gold"), false),
        ("plan", json!(null), claim("plan").equals("null"), false),
        ("on", json!(true), claim("on").equals_bool(true), true),
        ("on", json!("true"), claim("on").equals_bool(true), false),
        ("on", json!(true), claim("on").equals("true"), false),
        ("on", json!(1), claim("on").equals_bool(true), false),
        ("on", json!(false), claim("on").equals_bool(false), true),
        ("on", json!(null), claim("on").equals_bool(false), false),
        ("level", json!(5), claim("level").equals_number(5.0), true),
        ("level", json!(5.0), claim("level").equals_number(5.0), true),
        ("level", json!(-0.5), claim("level").equals_number(-0.5), true),
        ("level", json!("5"), claim("level").equals_number(5.0), false),
        ("level", json!(5), claim("level").equals("5"), false),
        ("level", json!(6), claim("level").equals_number(5.0), false),
        ("sub", json!("auth0|ann"), claim("sub").equals("auth0|ann"), true),
    ] {
        let token = auth.verify(&claims(name, value.clone())).await.unwrap();
        let expected = if is_met { None } else { NOT_MET };
        assert_eq!(code(&auth, &token, &requirement), expected, "{requirement} of {value}");
    }
    let bare = auth.verify(&tenant.token().mint()).await.unwrap();
    assert_eq!(code(&auth, &bare, &claim("level").equals_number(0.0)), NOT_MET, "absent");
}
