//! Tokens of every kind of wrongness, each from a number: valid ones, claims and headers of unexpected types,
//! confused algorithms, and texts that are altered in a few bytes.
use super::{
    keys::{self, Key},
    parties::{AUDIENCE, ISSUER, Parties},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// A generator of numbers (SplitMix64), so that each token depends on its own number only.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.roll() % limit as u64) as usize
    }

    fn one_in(&mut self, often: usize) -> bool {
        self.below(often) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// Values of any type for any member.
const VALUES: [&str; 32] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "-0",
    "1.5",
    "1e400",
    "-1e400",
    "1e30",
    "18446744073709551616",
    "\"\"",
    "\" \"",
    "\"a\"",
    "\"0\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\u{e9}\"",
    "[]",
    "[\"\"]",
    "[\"a\",\"b\"]",
    "[\"a\",1]",
    "[null]",
    "[[]]",
    "[\"https://tenant.test/\"]",
    "[\"https://api.tenant.test\"]",
    "[\"https://api.tenant.test\",\"https://api.tenant.test\"]",
    "\"https:\\/\\/tenant.test\\/\"",
    "{}",
    "{\"a\":1}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":{\"b\":1,\"\\u0062\":2}}",
];

/// Distances from now, in seconds, around both edges of the leeway.
const DISTANCES: [&str; 18] = [
    "-86400", "-6", "-5.6", "-5.4", "-5", "-4.6", "-4", "-1", "0", "0.5", "1", "4.4", "4.6", "5",
    "5.4", "5.6", "6", "86400",
];

/// Returns the token of this number at this time.
pub(super) fn token(parties: &Parties, number: u64, now: u64) -> String {
    let mut dice = Dice::new(number);
    match dice.below(20) {
        0 => parties.keys.sign(Key::EdDsa, &header(Key::EdDsa, vec![]), &payload(now, vec![])),
        1..=5 => {
            let claims = (0..=dice.below(3)).map(|_| claim(&mut dice, now)).collect();
            let payload = altered_json(&mut dice, payload(now, claims));
            parties.keys.sign(Key::EdDsa, &header(Key::EdDsa, vec![]), &payload)
        }
        6..=7 => {
            let key = if dice.one_in(8) { Key::Es256 } else { Key::EdDsa };
            let members = (0..=dice.below(2)).map(|_| member(&mut dice)).collect();
            let header = altered_json(&mut dice, header(key, members));
            parties.keys.sign(key, &header, &payload(now, vec![]))
        }
        8 => confused(parties, &mut dice, now),
        _ => altered(parties, &mut dice),
    }
}

/// Members in order. The name and the value are JSON text.
type Members = Vec<(String, String)>;

fn json(members: &Members) -> String {
    let members: Vec<_> =
        members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Returns good members with these changes: an empty value removes a member, a known name replaces it, and a
/// name that begins with `+` is added even if it is there.
fn changed(mut members: Members, changes: Members) -> String {
    for (name, value) in changes {
        match (name.strip_prefix('+'), members.iter_mut().find(|(known, _)| *known == name)) {
            (Some(name), _) => members.push((name.to_owned(), value)),
            (None, Some((_, known))) => *known = value,
            (None, None) => members.push((name, value)),
        }
    }
    members.retain(|(_, value)| !value.is_empty());
    json(&members)
}

pub(super) fn header(key: Key, changes: Members) -> String {
    let members = [("alg", key.algorithm().as_str()), ("typ", "JWT"), ("kid", key.id())];
    let members = members.map(|(name, value)| (name.to_owned(), format!("\"{value}\"")));
    changed(members.to_vec(), changes)
}

pub(super) fn payload(now: u64, changes: Members) -> String {
    let members = [
        ("iss", format!("\"{ISSUER}\"")),
        ("sub", "\"auth0|ann\"".to_owned()),
        ("aud", format!("\"{AUDIENCE}\"")),
        ("exp", (now + 86_400).to_string()),
        ("scope", "\"a b\"".to_owned()),
    ];
    changed(members.map(|(name, value)| (name.to_owned(), value)).to_vec(), changes)
}

/// Returns the token of an example in the table: a good one, in which these members take the place of those
/// with the same names.
pub(super) fn example(parties: &Parties, part: &str, members: &str, now: u64) -> String {
    let mut text = members.to_owned();
    if let Some((before, after)) = members.split_once("now") {
        text = format!("{before}{}", time(now, after));
    }
    let with = |good: String| {
        let good = good.trim_matches(['{', '}']).split(',');
        let others =
            good.filter(|member| member.split(':').next().is_none_or(|name| !text.contains(name)));
        format!("{{{}}}", others.chain([text.as_str()]).collect::<Vec<_>>().join(","))
    };
    let (header, payload) = (header(Key::EdDsa, vec![]), payload(now, vec![]));
    match part {
        "header" => parties.keys.sign(Key::EdDsa, &with(header), &payload),
        "payload" => parties.keys.sign(Key::EdDsa, &header, &with(payload)),
        other => panic!("{other} is not a part of a token"),
    }
}

/// Returns a change of a claim.
fn claim(dice: &mut Dice, now: u64) -> (String, String) {
    let (name, value) = match dice.below(12) {
        0..=1 => (dice.pick(&["iss", "sub", "aud", "exp"]).into(), String::new()),
        2..=4 => {
            let distance = dice.pick(&DISTANCES);
            (dice.pick(&["exp", "exp", "nbf", "iat", "auth_time"]).into(), time(now, distance))
        }
        5..=7 => {
            let name = dice.pick(&["iss", "sub", "aud", "exp", "nbf", "iat"]);
            (name.into(), dice.pick(&VALUES).into())
        }
        8..=9 => {
            let name = dice.pick(&[
                "jti",
                "client_id",
                "azp",
                "scope",
                "permissions",
                "org_id",
                "org_name",
                "sid",
                "acr",
                "amr",
                "auth_time",
                "cnf",
                "act",
                "https://acme.com/roles",
            ]);
            (name.into(), dice.pick(&VALUES).into())
        }
        10 => {
            let repeated =
                dice.pick(&["+iss", "+sub", "+aud", "+exp", "+s\\u0075b", "+scope", "+roles"]);
            (repeated.to_owned(), dice.pick(&VALUES).into())
        }
        _ => {
            let (name, value) = dice.pick(&[
                ("aud", "[\"https://other.test\",\"https://api.tenant.test\"]"),
                ("aud", "\"https://api.tenant.test/\""),
                ("iss", "\"https://tenant.test\""),
                ("iss", "\"https://evil.test/\""),
                ("nonce", "\"n-0S6_WzA2Mj\""),
                ("at_hash", "\"77QmUPtjPfzWtF2AnpK9RQ\""),
                ("azp", "\"https://api.tenant.test\""),
                ("cnf", "{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}"),
                ("cnf", "{\"jkt\":1}"),
                ("cnf", "{\"x5t#S256\":\"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2\"}"),
                ("cnf", "{\"jwk\":{\"kty\":\"EC\"}}"),
                ("roles", "DEEP"),
            ]);
            let value = match value {
                "DEEP" => {
                    let depth = dice.pick(&[20, 40, 130]);
                    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
                }
                value => value.to_owned(),
            };
            (name.to_owned(), value)
        }
    };
    (name, value)
}

/// Returns a time at this distance from now, as JSON text.
fn time(now: u64, distance: &str) -> String {
    let distance: f64 = distance.parse().unwrap();
    if distance.fract() == 0.0 {
        now.saturating_add_signed(distance as i64).to_string()
    } else {
        (now as f64 + distance).to_string()
    }
}

/// Returns a change of a header's member.
fn member(dice: &mut Dice) -> (String, String) {
    let (name, value) = match dice.below(8) {
        0 => (dice.pick(&["alg", "kid", "typ"]), ""),
        1 => {
            let names = ["\"at+jwt\"", "\"jwt\"", "\"application/at+JWT\"", "\"dpop+jwt\"", "\"JWS\""];
            ("typ", dice.pick(&names))
        }
        2 => {
            let names = ["\"none\"", "\"HS256\"", "\"RS256\"", "\"ES256\"", "\"Ed25519\"", "\"eddsa\"", "\"dir\""];
            ("alg", dice.pick(&names))
        }
        3 => ("kid", dice.pick(&["\"rs\"", "\"es\"", "\"ed\"", "\"unknown\"", "\"\\u0065d\""])),
        4 => (dice.pick(&["alg", "kid", "typ"]), dice.pick(&VALUES)),
        5 => {
            let names = ["cty", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "zip", "enc", "url", "nonce", "made-up"];
            (dice.pick(&names), dice.pick(&VALUES))
        }
        6 => dice.pick(&[
            ("crit", "[\"exp\"]"),
            ("crit", "[]"),
            ("b64", "true"),
            ("b64", "false"),
            ("jku", "\"https://evil.test/keys\""),
            ("jwk", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"),
        ]),
        _ => (dice.pick(&["+alg", "+kid", "+typ", "+made-up", "+k\\u0069d"]), dice.pick(&["\"EdDSA\"", "\"ed\"", "\"JWT\""])),
    };
    (name.to_owned(), value.to_owned())
}

/// Changes the JSON text as a whole, now and then.
fn altered_json(dice: &mut Dice, json: String) -> String {
    match dice.below(40) {
        0 => format!(" \n{json}\t"),
        1 => format!("\u{feff}{json}"),
        2 => format!("{json}{json}"),
        3 => format!("[{json}]"),
        4 => json.replacen(',', ",,", 1),
        5 => json.replacen(':', " :\r\n", 1),
        _ => json,
    }
}

/// Returns a token whose algorithm, key id and signature do not belong together.
fn confused(parties: &Parties, dice: &mut Dice, now: u64) -> String {
    let stated = dice.pick(&Key::ALL);
    let named = dice.pick(&Key::ALL);
    let signing = if dice.one_in(4) { Key::Es256 } else { Key::EdDsa };
    let header = header(stated, vec![("kid".into(), format!("\"{}\"", named.id()))]);
    let payload = payload(now, vec![]);
    match dice.below(4) {
        0 => keys::with_public_key(named, &payload),
        1 => keys::unsigned(named, &payload),
        2 => parties.keys.sign_as_attacker(&header, &payload),
        _ => parties.keys.sign(signing, &header, &payload),
    }
}

/// Returns a good token in which up to three bytes are altered, or whose parts are of several tokens.
fn altered(parties: &Parties, dice: &mut Dice) -> String {
    let good = &parties.good[dice.below(parties.good.len())];
    let mut bytes = good.clone().into_bytes();
    match dice.below(6) {
        0 => {
            let other = &parties.good[dice.below(parties.good.len())];
            let (good, other): (Vec<_>, Vec<_>) =
                (good.split('.').collect(), other.split('.').collect());
            let parts = [0, 1, 2].map(|i| if dice.one_in(2) { good[i] } else { other[i] });
            return parts.join(".");
        }
        1 => bytes.truncate(dice.below(bytes.len())),
        2 => {
            // The last character of a part has bits that do not count.
            let ends = (0..bytes.len()).filter(|i| bytes.get(i + 1).is_none_or(|b| *b == b'.'));
            let ends: Vec<_> = ends.collect();
            let end = dice.pick(&ends);
            bytes[end] =
                dice.pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
        }
        3 => {
            let more = URL_SAFE_NO_PAD.encode([dice.roll() as u8, dice.roll() as u8]);
            bytes.extend_from_slice(dice.pick(&["=", "==", ".", "A", " ", "\n", &more]).as_bytes());
        }
        _ => {
            for _ in 0..=dice.below(3) {
                let position = dice.below(bytes.len());
                match dice.below(3) {
                    0 => bytes[position] = dice.pick(b"A.=_-+/ zZ09"),
                    1 => bytes.insert(position, dice.pick(b"A.=_-+/ ")),
                    _ => drop(bytes.remove(position)),
                }
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}
