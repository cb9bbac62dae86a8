//! The sentence of an operation's description with what `security` cannot say.
use crate::{
    alternative::{Alternative, Term},
    alternatives::Alternatives,
};

/// Returns the sentence; `None` if `security` says everything.
pub(crate) fn of(alternatives: &Alternatives) -> Option<String> {
    let needs_words = |one: &Alternative| !one.permissions().is_empty() || one.others().count() > 0;
    if !alternatives.iter().any(needs_words) {
        return None;
    }
    let needs: Vec<String> =
        alternatives.iter().filter(|one| !one.is_anonymous()).map(needs_of).collect();
    let optional = match alternatives.iter().any(Alternative::is_anonymous) {
        true => "A token is optional. ",
        false => "",
    };
    Some(match alternatives.iter().any(Alternative::is_never_met) {
        true => format!("{optional}No token is accepted."),
        false if optional.is_empty() => format!("Needs {}.", needs.join("; or ")),
        false => format!("{optional}A token that is sent needs {}.", needs.join("; or ")),
    })
}

fn needs_of(alternative: &Alternative) -> String {
    let of_kind = |kind: &str, names: &[String]| {
        let names = names.iter().map(|name| format!("{kind} `{name}`"));
        names.collect::<Vec<_>>()
    };
    let mut needs = of_kind("the scope", alternative.scopes());
    needs.extend(of_kind("the permission", alternative.permissions()));
    for (member, term) in alternative.others() {
        needs.extend(match (member, term) {
            ("machine", _) => vec!["to be that of a machine".to_owned()],
            ("user", _) => vec!["to be that of a user".to_owned()],
            ("not_anonymous", _) => vec!["not to be that of an anonymous session".to_owned()],
            ("any_organization", _) => vec!["an organization".to_owned()],
            (_, Term::Seconds(seconds)) => vec![format!("a login of the last {seconds} seconds")],
            (member, Term::Names(names)) => of_kind(words(member), names),
            (member, Term::Flag(_)) => vec![format!("`{member}`")],
        });
    }
    match needs.is_empty() {
        true => "to be valid".to_owned(),
        false => needs.join(" and "),
    }
}

fn words(member: &str) -> &str {
    match member {
        "acr" => "a login of the class",
        "amr" => "a login by the method",
        "claims" => "the claim",
        "checks" => "to pass the check",
        "client" => "to be requested by the client",
        "organization" => "the organization",
        "organization_name" => "the organization",
        "organization_in_path" => "the organization of the path parameter",
        "organization_in_header" => "the organization of the header",
        "requirement" => "to meet the requirement",
        other => other,
    }
}
