//! Tokens made by hand: right ones, and every wrong one we could think of.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, EncodingKey};
use kernel::{Clock, Timestamp};
use rpc::auth::ServiceKey;
use rpc::{Keys, Verifier};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

pub(crate) const NOW: i64 = 1_800_000_000;

/// The issuer of the services' own tokens, whose key is `ec`.
pub(crate) const SERVICES: &str = "services";

/// Makes tokens by hand, right unless told otherwise.
pub(crate) struct Forge {
    pub(crate) key: EncodingKey,
    public: [u8; 32],
    pub(crate) rsa: EncodingKey,
    pub(crate) ec: EncodingKey,
    pub(crate) verifier: Verifier,
    pub(crate) hand: kernel::Hand,
}

fn ed(seed: u8) -> EncodingKey {
    EncodingKey::from_ed_der(SigningKey::from_bytes(&[seed; 32]).to_pkcs8_der().unwrap().as_bytes())
}

impl Forge {
    pub(crate) fn new() -> Self {
        let (clock, hand) = Clock::fake(Timestamp::from_micros(NOW * 1_000_000));
        let public = SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
        let private = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        let secret = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let point = secret.verifying_key().to_encoded_point(false);
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwks = json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": b64(&public)},
            {"kty": "RSA", "kid": "rsa", "use": "sig", "n": b64(&private.n().to_bytes_be()), "e": b64(&private.e().to_bytes_be())},
            {"kty": "EC", "crv": "P-256", "kid": "ec", "x": b64(point.x().unwrap()), "y": b64(point.y().unwrap())},
            {"kty": "RSA", "kid": "encrypts", "use": "enc", "n": "AQAB", "e": "AQAB"},
        ]});
        let keys = Keys::from_jwks(&jwks.to_string()).unwrap();
        let services = ServiceKey { issuer: SERVICES.into(), key_id: "ec".into() };
        let verifier =
            Verifier::telling_services_apart(keys, vec!["us".into()], services, "backchannel", clock);
        let rsa = EncodingKey::from_rsa_der(private.to_pkcs1_der().unwrap().as_bytes());
        let ec = EncodingKey::from_ec_der(secret.to_pkcs8_der().unwrap().as_bytes());
        Self { key: ed(1), public, rsa, ec, verifier, hand }
    }

    /// Signed with the key of this id, by its own algorithm.
    pub(crate) fn by(&self, kid: &str, change: Value) -> String {
        let (alg, key, algorithm) = match kid {
            "rsa" => ("RS256", &self.rsa, Algorithm::RS256),
            "ec" => ("ES256", &self.ec, Algorithm::ES256),
            _ => ("EdDSA", &self.key, Algorithm::EdDSA),
        };
        let header = json!({"alg": alg, "kid": kid}).to_string();
        signed(&header, &merged(claims(), change), key, algorithm)
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        signed(header, claims, &self.key, Algorithm::EdDSA)
    }

    pub(crate) fn with_header(&self, change: Value) -> String {
        self.sign(&merged(header(), change), &claims().to_string())
    }

    pub(crate) fn with_claims(&self, change: Value) -> String {
        self.sign(&header().to_string(), &merged(claims(), change))
    }
}

pub(crate) fn signed(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "JWT", "kid": "ed"})
}

pub(crate) fn claims() -> Value {
    json!({"iss": "us", "aud": "backchannel", "sub": "ana", "org": "acme", "role": "agent", "nbf": NOW, "exp": NOW + 900})
}

