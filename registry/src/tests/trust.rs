use super::{HOUR, NOW, key, trust};
use crate::dsse::Envelope;
use crate::{Role, TrustRoots, trust_entry};

fn entry() -> String {
    trust_entry("alice", &key(1).public(), &[Role::Publisher, Role::Admin], Some(NOW + HOUR))
}

#[test]
fn a_written_entry_is_read_back() {
    let roots = TrustRoots::parse(&entry()).unwrap();
    let [alice] = roots.keys() else { panic!("{roots:?}") };
    assert_eq!((alice.id.clone(), alice.name.as_str()), (key(1).public().id(), "alice"));
    assert_eq!(alice.roles, [Role::Publisher, Role::Admin]);
    assert_eq!((alice.expires, alice.revoked), (Some(NOW + HOUR), false));
}

#[test]
fn a_name_cannot_break_out_of_its_line() {
    let name = "a\"\nrevoked = true\n[[key]]\n";
    let roots = TrustRoots::parse(&trust_entry(name, &key(1).public(), &[Role::Admin], None)).unwrap();
    assert_eq!((roots.keys().len(), roots.keys()[0].name.as_str()), (1, name));
}

#[test]
fn an_empty_file_trusts_nobody() {
    assert!(TrustRoots::parse("").unwrap().keys().is_empty());
}

#[test]
fn a_wrong_file_is_refused_with_the_line() {
    let other = key(2).public().id().to_string();
    let id = key(1).public().id().to_string();
    for (from, to, line) in [
        (id.as_str(), other.as_str(), 2),
        (id.as_str(), "xyz", 2),
        ("public = \"", "public = \"AAAA", 4),
        ("\"publisher\", \"admin\"", "", 5),
        ("\"admin\"", "\"root\"", 5),
        ("01:00:00Z", "01:00:00", 6),
        ("expires", "expiry", 6),
    ] {
        assert!(entry().contains(from));
        let error = TrustRoots::parse(&entry().replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.line, line, "{from} -> {to}: {error}");
    }
    let error = TrustRoots::parse(&(entry() + &entry())).unwrap_err();
    assert_eq!((error.line, error.message.contains("twice")), (8, true), "{error}");
}

#[test]
fn each_signer_is_named_once() {
    let envelope = Envelope::sign("t", b"payload", &key(1));
    let mut json: serde_json::Value = serde_json::from_slice(&envelope.to_json()).unwrap();
    let first = json["signatures"][0].clone();
    let second: serde_json::Value =
        serde_json::from_slice(&Envelope::sign("t", b"payload", &key(2)).to_json()).unwrap();
    json["signatures"] = serde_json::json!([first, first, second["signatures"][0]]);
    let envelope = Envelope::from_json(&serde_json::to_vec(&json).unwrap()).unwrap();

    let one = trust(&key(1), &[Role::Admin]).verify(&envelope, Role::Admin, NOW).unwrap();
    assert_eq!(one.signers.len(), 1);
    let both = [1, 2].map(|n| trust_entry("x", &key(n).public(), &[Role::Admin], None)).concat();
    let both = TrustRoots::parse(&both).unwrap().verify(&envelope, Role::Admin, NOW).unwrap();
    assert_eq!(
        both.signers.iter().map(|s| s.id.clone()).collect::<Vec<_>>(),
        [key(1), key(2)].map(|k| k.public().id())
    );
}

#[test]
fn a_signature_without_key_id_is_found_by_trying() {
    let mut json: serde_json::Value = serde_json::from_slice(&Envelope::sign("t", b"p", &key(1)).to_json()).unwrap();
    json["signatures"][0].as_object_mut().unwrap().remove("keyid");
    let envelope = Envelope::from_json(&serde_json::to_vec(&json).unwrap()).unwrap();
    assert!(trust(&key(1), &[Role::Admin]).verify(&envelope, Role::Admin, NOW).is_ok());
    let error = trust(&key(2), &[Role::Admin]).verify(&envelope, Role::Admin, NOW).unwrap_err();
    assert_eq!(error.code(), "signature.unknown-key");
}

#[test]
fn the_type_is_signed_together_with_the_payload() {
    let text = String::from_utf8(Envelope::sign("text/a", b"p", &key(1)).to_json()).unwrap();
    let envelope = Envelope::from_json(text.replace("text/a", "text/b").as_bytes()).unwrap();
    let error = trust(&key(1), &[Role::Admin]).verify(&envelope, Role::Admin, NOW).unwrap_err();
    assert_eq!(error.code(), "signature.bad");
}
