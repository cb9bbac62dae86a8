//! The recipes of `docs/issuers.md`. The page has the same functions, character for character; a test
//! compares them.
use auth0_core::{
    Algorithm, SubjectKind, TrustedIssuer,
    policy::{any_scope, check, claim, permission, scope},
};

/// Returns the recipe of this name.
pub(super) fn named(name: &str) -> TrustedIssuer {
    let recipe = match name {
        "auth0_custom_domain" => auth0_custom_domain,
        "keycloak" => keycloak,
        "entra_v2" => entra_v2,
        "entra_v1" => entra_v1,
        "entra_external_id" => entra_external_id,
        "azure_b2c" => azure_b2c,
        "okta" => okta,
        "cognito" => cognito,
        "google_service_account" => google_service_account,
        "google_iap" => google_iap,
        "firebase" => firebase,
        "supabase" => supabase,
        "clerk" => clerk,
        "workos" => workos,
        "stytch" => stytch,
        "descope" => descope,
        "zitadel" => zitadel,
        "authentik" => authentik,
        "dex" => dex,
        "duende" => duende,
        "openiddict" => openiddict,
        "spring_authorization_server" => spring_authorization_server,
        "hydra" => hydra,
        "fusionauth" => fusionauth,
        "kinde" => kinde,
        "pingone" => pingone,
        "adfs" => adfs,
        "logto" => logto,
        "rauthy" => rauthy,
        "uaa" => uaa,
        "cloudflare_access" => cloudflare_access,
        "github_actions" => github_actions,
        "gitlab" => gitlab,
        "circleci" => circleci,
        "kubernetes" => kubernetes,
        "spire" => spire,
        "teleport" => teleport,
        "vault" => vault,
        other => panic!("there is no recipe {other}"),
    };
    recipe()
}

fn auth0_custom_domain() -> TrustedIssuer {
    TrustedIssuer::domain("login.acme.com").audience("https://api.acme.com")
}

fn keycloak() -> TrustedIssuer {
    TrustedIssuer::new("https://id.acme.com/realms/acme")
        .audience("orders")
        .permissions_claim(["realm_access", "roles"]) // or ["resource_access", "orders", "roles"]
        .subject_claim(["sub"])
        .subject_claim(["client_id"]) // of a service account without the scope `basic`
}

fn entra_v2() -> TrustedIssuer {
    let tenant = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";
    TrustedIssuer::new(format!("https://login.microsoftonline.com/{tenant}/v2.0"))
        .audience("11111111-2222-4333-8444-555555555555") // the application ID of the API
        .scope_claim(["scp"])
        .permissions_claim(["roles"])
        .require(scope("access_as_user").or(permission("Orders.Process")))
        .require(check("an access token", |token| token.client_id().is_some()))
}

fn entra_v1() -> TrustedIssuer {
    let tenant = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";
    TrustedIssuer::new(format!("https://sts.windows.net/{tenant}/"))
        .audience("api://orders") // the application ID URI of the API
        .client_id_claim(["appid"])
        .scope_claim(["scp"])
        .permissions_claim(["roles"])
        .require(scope("access").or(permission("Orders.Process")))
}

fn entra_external_id() -> TrustedIssuer {
    let tenant = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";
    TrustedIssuer::new(format!("https://{tenant}.ciamlogin.com/{tenant}/v2.0"))
        .audience("11111111-2222-4333-8444-555555555555")
        .scope_claim(["scp"])
        .permissions_claim(["roles"])
        .require(scope("read:messages").or(permission("Orders.Process")))
        .require(check("an access token", |token| token.client_id().is_some()))
}

fn azure_b2c() -> TrustedIssuer {
    let user_flow = "https://acme.b2clogin.com/acme.onmicrosoft.com/b2c_1_signin";
    TrustedIssuer::new("https://acme.b2clogin.com/6babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0/")
        .key_set_url(format!("{user_flow}/discovery/v2.0/keys"))
        .audience("11111111-2222-4333-8444-555555555555")
        .scope_claim(["scp"])
        .require(claim("tfp").equals("B2C_1_signin")) // the user flow
}

fn okta() -> TrustedIssuer {
    TrustedIssuer::new("https://acme.okta.com/oauth2/default")
        .audience("api://default")
        .scope_claim(["scp"])
        .client_id_claim(["cid"])
        .permissions_claim(["groups"])
}

fn cognito() -> TrustedIssuer {
    TrustedIssuer::new("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI")
        .audience("https://api.acme.com") // of tokens with a resource
        .client_ids(["57cbishk4j24pabc1234567890"]) // instead of an audience
        .permissions_claim(["cognito:groups"])
        .require(claim("token_use").equals("access"))
}

fn google_service_account() -> TrustedIssuer {
    TrustedIssuer::new("https://accounts.google.com")
        .audience("https://api.acme.com")
        .require(claim("email").equals("svc@acme.iam.gserviceaccount.com"))
        .require(claim("email_verified").equals_bool(true))
}

