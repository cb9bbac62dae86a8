//! Finds the paths of a source file that begin at the root of its crate.

/// A source file, as far as the order of rooms is concerned.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// The number of lines, without the block of tests.
    pub(crate) lines: usize,
    /// The first name of every path from the crate's root: `a` of `crate::a::B`.
    pub(crate) names: Vec<Token<'a>>,
}

/// A word, `::`, or another single character of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) line: usize,
    pub(crate) text: &'a str,
}

impl<'a> Source<'a> {
    /// Reads a file whose module lies `depth` modules below the crate's root.
    pub(crate) fn read(text: &'a str, depth: usize) -> Self {
        let mut tokens = tokens(text);
        let lines = text.lines().count() - remove_tests(&mut tokens);
        Self { lines, names: names(&tokens, depth) }
    }
}

/// Removes each `#[cfg(test)] mod … { … }`. Returns the number of its lines.
fn remove_tests(tokens: &mut Vec<Token<'_>>) -> usize {
    const START: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let is_start = |tokens: &[Token<'_>]| {
        tokens[9].text == "{" && tokens.iter().zip(START).all(|(token, text)| token.text == text)
    };
    let mut lines = 0;
    while let Some(start) = tokens.windows(10).position(is_start) {
        let mut depth = 0;
        let mut block = tokens[start + 9..].iter();
        let length = block.position(|token| {
            depth += i32::from(token.text == "{") - i32::from(token.text == "}");
            depth == 0
        });
        let end = start + 9 + length.expect("braces are balanced");
        lines += tokens[end].line - tokens[start].line + 1;
        tokens.drain(start..=end);
    }
    lines
}

fn names<'a>(tokens: &[Token<'a>], depth: usize) -> Vec<Token<'a>> {
    let mut names = Vec::new();
    // For each open brace, whether it is that of a module.
    let mut blocks = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map_or("", |index| tokens[index].text);
        match token.text {
            "{" => blocks.push(index >= 2 && tokens[index - 2].text == "mod"),
            "}" => drop(blocks.pop()),
            _ if before == "::" || before == "$" => {}
            _ => {
                let depth = depth + blocks.iter().filter(|is_module| **is_module).count();
                collect(below_root(&tokens[index..], depth).unwrap_or_default(), &mut names);
            }
        }
    }
    names
}

/// Returns the rest of a path that begins with `crate::`, or with enough `super::` to reach the root.
fn below_root<'a, 'b>(path: &'b [Token<'a>], mut depth: usize) -> Option<&'b [Token<'a>]> {
    let mut rest = path;
    while let [start, colons, tail @ ..] = rest {
        depth = match (start.text, colons.text) {
            ("crate", "::") => 0,
            ("super", "::") => depth.saturating_sub(1),
            ("self", "::") => depth,
            _ => break,
        };
        rest = tail;
    }
    (depth == 0 && rest.len() < path.len()).then_some(rest)
}

/// Collects the first names of a use tree: `a` and `c` of `{a::b, {c}}`.
fn collect<'a>(tree: &[Token<'a>], names: &mut Vec<Token<'a>>) {
    let Some((first, rest)) = tree.split_first() else { return };
    if first.text != "{" {
        return names.push(*first);
    }
    let mut depth = 0;
    let mut is_first = true;
    for (index, token) in rest.iter().enumerate() {
        match token.text {
            "}" if depth == 0 => return,
            "," if depth == 0 => is_first = true,
            text => {
                if std::mem::take(&mut is_first) {
                    collect(&rest[index..], names);
                }
                depth += i32::from(text == "{") - i32::from(text == "}");
            }
        }
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let no_code = no_code(rest);
        let (text, tail) = rest.split_at(no_code.unwrap_or_else(|| token(rest)));
        if no_code.is_none() && !text.trim().is_empty() {
            tokens.push(Token { line, text });
        }
        line += text.matches('\n').count();
        rest = tail;
    }
    tokens
}

/// The length of the comment, string or character at the beginning. Comments do not nest.
fn no_code(text: &str) -> Option<usize> {
    let (prefix, body) = text.split_at(text.find(|c| !"bcr#".contains(c))?);
    let raw_end = format!("\"{}", prefix.trim_start_matches(['b', 'c', 'r']));
    let length = match body.as_bytes() {
        [b'/', b'/', ..] if prefix.is_empty() => body.find('\n').unwrap_or(body.len()),
        [b'/', b'*', ..] if prefix.is_empty() => body.find("*/")? + "*/".len(),
        [b'"', ..] if prefix.contains('r') => 1 + body[1..].find(&raw_end)? + raw_end.len(),
        // Another `'` begins a lifetime.
        [b'"', ..] | [b'\'', b'\\', ..] | [b'\'', _, b'\'', ..] => 1 + closing_quote(body)? + 1,
        _ => return None,
    };
    Some(prefix.len() + length)
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text[1..].find(|c| {
        let ends = text.starts_with(c) && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })
}

