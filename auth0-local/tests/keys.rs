//! The file of the signing key.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
use auth0_core::Algorithm;
use auth0_local::{LocalError, LocalTenant};
use auth0_testing::SigningKey;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
};

/// A directory of one test, removed at its end.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let path = env::temp_dir().join(format!("auth0-local-{test}-{}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn key_id(file: &Path) -> Result<String, LocalError> {
    let tenant = LocalTenant::builder().keys(file).start().await?;
    Ok(tenant.tenant().signing_key().id().to_owned())
}

#[tokio::test]
async fn the_key_is_kept_across_a_restart() {
    let directory = Directory::new("restart");
    let file = directory.file("keys.pem");
    let first = key_id(&file).await.unwrap();
    let written = fs::read_to_string(&file).unwrap();
    assert!(
        written.starts_with("-----BEGIN PRIVATE KEY-----\n"),
        "the file begins with its PEM label"
    );
    assert!(written.lines().all(|line| line.len() <= 64));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(key_id(&file).await.unwrap(), first);
    assert_eq!(fs::read_to_string(&file).unwrap(), written, "the file is not written to again");
}

#[tokio::test]
async fn der_and_crlf_are_read() {
    let directory = Directory::new("formats");
    let pem = directory.file("keys.pem");
    let id = key_id(&pem).await.unwrap();
    let crlf = directory.file("crlf.pem");
    let text = fs::read_to_string(&pem).unwrap().replace('\n', "\r\n");
    fs::write(&crlf, format!("a comment\r\n{text}")).unwrap();
    assert_eq!(key_id(&crlf).await.unwrap(), id);

    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    let der = directory.file("keys.der");
    fs::write(&der, key.to_pkcs8().unwrap()).unwrap();
    assert_eq!(key_id(&der).await.unwrap(), key.id());
}

#[tokio::test]
async fn a_file_without_a_key_is_not_changed() {
    let directory = Directory::new("refused");
    let elliptic = SigningKey::generate(Algorithm::ES256).unwrap().to_pkcs8().unwrap();
    for (name, content) in [
        ("empty", Vec::new()),
        ("text", b"dear diary".to_vec()),
        ("cut-off", b"-----BEGIN PRIVATE KEY-----\nMIIE".to_vec()),
        ("garbage", b"-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n".to_vec()),
        ("elliptic", elliptic),
        ("bytes", vec![0xff; 100_000]),
    ] {
        let file = directory.file(name);
        fs::write(&file, &content).unwrap();
        let error = key_id(&file).await.unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("contains no usable key"), "{error}");
        assert!(error.contains("Name a file that does not exist yet"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), content, "{name}");
    }
    let error = key_id(&directory.file("no/such/keys.pem")).await.unwrap_err().to_string();
    assert!(error.contains("cannot be created"), "{error}");
    let error = key_id(&directory.0).await.unwrap_err().to_string();
    assert!(error.contains("cannot be read"), "{error}");
}
