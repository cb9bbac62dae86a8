use crate::error::LocalError;

/// Loads the variables of a file `.env` in the current directory or one of its parents, for an
/// example that is configured this way. A variable that is already set keeps its value. Without
/// such a file, this does nothing.
///
/// # Errors
/// The file cannot be read. The error does not quote the file, because it may contain secrets.
pub fn load_env_file() -> Result<(), LocalError> {
    match dotenvy::dotenv() {
        Ok(_) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(dotenvy::Error::LineParse(..)) => Err(LocalError::new(
            "a line of the file .env is not of the form NAME=value. Put quotes around a value with \
             spaces, and # before a comment",
        )),
        Err(error) => Err(LocalError::new(format!("the file .env cannot be read: {error}"))),
    }
}
