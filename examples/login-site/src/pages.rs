//! The pages.
use crate::Invoice;
use std::fmt::Write as _;

/// What the pages show of a user.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// The subject.
    pub sub: &'a str,
    /// The name, if it is known.
    pub name: Option<&'a str>,
    /// The e-mail address, if it is known.
    pub email: Option<&'a str>,
    /// The URL of a picture.
    pub picture: Option<&'a str>,
}

impl Member<'_> {
    fn label(&self) -> &str {
        self.name.or(self.email).unwrap_or(self.sub)
    }
}

/// Returns the start page.
#[must_use]
pub fn home(user: Option<Member<'_>>) -> String {
    let content = match &user {
        Some(member) => format!(
            "<h1>Good to see you, {}</h1><p>You are logged in as <code>{}</code>.</p>\
             <p><a class=button href=\"/invoices\">Your invoices</a></p>",
            escaped(member.label()),
            escaped(member.sub)
        ),
        None => "<h1>Acme</h1><p>Invoices without paper. Log in to see yours.</p>\
                 <p><a class=button href=\"/auth/login\">Log in</a></p>"
            .to_owned(),
    };
    page("Acme", user.as_ref(), &content)
}

/// Returns the page of the user.
#[must_use]
pub fn member(user: &Member<'_>) -> String {
    let row = |name: &str, value: Option<&str>| {
        let value = value.map_or_else(|| "–".to_owned(), escaped);
        format!("<tr><th>{name}</th><td>{value}</td></tr>")
    };
    let content = format!(
        "<h1>Your profile</h1><table>{}{}{}</table>",
        row("Name", user.name),
        row("E-mail", user.email),
        row("Subject", Some(user.sub))
    );
    page("Your profile", Some(user), &content)
}

/// Returns the page with the invoices of the user.
#[must_use]
pub fn invoices(user: &Member<'_>, invoices: &[Invoice]) -> String {
    let mut rows = String::new();
    for Invoice { number, title, cents } in invoices {
        let (number, title) = (escaped(number), escaped(title));
        let _ = write!(
            rows,
            "<tr><td>{number}</td><td>{title}</td><td class=amount>{}.{:02} €</td></tr>",
            cents / 100,
            cents % 100
        );
    }
    let content = format!(
        "<h1>Your invoices</h1><p>From the billing API, which was called with your access token.</p>\
         <table><tr><th>Number</th><th>For</th><th class=amount>Amount</th></tr>{rows}</table>"
    );
    page("Your invoices", Some(user), &content)
}

/// Returns the page for administrators.
#[must_use]
pub fn admin(user: &Member<'_>) -> String {
    let content =
        "<h1>Administration</h1><p>Only users with the role <code>admin</code> see this page.</p>";
    page("Administration", Some(user), content)
}

/// Returns the page for users who have passed another factor.
#[must_use]
pub fn security(user: &Member<'_>) -> String {
    let content =
        "<h1>Security</h1><p>This page needs a login with another factor. You have passed one.</p>";
    page("Security", Some(user), content)
}

/// Returns the page that says that no API is configured.
#[must_use]
pub fn without_api(user: &Member<'_>) -> String {
    let content = "<h1>No invoices</h1><p>Set <code>AUTH0_LOGIN_AUDIENCE</code> to the identifier of an API, and start \
                   again: this page calls it with your access token.</p>";
    page("No invoices", Some(user), content)
}

/// Returns the page for an API that does not answer as it should.
#[must_use]
pub fn failure(user: &Member<'_>) -> String {
    let content = "<h1>Try again soon</h1><p>Your invoices are not available at the moment.</p>";
    page("Try again soon", Some(user), content)
}

fn page(title: &str, user: Option<&Member<'_>>, content: &str) -> String {
    let account = match user {
        Some(member) => format!(
            "<a href=\"/me\">{}</a><form method=post action=\"/auth/logout\"><button>Log out</button></form>",
            escaped(member.label())
        ),
        None => "<a href=\"/auth/login\">Log in</a>".to_owned(),
    };
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style>\
         <header><nav><a class=brand href=\"/\">Acme</a><a href=\"/invoices\">Invoices</a><a href=\"/security\">Security</a>\
         <a href=\"/admin\">Admin</a>\
         <span></span>{account}</nav></header><main>{content}</main></html>\n",
        title = escaped(title)
    )
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2433;--soft:#5b6475;--line:#e3e6ec;--page:#f6f7f9;--card:#fff;--accent:#3048d8}\
@media(prefers-color-scheme:dark){:root{--ink:#e9ecf3;--soft:#a3abbb;--line:#2c3342;--page:#12151c;--card:#1a1f2a;--accent:#8fa2ff}}\
*{box-sizing:border-box}body{margin:0;font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--page)}\
header{background:var(--card);border-bottom:1px solid var(--line)}\
nav{max-width:48rem;margin:auto;padding:.75rem 1rem;display:flex;gap:1.25rem;align-items:center}\
nav span{flex:1}nav a{color:var(--soft);text-decoration:none}nav a:hover{color:var(--ink)}\
nav .brand{font-weight:700;color:var(--ink)}nav form{margin:0}\
button,.button{font:inherit;cursor:pointer;border:1px solid var(--line);border-radius:.5rem;padding:.35rem .8rem;\
background:none;color:inherit;text-decoration:none}\
.button{display:inline-block;background:var(--accent);border-color:var(--accent);color:var(--card);padding:.5rem 1rem}\
main{max-width:48rem;margin:2rem auto;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}\
h1{margin-top:0;font-size:1.6rem}table{width:100%;border-collapse:collapse}\
th,td{text-align:left;padding:.6rem .25rem;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:500}\
.amount{text-align:right;font-variant-numeric:tabular-nums}code{font-size:.9em}";

/// Returns a text that HTML shows as it is.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            _ => safe.push(c),
        }
    }
    safe
}
