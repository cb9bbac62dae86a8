use crate::error::LocalError;

/// Takes variables out of a file `.env`, in this folder or one above it, for an example that is
/// configured like that. A variable that is set already stays as it is. Without such a file, nothing
/// happens.
///
/// # Errors
/// The file cannot be read. The sentence does not quote it: there may be secrets in it.
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
