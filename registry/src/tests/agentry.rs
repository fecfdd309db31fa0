use super::key;
use crate::{AgentryIndex, AgentryKey, SecretKey, Standing};

const PUBLIC: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const SIGNATURE: &str = "2fe65db22115136ef8039ea180d612f0326a2418b2849ce7db08e17a169afc9d\
                         0e6a38c813c0f8a14f69cb1d65fca0d94db4af5a67a36c664605928f6a38130a";
const URL: &str = "https://example.com/echo-plugin.zip";

fn index(name: &str, url: &str, sha256: &str, signature: Option<&str>) -> AgentryIndex {
    let plugin = serde_json::json!({ "name": name, "url": url, "sha256": sha256, "sig": signature });
    AgentryIndex::parse(serde_json::json!({ "plugins": [plugin] }).to_string().as_bytes()).unwrap()
}

fn zeros() -> String {
    "0".repeat(64)
}

/// The vector that Agentry's index comes with: seed 00 01 02 … 1f.
#[test]
fn the_vector_of_agentry_is_verified() {
    let key: AgentryKey = PUBLIC.parse().unwrap();
    assert_eq!(index("example", URL, &zeros(), Some(SIGNATURE)).plugins[0].standing(&key), Standing::Signed);
    let seed: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
    let made = SecretKey::from_seed(seed).sign(format!("example|{URL}|{}", zeros()).as_bytes());
    assert_eq!(hex::encode(made), SIGNATURE);
}

#[test]
fn a_signature_is_over_name_address_and_digest_and_of_this_key() {
    let good: AgentryKey = PUBLIC.parse().unwrap();
    let standing = |name: &str, url: &str, sha256: &str, signature: Option<&str>, key: &AgentryKey| {
        index(name, url, sha256, signature).plugins[0].standing(key)
    };
    let other = format!("1{}", &zeros()[1..]);
    assert_eq!(standing("example2", URL, &zeros(), Some(SIGNATURE), &good), Standing::Wrong);
    assert_eq!(standing("example", "https://example.com/evil.zip", &zeros(), Some(SIGNATURE), &good), Standing::Wrong);
    assert_eq!(standing("example", URL, &other, Some(SIGNATURE), &good), Standing::Wrong);
    assert_eq!(standing("example", URL, &zeros(), Some(&SIGNATURE[2..]), &good), Standing::Wrong);
    assert_eq!(standing("example", URL, &zeros(), Some("junk"), &good), Standing::Wrong);
    assert_eq!(standing("example", URL, &zeros(), None, &good), Standing::Unsigned);
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key(1).public().to_string());
    let stranger: AgentryKey = hex::encode(bytes.unwrap()).parse().unwrap();
    assert_eq!(standing("example", URL, &zeros(), Some(SIGNATURE), &stranger), Standing::Wrong);
}

#[test]
fn what_is_no_index_is_refused() {
    let row = |name: &str, url: &str, sha256: &str| {
        serde_json::json!({ "plugins": [{ "name": name, "url": url, "sha256": sha256 }] }).to_string()
    };
    let many =
        serde_json::json!({ "plugins": vec![serde_json::json!({ "name": "a", "url": "b", "sha256": zeros() }); 1001] });
    for text in [
        String::new(),
        "[]".into(),
        "{}".into(),
        row("", "u", &zeros()),
        // `a|b` at `c` and `a` at `b|c` would be signed alike.
        row("a|b", "c", &zeros()),
        row("a", "b|c", &zeros()),
        row("a", "b", "00"),
        row("a", &"u".repeat(2049), &zeros()),
        many.to_string(),
        " ".repeat(1024 * 1024 + 1),
    ] {
        assert_eq!(AgentryIndex::parse(text.as_bytes()).unwrap_err().code(), "agentry.index");
    }
    for text in ["", "00", &zeros(), "no hex"] {
        assert_eq!(text.parse::<AgentryKey>().unwrap_err().code(), "agentry.key", "{text}");
    }
}
