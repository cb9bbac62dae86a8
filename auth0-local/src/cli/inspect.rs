//! `auth0-local inspect`.
use crate::{
    error::LocalError,
    file::read_certificate,
    inspect::{
        IssuerName, Kind, MAX_BYTES, Report, Request, Settings, Terminal, Unusable, Verdict, ascii,
        inspect,
    },
};
use auth0_core::{
    Algorithm, Requirement,
    support::{SystemClock, parse_requirement},
};
use clap::Args;
use std::{
    env,
    fmt::Display,
    fs::File,
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// A check fails.
const FAILED: u8 = 1;

/// The input or the options cannot be used.
const UNUSABLE: u8 = 2;

/// Explain a token or a DPoP proof from standard input, and check it as an API would. It is sent nowhere and stored
/// nowhere; keys are fetched from the issuer of --issuer or --domain only
#[derive(Args)]
#[command(
    after_help = "Exit status: 0 if no check fails, 1 if one fails, 2 if the input or the options cannot be used"
)]
pub(super) struct InspectCommand {
    /// The issuer that the API trusts, as `iss` has it. Its keys are fetched, unless --jwks has them
    #[arg(long, value_name = "URL", conflicts_with = "domain")]
    issuer: Option<String>,
    /// The same as the domain of an Auth0 tenant
    #[arg(long)]
    domain: Option<String>,
    /// Read the keys of the issuer from this file (a JSON Web Key Set), and fetch nothing
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// An audience that the API accepts; can be repeated
    #[arg(long, value_name = "IDENTIFIER")]
    audience: Vec<String>,
    /// The application that an ID token or a logout token is for
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A scope that the route requires, or several with spaces between them; can be repeated
    #[arg(long)]
    scope: Vec<String>,
    /// A permission that the route requires; can be repeated
    #[arg(long)]
    permission: Vec<String>,
    /// The organization that the route requires
    #[arg(long, value_name = "org_ID")]
    organization: Option<String>,
    /// A requirement as the log of the API prints it, for example `scope("a")`; can be repeated
    #[arg(long, value_name = "REQUIREMENT", value_parser = parse_requirement)]
    require: Vec<Requirement>,
    /// An algorithm that the API accepts; RS256 and PS256 by default; can be repeated
    #[arg(long, value_parser = algorithm)]
    algorithm: Vec<Algorithm>,
    /// How far clocks may differ; 5 by default
    #[arg(long, value_name = "SECONDS")]
    leeway: Option<u64>,
    /// Accept only access tokens of the profile of RFC 9068
    #[arg(long)]
    rfc9068_only: bool,
    /// A host whose issuer may be reached over http, as `AUTH0_ALLOW_HTTP_HOSTS` has it; can be repeated
    #[arg(long, value_name = "HOST")]
    allow_http_host: Vec<String>,
    /// Check it as this; by default as what it is. An ID token or a logout token is checked as an access token where an
    /// audience or a requirement is named, and no client id
    #[arg(long = "as", value_name = "KIND", value_enum)]
    kind: Option<Kind>,
    /// The method of the request, for a proof
    #[arg(long)]
    method: Option<String>,
    /// The URL of the request, for a proof
    #[arg(long)]
    url: Option<String>,
    /// Read the proof that comes with the token from this file
    #[arg(long, value_name = "FILE", requires = "url")]
    proof: Option<PathBuf>,
    /// Read the access token that comes with the proof from this file
    #[arg(long, value_name = "FILE", conflicts_with = "proof")]
    token: Option<PathBuf>,
    /// The client's certificate to which the token is bound (mTLS), PEM or DER
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// An algorithm that the API accepts for proofs; ES256 by default; can be repeated
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm)]
    proof_algorithm: Vec<Algorithm>,
    /// Print JSON, in ASCII
    #[arg(long)]
    json: bool,
}

