//! Requirements: organizations, logins, claims, machines and users.
use super::rows::{Expected, Row, bearer, misconfigured, refused, row};
use auth0_axum::{
    auth0_core::time::Clock as _,
    testing::{Profile, Tenant, TokenBuilder},
};

pub(crate) fn rows(tenant: &Tenant) -> Vec<Row> {
    const MFA: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";
    let ann = || tenant.token().subject("auth0|ann");
    let acme = || ann().organization("org_a1", "acme");
    let now = tenant.clock().unix_time().as_secs();
    let ok = |name, path, token: TokenBuilder| {
        row(name, path, bearer(&token.mint()), Expected::Ok("auth0|ann"))
    };
    let refuse = |name, path, token: TokenBuilder, code, scope| {
        row(name, path, bearer(&token.mint()), refused(403, "insufficient_scope", code, scope))
    };
    let not_of_it = |name, path, token| refuse(name, path, token, "organization_mismatch", "");
    let not_met = |name, path, token| refuse(name, path, token, "requirement_not_met", "");
    let step_up = |name, path, token: TokenBuilder, parameters: &str| {
        let error = "insufficient_user_authentication";
        row(name, path, bearer(&token.mint()), refused(401, error, "step_up_required", parameters))
    };
    let with =
        |headers: &[(&'static str, &'static [u8])], row| Row { headers: headers.into(), ..row };
    let acr_values = format!(", acr_values=\"{MFA}\"");
    let both = format!(", acr_values=\"{MFA}\", max_age=\"300\"");
    let strong = || ann().claim("acr", MFA);
    let writer = |token: TokenBuilder| token.scope("write:transfers");

    let later = std::time::Duration::from_secs(200_000);
    // A header of a row is static.
    let renewed = |newer: TokenBuilder, row: Row| {
        let newer: &'static str = newer.mint().leak();
        Row { headers: vec![("x-renewal", newer.as_bytes())], ..row }
    };
    let not_renewed = |name, newer: TokenBuilder, code| {
        let expected = refused(401, "invalid_token", code, "");
        renewed(newer, row(name, "/renew", bearer(&ann().mint()), expected))
    };

    vec![
        renewed(ann().expires_in(later), ok("a newer token", "/renew", ann())),
        not_renewed("a token that ends no later", ann(), "renewal_refused"),
        not_renewed(
            "of another subject",
            tenant.token().subject("auth0|bob").expires_in(later),
            "renewal_refused",
        ),
        not_renewed(
            "bound to a key that is not proven",
            ann().expires_in(later).bound_to(&tenant.client_key()),
            "token_binding_mismatch",
        ),
        not_renewed(
            "a forged token",
            ann().expires_in(later).broken_signature(),
            "signature_invalid",
        ),
        ok("one of two scopes", "/any-scope", ann().scope("admin:messages")),
        refuse(
            "none of two scopes",
            "/any-scope",
            ann().scope("write:messages"),
            "insufficient_scope",
            ", scope=\"read:messages admin:messages\"",
        ),
        ok("the role", "/role", ann().claim("https://acme.com/roles", ["dev", "admin"])),
        not_met("another role", "/role", ann().claim("https://acme.com/roles", ["dev"])),
        not_met("no roles", "/role", ann()),
        ok("the organization", "/organization", acme()),
        not_of_it("another organization", "/organization", ann().organization("org_b2", "acme")),
        not_of_it("no organization", "/organization", ann()),
        ok("the organization, by name", "/organization-name", acme()),
        not_of_it("another name", "/organization-name", ann().organization("org_a1", "other")),
        ok("some organization", "/any-organization", ann().organization("org_b2", "other")),
        not_of_it("no organization where any is accepted", "/any-organization", ann()),
        ok("the extractor", "/organization-extractor", acme()),
        not_of_it("the extractor, no organization", "/organization-extractor", ann()),
        ok("the organization of the path", "/orgs/org_a1/data", acme()),
        ok("the same, by name", "/orgs/acme/data", acme()),
        ok("the same, by name in another case", "/orgs/Acme/data", acme()),
        ok("the same, escaped", "/orgs/org%5Fa1/data", acme()),
        not_of_it("the data of another", "/orgs/org_b2/data", acme()),
        not_of_it("the data of another, by name", "/orgs/other/data", acme()),
        not_of_it("the data of another, escaped", "/orgs/org%5Fb2/data", acme()),
        not_of_it("its id and more", "/orgs/org_a1%2Fx/data", acme()),
        not_of_it("a name that only looks like it", "/orgs/ac%E2%84%AAme/data", acme()),
        not_of_it("an id in another case", "/orgs/ORG_a1/data", acme()),
        not_of_it("no UTF-8", "/orgs/%FF/data", acme()),
        not_of_it("a token without organization", "/orgs/org_a1/data", ann()),
        row("two names, first", "/twice/org_a1/in/org_b2", bearer(&acme().mint()), misconfigured()),
        row("two names, last", "/twice/org_b2/in/org_a1", bearer(&acme().mint()), misconfigured()),
        ok("the organization of the path, layer", "/orgs/org_a1/layer", acme()),
        not_of_it("the data of another, layer", "/orgs/org_b2/layer", acme()),
        with(
            &[("x-organization", b"org_a1")],
            ok("the organization of the header", "/organization-header", acme()),
        ),
        with(
            &[("x-organization", b"org_b2")],
            not_of_it("another organization in the header", "/organization-header", acme()),
        ),
        with(
            &[("x-organization", b"org_a1"), ("x-organization", b"org_b2")],
            not_of_it("two in the header", "/organization-header", acme()),
        ),
        with(
            &[("x-organization", b"org_\xff")],
            not_of_it("no UTF-8 in the header", "/organization-header", acme()),
        ),
        not_of_it("none in the header", "/organization-header", acme()),
        row("no such parameter", "/no-parameter", bearer(&acme().mint()), misconfigured()),
        ok("several factors, by acr", "/mfa", strong()),
        ok("several factors, by amr", "/mfa", ann().claim("amr", ["pwd", "mfa"])),
        step_up("one factor", "/mfa", ann().claim("amr", ["pwd"]), &acr_values),
        ok("a recent login", "/recent", ann().claim("auth_time", now - 300)),
        step_up(
            "an old login",
            "/recent",
            ann().claim("auth_time", now - 306),
            ", max_age=\"300\"",
        ),
        step_up("a login of unknown age", "/recent", ann(), ", max_age=\"300\""),
        ok("all for a transfer", "/transfer", writer(strong().claim("auth_time", now))),
        step_up("neither strong nor recent", "/transfer", writer(ann()), &both),
        step_up(
            "strong and old",
            "/transfer",
            writer(strong().claim("auth_time", now - 4000)),
            ", max_age=\"300\"",
        ),
        step_up("weak and recent", "/transfer", writer(ann().claim("auth_time", now)), &acr_values),
        refuse(
            "a scope is missing, which a login would not help",
            "/transfer",
            ann(),
            "insufficient_scope",
            ", scope=\"write:transfers\"",
        ),
        row(
            "a machine",
            "/machine",
            bearer(&tenant.token().machine("m1").mint()),
            Expected::Ok("m1@clients"),
        ),
        row(
            "a machine of RFC 9068",
            "/machine",
            bearer(&tenant.token().machine("m1").profile(Profile::Rfc9068).mint()),
            Expected::Ok("m1@clients"),
        ),
        not_met("a user where a machine is required", "/machine", ann()),
        ok("a user who is not anonymous", "/person", ann()),
        not_met("a machine where a user is required", "/person", tenant.token().machine("m1")),
        not_met("an anonymous session", "/person", ann().subject("anon@1")),
        ok("the client", "/client", ann().client("spa")),
        not_met("another client", "/client", ann().client("cli")),
    ]
}
