//! Claims of the application.
use super::{NOT_MET, code};
use auth0_core::policy::claim;
use auth0_testing::Tenant;
use serde_json::json;

const TWO_TO_53: f64 = 9_007_199_254_740_992.0;
const BEYOND: i64 = 9_007_199_254_740_993;

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
        // The last two are the same double.
        ("id", json!(9_007_199_254_740_991_u64), claim("id").equals_number(TWO_TO_53), false),
        ("id", json!(9_007_199_254_740_992_u64), claim("id").equals_number(TWO_TO_53), true),
        ("id", json!(9_007_199_254_740_993_u64), claim("id").equals_number(TWO_TO_53), false),
        ("id", json!(-9_007_199_254_740_993_i64), claim("id").equals_number(-TWO_TO_53), false),
        ("id", json!(9_007_199_254_740_992.0), claim("id").equals_number(TWO_TO_53), true),
        ("id", json!(1e23), claim("id").equals_number(1e23), true),
        ("id", json!(f64::MAX), claim("id").equals_number(f64::MAX), true),
        ("id", json!(5), claim("id").equals_number(f64::INFINITY), false),
        ("id", json!(9_007_199_254_740_992_u64), claim("id").equals_integer(BEYOND), false),
        ("id", json!(9_007_199_254_740_993_u64), claim("id").equals_integer(BEYOND), true),
        ("id", json!(i64::MIN), claim("id").equals_integer(i64::MIN), true),
        ("id", json!(i64::MAX), claim("id").equals_integer(i64::MIN), false),
        ("id", json!(5.0), claim("id").equals_integer(5), true),
        ("id", json!(5.5), claim("id").equals_integer(5), false),
        ("id", json!("5"), claim("id").equals_integer(5), false),
        ("id", json!([5]), claim("id").equals_integer(5), false),
        ("sub", json!("auth0|ann"), claim("sub").equals("auth0|ann"), true),
    ] {
        let token = auth.verify(&claims(name, value.clone())).await.unwrap();
        let expected = if is_met { None } else { NOT_MET };
        assert_eq!(code(&auth, &token, &requirement), expected, "{requirement} of {value}");
    }
    let bare = auth.verify(&tenant.token().mint()).await.unwrap();
    assert_eq!(code(&auth, &bare, &claim("level").equals_number(0.0)), NOT_MET, "absent");
}
