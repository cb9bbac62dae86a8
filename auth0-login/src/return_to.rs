//! Where the browser goes after a login: a path of this application, and nothing else.
use url::{Position, Url};

/// Longer ones are dropped: they are kept in a cookie.
pub(crate) const MAX_BYTES: usize = 2048;

/// Returns the path, query and fragment of a URL of this application, or the start page for anything else.
pub(crate) fn return_to(text: &str, base: &Url) -> String {
    checked(text, base).unwrap_or_else(|| base.path().to_owned())
}

fn checked(text: &str, base: &Url) -> Option<String> {
    // Browsers remove tabs and line breaks, and take a backslash for a slash.
    let is_plain = |c: char| !c.is_control() && c != '\\';
    if text.len() > MAX_BYTES || !text.chars().all(is_plain) || text.starts_with("//") {
        return None;
    }
    let is_path = text.starts_with('/');
    let is_absolute = || {
        let is_web = |scheme: &str| {
            text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        is_web("https://") || is_web("http://")
    };
    if !is_path && !is_absolute() {
        return None;
    }
    let resolved = base.join(text).ok()?;
    let is_ours = resolved.origin() == base.origin()
        && resolved.username().is_empty()
        && resolved.password().is_none();
    let path = &resolved[Position::BeforePath..];
    // Dots may have left a path that a browser takes for a host.
    (is_ours && path.len() <= MAX_BYTES && !path.starts_with("//")).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    fn base() -> Url {
        Url::parse("https://app.example/").unwrap()
    }

    #[test]
    fn only_paths_of_this_application() {
        for (text, expected) in [
            ("/", "/"),
            ("/a?b=c%23d", "/a?b=c%23d"),
            ("/a#b", "/a#b"),
            ("/käse", "/k%C3%A4se"),
            ("/a//b", "/a//b"),
            ("https://app.example/a?b", "/a?b"),
            ("https://app.example:443/a", "/a"),
            ("//evil", "/"),
            ("/\\evil", "/"),
            ("\\\\evil", "/"),
            ("/\t/evil", "/"),
            ("/%09/evil", "/%09/evil"),
            ("https://evil", "/"),
            ("https:evil", "/"),
            ("http:evil", "/"),
            ("javascript:alert(1)", "/"),
            ("/..//evil", "/"),
            ("/.//evil", "/"),
            ("/a/..//evil", "/"),
            ("https://app.example//evil", "/"),
            ("https://app.example@evil/", "/"),
            ("https://user@app.example/", "/"),
            ("http://app.example/a", "/"),
            ("https://app.example.evil/", "/"),
            ("", "/"),
            ("a", "/"),
            (" /a", "/"),
            ("/\u{85}/evil", "/"),
        ] {
            assert_eq!(return_to(text, &base()), expected, "{text:?}");
        }
        assert_eq!(return_to(&format!("/{}", "a".repeat(3000)), &base()), "/");
        let below = Url::parse("https://app.example/shop/").unwrap();
        assert_eq!(return_to("//evil", &below), "/shop/");
    }

    proptest! {
        /// Whatever a link says, the browser stays.
        #[test]
        fn it_never_leaves_the_origin(text in "[/\\\\:@.?#%a-z0-9\t\n\r \u{0}-\u{20}äü]{0,24}") {
            let path = return_to(&text, &base());
            prop_assert!(path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\"));
            let target = base().join(&path).unwrap();
            prop_assert_eq!(target.origin(), base().origin());
        }
    }
    /// Node's parser is that of browsers (WHATWG), and shares nothing with ours.
    #[test]
    fn another_parser_stays_at_the_origin() {
        const SCRIPT: &str = "const base = 'https://app.example/shop/';\
            for (const path of JSON.parse(require('fs').readFileSync(0, 'utf8')))\
                if (new URL(path, base).origin !== new URL(base).origin) console.log(JSON.stringify(path))";
        const PARTS: [&str; 24] = [
            "/",
            "/",
            "\\",
            ":",
            "@",
            ".",
            "..",
            "?",
            "#",
            "%2f",
            "%5c",
            "%09",
            "\t",
            "\n",
            "\r",
            " ",
            "\u{1}",
            "https:",
            "http:",
            "javascript:",
            "evil.example",
            "app.example",
            "ä",
            "\u{ff0f}",
        ];
        let base = Url::parse("https://app.example/shop/").unwrap();
        let mut number = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |limit: usize| {
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
            usize::try_from(number % limit as u64).unwrap()
        };
        let texts: Vec<String> = (0..50_000)
            .map(|_| (0..=next(8)).map(|_| PARTS[next(PARTS.len())]).collect())
            .collect();
        let paths: Vec<String> = texts.iter().map(|text| return_to(text, &base)).collect();
        assert!(
            paths.iter().filter(|path| *path != base.path()).count() > 1000,
            "too few are paths"
        );
        let node = Command::new("node")
            .args(["-e", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut node) = node else {
            eprintln!("skipped: node is not installed");
            return;
        };
        node.stdin.take().unwrap().write_all(&serde_json::to_vec(&paths).unwrap()).unwrap();
        let output = node.wait_with_output().unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "these leave the origin");
    }
}
