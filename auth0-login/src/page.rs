//! Pages for a person whose login did not succeed.
use crate::{reply::Reply, request::Request};
use std::{fmt::Write as _, time::Duration};

/// What a person, or a script, reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    pub(crate) retry_after: Option<Duration>,
}

impl Notice {
    pub(crate) const fn new(
        status: u16,
        code: &'static str,
        title: &'static str,
        text: &'static str,
    ) -> Self {
        let error = match status {
            401 => "login_required",
            403 => "access_denied",
            500.. => "temporarily_unavailable",
            _ => "invalid_request",
        };
        Self { status, error, code, title, text, retry_after: None }
    }

    pub(crate) const fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// Returns the answer for a request: a page for a browser that shows one, otherwise JSON. The page links to the start page
    /// or to the login.
    pub(crate) fn reply(&self, request: &Request, start: &str, login: &str) -> Reply {
        // A script, and a form that lost its session, read JSON.
        let reply = match request.shows_pages() && (self.status != 401 || request.is_navigation()) {
            true => Reply::html(self.status, self.html(start, login)),
            false => Reply::json(self.status, self.error, self.code, self.text),
        };
        match self.retry_after {
            Some(time) => reply.retry_after(time),
            None => reply,
        }
    }

    fn html(&self, start: &str, login: &str) -> String {
        let Self { title, text, .. } = self;
        let (path, label) = match self.status {
            400 | 401 => (login, "Log in again"),
            _ => (start, "Start page"),
        };
        let link = escaped(path);
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
             <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;\
             color:#222;background:#fff}}h1{{font-size:1.5rem}}a{{color:#1a56c4}}\
             @media(prefers-color-scheme:dark){{body{{color:#eee;background:#181818}}a{{color:#8ab4f8}}}}</style>\
             <h1>{title}</h1><p>{text}</p><p><a href=\"{link}\">{label}</a></p></html>\n"
        )
    }
}

/// Returns a text that HTML shows as it is.
pub(crate) fn escaped(text: &str) -> String {
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