/// The length of the token at the beginning.
fn token(text: &str) -> usize {
    let word = text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len());
    let other =
        if text.starts_with("::") { 2 } else { text.chars().next().map_or(0, char::len_utf8) };
    word.max(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that a file two modules below the root gives, with their lines.
    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str)]) {
        let names = Source::read(text, 2).names;
        let names: Vec<_> = names.iter().map(|name| (name.line, name.text)).collect();
        assert_eq!(names, expected, "{text}");
    }

    #[test]
    fn imports_are_found() {
        check("use crate::a;", &[(1, "a")]);
        check("use crate::a::{b, c::D};", &[(1, "a")]);
        check("use crate::{a::b, c};", &[(1, "a"), (1, "c")]);
        check("use crate::*;", &[(1, "*")]);
        check(
            "use crate::{\n    a::{self, b::{C, D}},\n    e,\n    f::*,\n};\n",
            &[(2, "a"), (3, "e"), (4, "f")],
        );
        check("use crate::{{a, b::c}, d};", &[(1, "a"), (1, "b"), (1, "d")]);
        check("use {crate::a, std::fmt, crate::b::C as D};", &[(1, "a"), (1, "b")]);
        check("pub(crate) use crate::a::B;\n\npub use crate::c;", &[(1, "a"), (3, "c")]);
    }

    #[test]
    fn inline_paths_are_found() {
        check("fn f(_: &crate::a::B) -> Vec<crate::c::D> {}", &[(1, "a"), (1, "c")]);
        check(
            "let x = !crate::a::F + crate::b::g::<crate::c::D>();",
            &[(1, "a"), (1, "b"), (1, "c")],
        );
        check("#[derive(crate::a::B)]\nimpl crate::c::D for E {}", &[(1, "a"), (2, "c")]);
        check("panic!(\"{}\", crate::a::B);", &[(1, "a")]);
        check("let c = '\"'; crate::a::b(); let d = '\"';", &[(1, "a")]);
        check("fn f<'a>(_: crate::a::B<'a, 'static>) {}", &[(1, "a")]);
    }

    #[test]
    fn super_counts_where_it_reaches_the_root() {
        check("use super::a;", &[]);
        check("use super::super::a;", &[(1, "a")]);
        check("use super::super::{a::b, c};", &[(1, "a"), (1, "c")]);
        check("use self::super::super::a;", &[(1, "a")]);
        check("use self::a;", &[]);
        check("fn f() -> super::super::a::B { super::c() }", &[(1, "a")]);
        check("pub(super) fn f() {}", &[]);
        // A module in the file is one more.
        check("mod m {\n    use super::super::a;\n}\nuse super::super::b;", &[(4, "b")]);
        check("mod m { fn f() { super::super::super::a() } }", &[(1, "a")]);
        assert_eq!(Source::read("use super::a;", 1).names.len(), 1);
    }

    #[test]
    fn what_is_no_code_is_skipped() {
        check("//! crate::a\n/// [`B`](crate::a::B)\n// crate::a\n", &[]);
        check("/* crate::a */ use crate::b; /* crate::c */", &[(1, "b")]);
        check("/// a\n/* \u{e4}\n*/ crate::a::b();", &[(3, "a")]);
        check(
            r#"f("crate::a", "\"crate::b", b"crate::c", c"crate::d"); crate::e::f();"#,
            &[(1, "e")],
        );
        check(
            "f(r\"crate::a\\\", r#\"\"crate::b\"\"#, br##\"\"#crate::c\"##); crate::d::e();",
            &[(1, "d")],
        );
        check("\"a\n\\\\\"; crate::b::c();", &[(2, "b")]);
        check("let r = r#type::crate_name; x.crate_count()", &[]);
    }

    #[test]
    fn macros_name_their_own_crate() {
        check("macro_rules! m { () => { $crate::Policy } }", &[]);
        check("macro_rules! m { () => { crate::a::B } }", &[(1, "a")]);
    }

    #[test]
    fn test_modules_are_skipped_and_not_counted() {
        let text =
            "use crate::a;\n\n#[cfg(test)]\nmod tests {\n    use crate::b;\n    fn f() {}\n}\n";
        check(text, &[(1, "a")]);
        assert_eq!(Source::read(text, 1).lines, 2);
        check(&format!("{text}use crate::c;\n"), &[(1, "a"), (8, "c")]);
        check("#[cfg(test)]\nfn f() { crate::a::b() }", &[(2, "a")]);
        check("#[cfg(feature = \"a\")]\nmod tests { use crate::a; }", &[(2, "a")]);
    }
}
