use super::{NOW, key, trust};
use crate::{Checkpoint, Digest, Role, Rollback};

fn rollback() -> Rollback {
    Rollback {
        name: "smith.sum".into(),
        version: semver::Version::new(0, 1, 1),
        component: Digest::of(b"component"),
        reason: "5 of 5 – ä".into(),
        decided: NOW,
    }
}

#[test]
fn a_rollback_comes_back_as_a_forge_signed_it() {
    let envelope = rollback().sign(&key(1)).unwrap().to_json();
    assert_eq!(Rollback::verify(&envelope, &trust(&key(1), &[Role::Forge]), NOW).unwrap(), rollback());
}

#[test]
fn only_a_forge_says_that_a_version_fails() {
    let envelope = rollback().sign(&key(1)).unwrap().to_json();
    let verify = |trust| Rollback::verify(&envelope, &trust, NOW).map_err(|error| error.code());
    assert_eq!(verify(trust(&key(1), &[Role::Publisher, Role::Admin])), Err("signature.wrong-role"));
    assert_eq!(verify(trust(&key(2), &[Role::Forge])), Err("signature.unknown-key"));
    let checkpoint = Checkpoint { chain: "host".into(), seq: 1, hash: Digest::of(b"row"), at_ms: 0 };
    let checkpoint = checkpoint.sign(&key(1)).unwrap().to_json();
    let verified = Rollback::verify(&checkpoint, &trust(&key(1), &[Role::Forge]), NOW);
    assert_eq!(verified.map_err(|error| error.code()), Err("signature.statement"));
}