fn google_iap() -> TrustedIssuer {
    TrustedIssuer::new("https://cloud.google.com/iap")
        .key_set_url("https://www.gstatic.com/iap/verify/public_key-jwk")
        .algorithms([Algorithm::ES256])
        .audience("/projects/100000000002/locations/us-east4/services/orders")
}

fn firebase() -> TrustedIssuer {
    TrustedIssuer::new("https://securetoken.google.com/acme-1")
        .audience("acme-1") // the project
        .require(check("not anonymous", |token| {
            let sign_in = token.claim::<serde_json::Value>("firebase").ok().flatten();
            sign_in.is_some_and(|sign_in| sign_in["sign_in_provider"] != "anonymous")
        }))
}

fn supabase() -> TrustedIssuer {
    TrustedIssuer::new("https://abcdefghijklmnop.supabase.co/auth/v1")
        .audience("authenticated")
        .algorithms([Algorithm::RS256, Algorithm::ES256])
        .permissions_claim(["role"])
        .require(claim("is_anonymous").equals_bool(false))
}

fn clerk() -> TrustedIssuer {
    TrustedIssuer::new("https://clerk.acme.com")
        .audience("https://api.acme.com") // of tokens for machines
        .client_id_claim(["azp"])
        .client_ids(["https://app.acme.com"]) // the pages, whose session tokens have no audience
        .scope_claim(["scopes"])
        .require(check("no task of the sign-in is left", |token| {
            token.claim::<String>("sts").is_ok_and(|status| status.as_deref() != Some("pending"))
        }))
        .subject_kind(|token| match token.subject().split_once('_')?.0 {
            "user" => Some(SubjectKind::User),
            "mch" => Some(SubjectKind::Machine),
            _ => None,
        })
}

fn workos() -> TrustedIssuer {
    // The key set belongs to your environment. The issuer may be that of all environments.
    TrustedIssuer::new("https://api.workos.com")
        .key_set_url("https://api.workos.com/sso/jwks/client_01ENV")
        .client_id_claim(["iss"])
        .client_ids(["https://api.workos.com"])
}

fn stytch() -> TrustedIssuer {
    let project = "project-test-16d9ba61-97a1-4ba4-9720-b03761dc50c6";
    TrustedIssuer::new(format!("stytch.com/{project}"))
        .key_set_url(format!("https://test.stytch.com/v1/sessions/jwks/{project}"))
        .audience(project)
        .subject_kind(|token| match token.subject() {
            subject if subject.starts_with("m2m-client-") => Some(SubjectKind::Machine),
            subject if subject.starts_with("user-") => Some(SubjectKind::User),
            _ => None,
        })
}

fn descope() -> TrustedIssuer {
    let project = "P2aaaaaaaaaaaaaaaaaaaaaaaaa1";
    TrustedIssuer::new(project)
        .key_set_url(format!("https://api.descope.com/{project}/.well-known/jwks.json"))
        .client_id_claim(["iss"]) // the project, which is the issuer, instead of an audience
        .client_ids([project])
        .require(claim("drn").equals("DS")) // DSR is a refresh token
}

fn zitadel() -> TrustedIssuer {
    TrustedIssuer::new("https://acme.zitadel.cloud")
        .audience("200000000000000001") // the project
        .permissions_from_members(["urn:zitadel:iam:org:project:roles"])
        .refuse_likely_id_tokens(true)
        .require(permission("admin").or(permission("reader")))
}

fn authentik() -> TrustedIssuer {
    TrustedIssuer::new("https://sso.acme.com/application/o/orders/")
        .audience("kfHyzVJk") // the client ID
        .permissions_claim(["groups"])
}

fn dex() -> TrustedIssuer {
    TrustedIssuer::new("https://dex.acme.com/dex")
        .audience("kubernetes") // the client ID
        .permissions_claim(["groups"])
}

fn duende() -> TrustedIssuer {
    TrustedIssuer::new("https://id.acme.com")
        .audience("orders")
        .permissions_claim(["role"])
        .subject_claim(["sub"])
        .subject_claim(["client_id"]) // of client credentials
}

fn openiddict() -> TrustedIssuer {
    TrustedIssuer::new("https://id.acme.com/").audience("orders").permissions_claim(["role"])
}

fn spring_authorization_server() -> TrustedIssuer {
    TrustedIssuer::new("https://id.acme.com")
        .audience("messaging-client")
        .client_id_claim(["aud"])
        .permissions_claim(["roles"])
        .refuse_likely_id_tokens(true)
}

fn hydra() -> TrustedIssuer {
    TrustedIssuer::new("https://acme.projects.oryapis.com")
        .audience("https://api.acme.com")
        .scope_claim(["scp"])
}

