//! An access token, as the verifier of an API checks it.
use super::{
    check::{Check, Refused, Response, Row, Scheme},
    copy::{Right, Signer},
    decoded::Decoded,
    found::{Found, Search, Subject, search},
    given::Given,
    pasted::Unusable,
    rules::{self, ACCESS_TOKEN},
    settings::{Request, Settings},
};
use auth0_core::{
    Requirement, VerifiedToken,
    adapter::{Connection, HeaderLines, RequestParts},
    policy::authenticated,
    support,
};
use serde_json::Map;
use url::Url;

struct AccessToken<'a> {
    given: Given,
    /// The scheme with which it was pasted.
    scheme: Option<Scheme>,
    settings: &'a Settings,
    target: Target,
}

/// The target of the request, as a server sees it.
struct Target {
    scheme: String,
    authority: String,
    path: String,
}

pub(super) async fn check(
    decoded: &Decoded<'_>,
    scheme: Option<Scheme>,
    settings: &Settings,
) -> Result<Found, Unusable> {
    let given = Given::new(decoded, &settings.audiences, settings)?;
    let target = Target::of(settings.request.url.as_deref())?;
    let subject = AccessToken { given, scheme, settings, target };
    let Search { table, mut refused_by, mut response, token, is_signature_good } =
        search(&subject, decoded).await;
    let mut checks = table.into_checks();
    for requirement in &settings.requirements {
        let check = match &token {
            Some(token) => subject.required(token, requirement),
            None => Check::not_checked(Row::Requirement, "a check before it fails"),
        };
        checks.push(check.of_requirement(requirement));
    }
    if let (Some(token), None) = (&token, &response) {
        let all = settings.requirements.iter().cloned().fold(authenticated(), Requirement::and);
        let refused = subject.given.copies.authorize(token, &all).err();
        refused_by = refused.as_ref().map(|_| Row::Requirement);
        response = refused.map(|error| Response::of(&error));
    }
    Ok(Found {
        checks,
        refused_by,
        response,
        is_verified: is_signature_good && subject.given.has_keys,
    })
}

impl AccessToken<'_> {
    fn required(&self, token: &VerifiedToken, requirement: &Requirement) -> Check {
        let Err(error) = self.given.copies.authorize(token, requirement) else {
            return Check::passed(Row::Requirement, "the token meets it".to_owned());
        };
        let refused = Refused::of(&error, Row::Requirement, &[]);
        Check { hint: support::hint_of(requirement, token), ..Check::failed(&refused) }
    }

    /// Returns whether it is known how the token is sent.
    fn is_sent(&self) -> bool {
        let Request { proof, certificate, .. } = &self.settings.request;
        self.scheme == Some(Scheme::Bearer) || proof.is_some() || certificate.is_some()
    }
}

impl Subject for AccessToken<'_> {
    const ROWS: &'static [Row] = &ACCESS_TOKEN;

    async fn verify(
        &self,
        text: &str,
        is_original: bool,
    ) -> Result<Option<VerifiedToken>, Refused> {
        let Request { method, proof, certificate, .. } = &self.settings.request;
        let proof = proof.as_deref().filter(|_| is_original);
        let scheme = match (proof, self.scheme) {
            (Some(_), None) => Scheme::Dpop,
            (None, Some(Scheme::Dpop)) if certificate.is_none() => Scheme::Bearer,
            (_, scheme) => scheme.unwrap_or(Scheme::Bearer),
        };
        let authorization = format!("{} {text}", scheme.name());
        let header = |name: &str| match (name, proof) {
            ("authorization", _) => HeaderLines::One(authorization.as_bytes()),
            ("dpop", Some(proof)) => HeaderLines::One(proof.as_bytes()),
            _ => HeaderLines::Absent,
        };
        let connection = match certificate {
            Some(der) => Connection::new().client_certificate(der),
            None => Connection::new(),
        };
        let method = method.as_deref().unwrap_or("GET");
        let request = RequestParts::new(method, &self.target.path, &header)
            .scheme(Some(&self.target.scheme))
            .authority(Some(&self.target.authority))
            .connection(connection);
        let verdict = self.given.verifier(is_original).authenticate(&request.view()).await;
        verdict.map(Some).map_err(|error| {
            let (row, proves) = rules::of_access_token(&error);
            Refused::of(&error, row, proves)
        })
    }

    fn excuse(&self, refused: &Refused, is_original: bool) -> Option<String> {
        match refused.row {
            Row::Key | Row::Signature if !self.given.has_keys => {
                self.not_given(refused.row).map(str::to_owned)
            }
            Row::Issuer if self.given.expects_no_issuer && refused.seen.starts_with("iss is") => {
                self.not_given(Row::Issuer).map(str::to_owned)
            }
            Row::Audience if self.given.expects_no_audience && refused.seen.starts_with("aud is \"") => {
                self.not_given(Row::Audience).map(str::to_owned)
            }
            Row::Binding if !is_original && self.is_sent() => {
                Some("a check before it fails".to_owned())
            }
            Row::Binding if !self.is_sent() => Some(
                "the token is bound, and an API needs a proof or a certificate with it: pass --proof and --url, or \
                 --certificate"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    fn not_given(&self, row: Row) -> Option<&'static str> {
        match row {
            Row::Issuer if !self.given.has_issuer => {
                Some("no issuer was named: pass --issuer or --domain")
            }
            Row::Key | Row::Signature if !self.given.has_keys => {
                Some("without an issuer there are no keys: pass --issuer or --domain, or --jwks")
            }
            Row::Audience if !self.given.has_audience => {
                Some("no audience was named: pass --audience")
            }
            _ => None,
        }
    }

    fn right(&self) -> Right<'_> {
        Right {
            issuer: &self.given.issuer,
            audience: &self.given.audience,
            is_for_a_client: false,
            typ: "at+jwt",
            kind_claims: Map::new(),
            now: self.settings.now(),
        }
    }

    fn signer(&self) -> &Signer {
        &self.given.signer
    }
}

impl Target {
    fn of(url: Option<&str>) -> Result<Self, Unusable> {
        let url = url.unwrap_or("https://no-request.invalid/");
        let is_http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let parsed = Url::parse(url).ok().filter(is_http);
        let parts = url.split_once("://").zip(parsed);
        let ((_, rest), parsed) = parts.ok_or_else(|| {
            Unusable::options("the URL of the request is not one. Write the whole URL, for example https://api.acme.com/me")
        })?;
        // As it was written: a server sees it so, too.
        let rest = rest.split(['?', '#']).next().unwrap_or(rest);
        let (authority, path) = match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
            Some((authority, path)) => (authority, path),
            None => (rest, "/"),
        };
        Ok(Self {
            scheme: parsed.scheme().to_owned(),
            authority: authority.to_owned(),
            path: path.to_owned(),
        })
    }
}
