//! The text of a requirement, as the log prints it, read again.
use super::requirement::{ClaimTest, Kind, List, Requirement, Text};
use std::{iter::Peekable, str::CharIndices, sync::Arc};

/// More than the longest requirement of a route.
const MAX_BYTES: usize = 8 * 1024;

/// Deeper lists than any that is written by hand.
const MAX_DEPTH: usize = 16;

const FORMS: &str = "Write it as the log prints it, for example scope(\"read:messages\") or \
                     any_of[permission(\"messages:purge\"), machine()]";

impl Requirement {
    /// Parses the `Display` form of a requirement. Those that name code or a part of the request cannot be read.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("the requirement has more than {MAX_BYTES} bytes"));
        }
        let mut reader = Reader { text, chars: text.char_indices().peekable() };
        let requirement = reader.requirement(0)?;
        match reader.peek() {
            None => Ok(requirement),
            Some(_) => Err(reader.wrong("more than one requirement is written")),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl Reader<'_> {
    fn requirement(&mut self, depth: usize) -> Result<Requirement, String> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("the lists are too deep"));
        }
        let name = self.name()?;
        if matches!(&*name, "all_of" | "any_of") {
            self.skip('!');
            let list = List::Shared(Arc::new(self.list(']', |it| it.requirement(depth + 1))?));
            return Ok(Requirement(match &*name {
                "all_of" => Kind::All(list),
                _ => Kind::Any(list),
            }));
        }
        if !self.skip('(') {
            return Err(self.wrong(&format!("{name:?} is no requirement: '(' is missing")));
        }
        let kind = match &*name {
            "authenticated" => Kind::Authenticated,
            "scope" => Kind::Scope(self.string()?),
            "any_scope" => self.one_of(Kind::Scope)?,
            "permission" => Kind::Permission(self.string()?),
            "any_permission" => self.one_of(Kind::Permission)?,
            "organization" => Kind::Organization(self.string()?),
            "organization_name" => Kind::OrganizationName(self.string()?),
            "any_organization" => Kind::AnyOrganization,
            "acr" => Kind::Acr(self.string()?),
            "amr" => Kind::Amr(self.string()?),
            "max_age" => Kind::MaxAge { seconds: self.number()? },
            "machine" => Kind::Machine,
            "user" => Kind::User,
            "not_anonymous" => Kind::NotAnonymous,
            "client" => Kind::Client(self.string()?),
            "claim" => {
                let name = self.string()?;
                self.expect(')')?;
                self.expect('.')?;
                Kind::Claim { name, test: self.test()? }
            }
            "check" => return Err(self.wrong("check(…) is code of the application")),
            "organization_in_path" | "organization_in_header" => {
                return Err(self.wrong(&format!(
                    "{name}(…) needs a request. Write organization(\"org_…\") with the id that the request names"
                )));
            }
            _ => return Err(self.wrong(&format!("{name:?} is no requirement"))),
        };
        self.expect(')')?;
        Ok(Requirement(kind))
    }

    /// Reads `.contains("…")` and the others, up to the last bracket.
    fn test(&mut self) -> Result<ClaimTest, String> {
        let name = self.name()?;
        self.expect('(')?;
        Ok(match &*name {
            "contains" => ClaimTest::Contains(self.string()?),
            "equals" => ClaimTest::Equals(self.string()?),
            "equals_integer" => ClaimTest::EqualsInteger(self.number()?),
            "equals_number" => ClaimTest::EqualsNumber(self.number()?),
            "equals_bool" => ClaimTest::EqualsBool(self.number()?),
            _ => return Err(self.wrong(&format!("a claim has no test {name:?}"))),
        })
    }

    /// Reads the names of `any_scope` or `any_permission` as a list of single ones.
    fn one_of(&mut self, kind: fn(Text) -> Kind) -> Result<Kind, String> {
        self.skip('&');
        let names = self.list(']', Self::string)?;
        if names.iter().any(|name| name.contains(char::is_whitespace)) {
            return Err(self.wrong("a name of the list has a space, so no token can have it"));
        }
        let one = |name| Requirement(kind(name));
        Ok(Kind::Any(List::Shared(Arc::new(names.into_iter().map(one).collect()))))
    }

    /// Reads values in square brackets.
    fn list<T>(
        &mut self,
        end: char,
        mut read: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        self.expect('[')?;
        let mut list = Vec::new();
        while !self.skip(end) {
            if !list.is_empty() {
                self.expect(',')?;
                // A comma after the last one is allowed, as in the source.
                if self.skip(end) {
                    break;
                }
            }
            list.push(read(self)?);
        }
        Ok(list)
    }

    fn name(&mut self) -> Result<String, String> {
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let name = self.take(is_name);
        if name.is_empty() {
            Err(self.wrong("the name of a requirement is missing"))
        } else {
            Ok(name)
        }
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, String> {
        let is_value = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
        let text = self.take(is_value);
        text.parse()
            .map_err(|_| self.wrong(&format!("{text:?} is not a value that is allowed here")))
    }

    /// Reads a string with the escapes of Rust.
    fn string(&mut self) -> Result<Text, String> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            let c = match self.chars.next().map(|(_, c)| c) {
                None => return Err(self.wrong("a quotation mark is missing")),
                Some('"') => return Ok(text.into()),
                Some('\\') => self.escaped()?,
                Some(c) => c,
            };
            text.push(c);
        }
    }

    /// Reads what follows a backslash.
    fn escaped(&mut self) -> Result<char, String> {
        let wrong = |it: &mut Self| it.wrong("an escape in the text is none of Rust's");
        match self.chars.next().map(|(_, c)| c) {
            Some(c @ ('"' | '\\' | '\'')) => Ok(c),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('0') => Ok('\0'),
            Some('u') => {
                self.expect('{')?;
                let digits = self.take(|c| c.is_ascii_hexdigit());
                self.expect('}')?;
                let number = u32::from_str_radix(&digits, 16).ok();
                number.and_then(char::from_u32).ok_or_else(|| wrong(self))
            }
            _ => Err(wrong(self)),
        }
    }

    fn take(&mut self, is_part: impl Fn(char) -> bool) -> String {
        self.peek();
        let mut text = String::new();
        while let Some((_, c)) = self.chars.next_if(|(_, c)| is_part(*c)) {
            text.push(c);
        }
        text
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        if self.skip(c) { Ok(()) } else { Err(self.wrong(&format!("{c:?} is missing"))) }
    }

    /// Skips a character, if it is the next one.
    fn skip(&mut self, c: char) -> bool {
        self.peek() == Some(c) && self.chars.next().is_some()
    }

    /// Returns the next character that is no space.
    fn peek(&mut self) -> Option<char> {
        while self.chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        self.chars.peek().map(|(_, c)| *c)
    }

    fn wrong(&mut self, what: &str) -> String {
        let at = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        let read = self.text.get(..at).unwrap_or_default().chars().count();
        format!("the requirement cannot be read after {read} characters: {what}. {FORMS}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_log_prints_is_read() {
        let all = [
            authenticated(),
            scope("read:messages"),
            scope("a b"),
            permission("messages:purge"),
            claim("https://acme.com/roles").contains("admin"),
            claim("plan").equals("a \"quoted\"\n\u{202e} text"),
            claim("account").equals_integer(-9_007_199_254_740_993),
            claim("rate").equals_number(0.5),
            claim("beta").equals_bool(true),
            organization("org_1"),
            organization_name("acme"),
            any_organization(),
            acr(MFA),
            amr("mfa"),
            max_age(300),
            machine(),
            user(),
            not_anonymous(),
            client("spa"),
            all_of![scope("a"), any_of![permission("b"), machine()], user()],
            Requirement::any_of(&[]),
        ];
        for requirement in all {
            assert_eq!(Requirement::parse(&requirement.to_string()), Ok(requirement));
        }
    }

    #[test]
    fn what_the_source_has_is_read() {
        for (text, read) in [
            (" scope( \"a\" ) ", scope("a")),
            ("all_of![scope(\"a\"), user(),]", all_of![scope("a"), user()]),
            ("any_scope(&[\"a\", \"b\"])", any_of![scope("a"), scope("b")]),
            ("any_permission([\"a\"])", any_of![permission("a")]),
            ("any_scope([])", Requirement::any_of(&[])),
        ] {
            assert_eq!(Requirement::parse(text), Ok(read), "{text}");
        }
    }

    #[test]
    fn other_text_is_refused_with_what_to_write() {
        let deep = format!("{}user(){}", "all_of[".repeat(20), "]".repeat(20));
        let long = format!("scope(\"{}\")", "a".repeat(MAX_BYTES));
        for (text, sentence) in [
            ("", "the name of a requirement is missing"),
            ("read:messages", "\"read\" is no requirement"),
            ("scope", "'(' is missing"),
            ("scope(read)", "'\"' is missing"),
            ("scope(\"a)", "a quotation mark is missing"),
            ("scope(\"\\x\")", "none of Rust's"),
            ("scope(\"\\u{d800}\")", "none of Rust's"),
            ("scope(\"a\") scope(\"b\")", "more than one requirement"),
            ("max_age(-1)", "\"-1\" is not a value"),
            ("claim(\"a\")", "'.' is missing"),
            ("claim(\"a\").is(\"b\")", "no test \"is\""),
            ("claim(\"a\").equals_bool(\"b\")", "not a value"),
            ("any_of[user() machine()]", "',' is missing"),
            ("any_scope([\"a b\"])", "has a space"),
            ("check(\"employee\")", "code of the application"),
            ("organization_in_path(\"org\")", "needs a request"),
            (&deep, "too deep"),
            (&long, "more than 8192 bytes"),
        ] {
            let why = Requirement::parse(text).unwrap_err();
            assert!(why.contains(sentence), "{text}: {why}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_it_was_printed(name in any::<String>(), number in any::<f64>()) {
            let scope = Requirement::scope_named(name);
            let number = Requirement(Kind::Claim {
                name: "n".into(),
                test: ClaimTest::EqualsNumber(number),
            });
            for requirement in [scope, number] {
                let text = requirement.to_string();
                prop_assert_eq!(Requirement::parse(&text).map(|read| read.to_string()), Ok(text));
            }
        }

        #[test]
        fn never_panics(text in r#"([a-z_]{0,9}|[(\[\])",.&!\\]|[0-9-]{1,3}|.){0,40}"#) {
            let _ = Requirement::parse(&text);
        }
    }
}