/// `{"x": "absent"}` takes a member out, everything else replaces it.
fn merged(mut base: Value, change: Value) -> String {
    for (name, value) in change.as_object().unwrap() {
        if value == "absent" {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base.to_string()
}

/// Every bad token of the table, with what is wrong with it.
pub(crate) fn bad_tokens(forge: &Forge) -> Vec<(String, String)> {
    let mut bad = Vec::new();
    let mut add = |what: String, token: String| bad.push((what, token));

    for claim in ["iss", "aud", "sub", "org", "role", "nbf", "exp"] {
        for odd in [
            json!("absent"),
            json!(null),
            json!([]),
            json!({}),
            json!(true),
            json!(""),
            json!(" "),
            json!("\u{0}"),
        ] {
            add(format!("{claim}={odd}"), forge.with_claims(json!({claim: odd})));
        }
    }
    for exp in [
        json!(NOW - 30),
        json!(NOW - 3_600),
        json!(0),
        json!(-1),
        json!((NOW + 900) * 1_000),
        json!(1e300),
        json!("1900000000"),
    ] {
        add(format!("exp={exp}"), forge.with_claims(json!({"exp": exp})));
    }
    for nbf in [json!(NOW + 31), json!(NOW + 3_600), json!(-5), json!(NOW * 1_000), json!("0")] {
        add(format!("nbf={nbf}"), forge.with_claims(json!({"nbf": nbf})));
    }
    for aud in [
        json!("other"),
        json!("Backchannel"),
        json!("backchannel "),
        json!("backchannel.evil"),
        json!(["other"]),
        json!([["backchannel"]]),
        json!([1]),
    ] {
        add(format!("aud={aud}"), forge.with_claims(json!({"aud": aud})));
    }
    for iss in [json!("them"), json!("US"), json!("us "), json!("us/"), json!(["us"]), json!("https://us")] {
        add(format!("iss={iss}"), forge.with_claims(json!({"iss": iss})));
    }
    for role in ["root", "Admin", "ADMIN", "agent ", "agent,admin", "ROLE_ADMIN", "unspecified", "*"] {
        add(format!("role={role}"), forge.with_claims(json!({"role": role})));
    }
    // Who vouches for people cannot make a service of one, and a service says so with the services' key.
    for (kid, iss, role) in [
        ("ed", "us", "service"),
        ("rsa", "us", "service"),
        ("ec", "us", "service"),
        ("ed", SERVICES, "service"),
        ("rsa", SERVICES, "service"),
        ("ed", SERVICES, "agent"),
        ("rsa", SERVICES, "admin"),
    ] {
        add(format!("role={role} iss={iss} kid={kid}"), forge.by(kid, json!({"iss": iss, "role": role})));
    }
    for org in
        ["Acme", "a b", "../acme", "acme/other", "-acme", "acme'--", "acme;", "*", "äcme", &"a".repeat(64)]
    {
        add(format!("org={org}"), forge.with_claims(json!({"org": org})));
    }
    for sub in ["a b", "a\r\nb", "a\tb", &"a".repeat(129)] {
        add(format!("sub={sub:?}"), forge.with_claims(json!({"sub": sub})));
    }

    let parts = |alg: Value| {
        let header = merged(header(), json!({"alg": alg}));
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims().to_string()))
    };
    for alg in [
        "none", "None", "NONE", "nOnE", "", "eddsa", "EdDSA ", "ES256", "RS256", "PS256", "ES384", "HS256",
        "HS384", "HS512", "RS512", "Ed25519", "dir",
    ] {
        let message = parts(json!(alg));
        let right = jsonwebtoken::crypto::sign(message.as_bytes(), &forge.key, Algorithm::EdDSA).unwrap();
        add(format!("alg={alg} signed"), format!("{message}.{right}"));
        add(format!("alg={alg} unsigned"), format!("{message}."));
        add(format!("alg={alg} without a third part"), message);
    }
    for alg in [json!(null), json!([]), json!("absent"), json!(["EdDSA"]), json!(0)] {
        add(format!("alg={alg}"), forge.with_header(json!({"alg": alg})));
    }
    let b64 = URL_SAFE_NO_PAD.encode(forge.public);
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(forge.public));
    let secrets: [&[u8]; 5] = [&forge.public, b64.as_bytes(), pem.as_bytes(), b"", b"secret"];
    for secret in secrets {
        for (name, algorithm) in
            [("HS256", Algorithm::HS256), ("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)]
        {
            let key = EncodingKey::from_secret(secret);
            let header = merged(header(), json!({"alg": name}));
            add(
                format!("{name} with the public key"),
                signed(&header, &claims().to_string(), &key, algorithm),
            );
        }
    }

    let long = "k".repeat(10_000);
    for kid in [
        "",
        " ",
        "ED",
        "ed ",
        " ed",
        "e",
        "ed\u{0}",
        "ed2",
        "encrypts",
        "../../../../dev/null",
        "/etc/passwd",
        "..\\..\\ed",
        "file:///dev/null",
        "http://evil.example/jwks.json",
        "' OR '1'='1",
        "ed' UNION SELECT 'key'--",
        "ed; DROP TABLE keys",
        "$(id)",
        "`id`",
        "|id",
        "{{7*7}}",
        "${jndi:ldap://evil}",
        "%00",
        "%2e%2e%2f",
        "ｅｄ",
        "ed\r\n",
        "null",
        "undefined",
        "0",
        "*",
        "__proto__",
        &long,
    ] {
        add(
            format!("kid={}", kid.chars().take(40).collect::<String>()),
            forge.with_header(json!({"kid": kid})),
        );
    }
    for kid in
        [json!("absent"), json!(null), json!(1), json!([]), json!(["ed"]), json!({"ed": 1}), json!(true)]
    {
        add(format!("kid={kid}"), forge.with_header(json!({"kid": kid})));
    }
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!("x"), json!(["http://evil"])] {
        add(format!("crit={crit}"), forge.with_header(json!({"crit": crit, "b64": false, "http://evil": 1})));
    }
    for typ in ["logout+jwt", "dpop+jwt", "JWE", "secevent+jwt", ""] {
        add(format!("typ={typ}"), forge.with_header(json!({"typ": typ})));
    }

    // Keys of others: by the known id, and brought along in every way the standard has.
    let own = SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": URL_SAFE_NO_PAD.encode(own)});
    for brought in [
        json!({}),
        json!({"jwk": jwk}),
        json!({"jku": "https://evil/jwks.json"}),
        json!({"x5u": "https://evil/c"}),
        json!({"x5c": ["MIIB"]}),
        json!({"kid": "evil", "jwk": jwk}),
        json!({"kid": "absent", "jwk": jwk}),
        json!({"x5t": "AA"}),
    ] {
        let header = merged(header(), brought.clone());
        add(
            format!("foreign key, {brought}"),
            signed(&header, &claims().to_string(), &ed(9), Algorithm::EdDSA),
        );
    }
    for (kid, alg) in [
        ("ed", "RS256"),
        ("ec", "RS256"),
        ("ed", "ES256"),
        ("rsa", "ES256"),
        ("rsa", "EdDSA"),
        ("ec", "EdDSA"),
        ("rsa", "PS256"),
        ("rsa", "RS384"),
    ] {
        let (key, algorithm) = match alg {
            "RS256" => (&forge.rsa, Algorithm::RS256),
            "RS384" => (&forge.rsa, Algorithm::RS384),
            "PS256" => (&forge.rsa, Algorithm::PS256),
            "ES256" => (&forge.ec, Algorithm::ES256),
            _ => (&forge.key, Algorithm::EdDSA),
        };
        let header = json!({"alg": alg, "kid": kid}).to_string();
        add(format!("{alg} by the key {kid}"), signed(&header, &claims().to_string(), key, algorithm));
    }

    let good = forge.with_claims(json!({}));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = message.split_once('.').unwrap();
    for cut in (0..good.len()).step_by(9) {
        add(format!("cut at {cut}"), good[..cut].to_owned());
    }
    for place in (0..signature.len()).step_by(7) {
        let mut flipped = signature.as_bytes().to_vec();
        flipped[place] = if flipped[place] == b'A' { b'B' } else { b'A' };
        add(
            format!("signature changed at {place}"),
            format!("{message}.{}", String::from_utf8(flipped).unwrap()),
        );
    }
    for change in
        [json!({"role": "admin"}), json!({"sub": "bo"}), json!({"org": "other"}), json!({"exp": NOW + 9_000})]
    {
        let other = URL_SAFE_NO_PAD.encode(merged(claims(), change.clone()));
        add(format!("payload changed to {change}"), format!("{head}.{other}.{signature}"));
    }
    let space = URL_SAFE_NO_PAD.encode(format!("{} ", header()));
    for (what, token) in [
        ("header changed", format!("{space}.{payload}.{signature}")),
        ("a fourth part", format!("{good}.{signature}")),
        ("a fifth part", format!("{good}..")),
        ("empty parts", "..".to_owned()),
        ("no parts", "token".to_owned()),
        ("padding", format!("{good}==")),
        ("a space behind", format!("{good} ")),
        ("a line end behind", format!("{good}\n")),
        ("a space before", format!(" {good}")),
        ("parts swapped", format!("{payload}.{head}.{signature}")),
        ("no signature", format!("{message}.")),
        ("the payload twice", format!("{head}.{payload}.{payload}.{signature}")),
        ("zero signature", format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
        ("short signature", format!("{message}.{}", URL_SAFE_NO_PAD.encode([1; 63]))),
        ("long signature", format!("{message}.{signature}AAAA")),
        ("too long", format!("{message}.{}", "A".repeat(20_000))),
    ] {
        add(what.to_owned(), token);
    }
    for text in [
        "[]",
        "null",
        "\"x\"",
        "{",
        "",
        "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"kid\":\"ed\"}",
        "{\"kid\":\"ed\",\"kid\":\"ed\",\"alg\":\"EdDSA\"}",
    ] {
        add(format!("header {text}"), forge.sign(text, &claims().to_string()));
    }
    let twice = claims().to_string().replacen('{', "{\"role\":\"admin\",", 1);
    for text in ["[]", "null", "{}", "{", "", "\u{feff}{}", &twice, &"[".repeat(2_000)] {
        add(
            format!("claims {}", text.chars().take(30).collect::<String>()),
            forge.sign(&header().to_string(), text),
        );
    }
    bad
}
