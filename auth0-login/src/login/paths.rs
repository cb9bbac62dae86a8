//! The paths of the routes.
use auth0_core::ConfigError;

/// Where the routes of a login are, below the URL of the application.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) login: String,
    pub(crate) callback: String,
    pub(crate) logout: String,
    pub(crate) backchannel_logout: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            login: "/auth/login".into(),
            callback: "/auth/callback".into(),
            logout: "/auth/logout".into(),
            backchannel_logout: "/auth/backchannel-logout".into(),
        }
    }
}

impl Paths {
    pub(crate) fn all(&self) -> [&str; 4] {
        [&self.login, &self.callback, &self.logout, &self.backchannel_logout]
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let all = self.all();
        for (at, path) in all.iter().enumerate() {
            // What routers take for a pattern is no path, either.
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
            let is_path = path.len() > 1 && path.starts_with('/') && !path.ends_with('/');
            if !is_path || !path.chars().all(is_plain) || path.contains("//") {
                return Err(ConfigError::new(format!(
                    "{path:?} is not the path of a route. Write one such as \"/auth/login\": letters, digits, \"-\", \".\", \
                     \"_\", \"~\" and \"/\""
                )));
            }
            if all.iter().skip(at + 1).any(|other| other == path) {
                return Err(ConfigError::new(format!(
                    "two routes of the login have the path {path:?}. Give each a path of its own"
                )));
            }
        }
        Ok(())
    }
}