impl InspectCommand {
    pub(super) async fn run(self) -> ExitCode {
        let is_json = self.json;
        let inspected = match self.settings() {
            Ok(settings) => match pasted() {
                Ok(pasted) => inspect(&pasted, &settings).await,
                Err(unusable) => Err(unusable),
            },
            Err(error) => Err(Unusable::options(error)),
        };
        let (status, text) = match &inspected {
            Ok(report) => (status(report), shown(report, is_json)),
            Err(unusable) if is_json => (UNUSABLE, format!("{}\n", ascii(&unusable.to_json()))),
            Err(unusable) => {
                eprintln!("error: {}", unusable.message);
                (UNUSABLE, String::new())
            }
        };
        // A reader that has closed the pipe has read enough.
        let _ = io::stdout().write_all(text.as_bytes());
        ExitCode::from(status)
    }

    fn settings(self) -> Result<Settings, LocalError> {
        let text = |file: &PathBuf| read_text(file);
        let request = Request {
            proof: self.proof.as_ref().map(text).transpose()?.map(|proof| proof.trim().to_owned()),
            token: self.token.as_ref().map(text).transpose()?,
            certificate: self.certificate.map(|file| read_certificate(&file)).transpose()?,
            method: self.method,
            url: self.url,
        };
        let scopes = self.scope.into_iter().map(Requirement::scope_named);
        let permissions = self.permission.into_iter().map(Requirement::permission_named);
        let organizations = self.organization.into_iter().map(Requirement::organization_with_id);
        let requirements = scopes.chain(permissions).chain(organizations).chain(self.require);
        let issuer = self.issuer.map(IssuerName::Url);
        Ok(Settings {
            issuer: issuer.or_else(|| self.domain.map(IssuerName::Domain)),
            key_set: self.jwks.as_ref().map(text).transpose()?,
            audiences: self.audience,
            client_id: self.client_id,
            requirements: requirements.collect(),
            algorithms: self.algorithm,
            proof_algorithms: self.proof_algorithm,
            leeway: self.leeway.map(Duration::from_secs),
            rfc9068_only: self.rfc9068_only,
            http_hosts: self.allow_http_host,
            kind: self.kind,
            request,
            ..Settings::new(SystemClock::new())
        })
    }
}

fn status(report: &Report) -> u8 {
    match report.verdict() {
        Verdict::Refused => FAILED,
        Verdict::Accepted | Verdict::Incomplete => 0,
    }
}

fn shown(report: &Report, is_json: bool) -> String {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_colors = io::stdout().is_terminal()
        && !is_set("NO_COLOR")
        && env::var_os("TERM").is_none_or(|term| term != "dumb");
    match is_json {
        true => format!("{}\n", ascii(&report.to_json())),
        false => Terminal { report, has_colors }.to_string(),
    }
}

/// Reads standard input, up to one byte more than is accepted.
fn pasted() -> Result<Vec<u8>, Unusable> {
    let mut input = io::stdin();
    if input.is_terminal() {
        eprintln!("Paste a token or a DPoP proof, and end with Ctrl-D:");
    }
    read(&mut input).map_err(|why| Unusable::options(format!("the input cannot be read: {why}")))
}

fn read_text(path: &Path) -> Result<String, LocalError> {
    let failed = |why: &dyn Display| {
        LocalError::new(format!(
            "{} cannot be read: {why}. Name a text file that you may read",
            path.display()
        ))
    };
    let bytes =
        File::open(path).and_then(|mut file| read(&mut file)).map_err(|why| failed(&why))?;
    if bytes.len() > MAX_BYTES {
        return Err(failed(&format!("it is longer than {} KiB", MAX_BYTES / 1024)));
    }
    String::from_utf8(bytes).map_err(|_| failed(&"it is not text"))
}

fn read(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    let names = Algorithm::ALL.map(Algorithm::as_str).join(", ");
    text.parse().map_err(|_| format!("this is not a signature algorithm. Write one of {names}"))
}