fn fusionauth() -> TrustedIssuer {
    TrustedIssuer::new("https://login.acme.com") // or a name, with key_set_url
        .audience("85a03867-dccf-4882-adde-1a79aeec50df") // the application
        .client_id_claim(["applicationId"])
        .permissions_claim(["roles"])
        .refuse_likely_id_tokens(true)
        .require(permission("ceo"))
}

fn kinde() -> TrustedIssuer {
    TrustedIssuer::new("https://acme.kinde.com")
        .audience("https://api.acme.com")
        .scope_claim(["scp"])
        .subject_claim(["sub"])
        .subject_claim(["azp"]) // of a machine
        .subject_kind(|token| match token.client_id() == Some(token.subject()) {
            true => Some(SubjectKind::Machine),
            false => Some(SubjectKind::User),
        })
}

fn pingone() -> TrustedIssuer {
    TrustedIssuer::new("https://auth.pingone.com/55555555-6666-4777-8888-999999999999/as")
        .audience("https://api.acme.com")
        .subject_claim(["sub"])
        .subject_claim(["client_id"]) // of a worker
}

fn adfs() -> TrustedIssuer {
    TrustedIssuer::new("http://fs.acme.com/adfs/services/trust") // `access_token_issuer` of the metadata
        .key_set_url("https://fs.acme.com/adfs/discovery/keys")
        .audience("microsoft:identityserver:https://api.acme.com")
        .scope_claim(["scp"])
        .client_id_claim(["appid"])
        .subject_claim(["sub"])
        .subject_claim(["upn"])
}

fn logto() -> TrustedIssuer {
    TrustedIssuer::new("https://acme.logto.app/oidc")
        .audience("https://api.acme.com")
        .algorithms([Algorithm::ES384, Algorithm::RS256])
        .require(any_scope(&["read:messages", "write:messages"]))
}

fn rauthy() -> TrustedIssuer {
    TrustedIssuer::new("https://auth.acme.com/auth/v1/") // before version 0.35 without the slash
        .audience("job") // the client ID
        .algorithms([Algorithm::EdDSA, Algorithm::RS256])
        .permissions_claim(["roles"])
        .subject_claim(["sub"])
        .subject_claim(["azp"]) // of client credentials
}

fn uaa() -> TrustedIssuer {
    TrustedIssuer::new("https://uaa.acme.com/oauth/token")
        .audience("orders")
        .require(check("no refresh token", |token| {
            token.token_id().is_none_or(|id| !id.ends_with("-r"))
        }))
}

fn cloudflare_access() -> TrustedIssuer {
    TrustedIssuer::new("https://yourteam.cloudflareaccess.com")
        .key_set_url("https://yourteam.cloudflareaccess.com/cdn-cgi/access/certs")
        .audience("32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228") // the AUD tag
        .client_id_claim(["common_name"])
        .subject_claim(["sub"])
        .subject_claim(["common_name"]) // of a service token
}

fn github_actions() -> TrustedIssuer {
    TrustedIssuer::new("https://token.actions.githubusercontent.com")
        .audience("https://api.acme.com")
        .require(claim("repository").equals("octo-org/octo-repo"))
        .require(claim("ref").equals("refs/heads/main"))
}

fn gitlab() -> TrustedIssuer {
    TrustedIssuer::new("https://gitlab.com")
        .audience("https://api.acme.com")
        .require(claim("project_path").equals("acme/orders"))
        .require(claim("ref_protected").equals("true"))
}

fn circleci() -> TrustedIssuer {
    let organization = "11111111-2222-4333-8444-555555555555";
    TrustedIssuer::new(format!("https://oidc.circleci.com/org/{organization}"))
        .audience(organization)
        .require(
            claim("oidc.circleci.com/project-id").equals("66666666-7777-4888-8999-000000000000"),
        )
        .subject_kind(|_| Some(SubjectKind::Machine))
}

fn kubernetes() -> TrustedIssuer {
    let cluster = "https://oidc.eks.us-west-2.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
    TrustedIssuer::new(cluster)
        .audience("https://api.acme.com")
        .require(claim("sub").equals("system:serviceaccount:default:sa"))
}

fn spire() -> TrustedIssuer {
    TrustedIssuer::new("https://oidc.acme.com") // `jwt_issuer` of the SPIRE server
        .audience("https://api.acme.com")
        .require(claim("sub").equals("spiffe://example.org/ns/default/sa/web"))
}

fn teleport() -> TrustedIssuer {
    TrustedIssuer::new("acme.teleport.sh")
        .key_set_url("https://acme.teleport.sh/.well-known/jwks.json")
        .audience("https://orders.acme.internal")
        .permissions_claim(["roles"])
        .subject_kind(|token| match token.subject().starts_with("bot-") {
            true => Some(SubjectKind::Machine),
            false => Some(SubjectKind::User),
        })
}

fn vault() -> TrustedIssuer {
    TrustedIssuer::new("https://vault.acme.com:8200/v1/identity/oidc")
        .audience("test-client") // the client ID of the role
        .scope_claim(["scopes"])
}
